"""The program `flow`, and the same commands behind `python FILE`. Help is made from names alone: nothing is imported to list commands."""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from .errors import guard
from .options import project_options
from .session import CliSession

if TYPE_CHECKING:
    from headrace.host.index import EntryPoint

COMMANDS: Final = {
    "run": "Run a flow on this machine.",
    "resume": "Run a flow again from where an earlier run stopped.",
    "show": "Show the graph of a flow.",
    "check": "Check a flow without running it.",
    "list": "List flows, runs, or the tasks of a run.",
    "logs": "Show what tasks printed.",
    "dump": "Show the artifacts of tasks.",
    "deploy": "Hand a flow to a production engine.",
    "package": "Show or save the files that travel with a flow.",
    "config": "Show the configuration and where it comes from.",
    "plugins": "List, inspect and lock plugins.",
    "doctor": "Find out what is wrong with this installation.",
    "new": "Start a flow, with its test.",
    "tutorials": "List the tutorials, or copy one.",
}
"""Our own commands. Each lives in a module of its own in `commands`, as `command`."""

OF_A_FILE: Final = ("run", "resume", "show", "check", "list", "logs", "dump", "deploy", "config", "doctor")
"""Those of them that make sense behind `python FILE`."""

_GROUP: Final = "headrace.command"


class LazyGroup(click.Group):
    """Our own commands from a table, others from the entry-point index; one is imported when it is called, none to be listed."""

    own: tuple[str, ...] = tuple(COMMANDS)

    def third_party(self) -> dict[str, EntryPoint]:
        """The commands that other distributions bring, by name."""
        from headrace.host.index import read_index

        return {entry.name: entry for entry in read_index().entries if entry.group == _GROUP and entry.name not in COMMANDS}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Ours in the order of the table, then the others by name."""
        return [*self.own, *sorted(self.third_party())]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command. None if there is no such command."""
        if cmd_name in self.own:
            import importlib

            command: click.Command = importlib.import_module(f"{__package__}.commands.{cmd_name}").command
            return command
        if ctx.resilient_parsing or cmd_name not in self.third_party():
            return None
        session: CliSession = ctx.obj
        loaded = session.project.registry.load(_GROUP, cmd_name)
        if not isinstance(loaded, click.Command):
            from headrace_hookspecs.errors import PluginError

            distribution = self.third_party()[cmd_name].distribution
            raise PluginError(f"The command {cmd_name!r} of {distribution} is no click command.", remedy=f"Report this to {distribution}.")
        return loaded

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """The command of `args`; an unknown one is answered with the nearest names."""
        command = self.get_command(ctx, args[0])
        if command is None and not ctx.resilient_parsing and not args[0].startswith("-"):
            import difflib

            from headrace_hookspecs.errors import UsageError

            near = difflib.get_close_matches(args[0], self.list_commands(ctx), 3)
            if os.path.exists(args[0].partition(":")[0]):
                remedy = f"To run a flow, say '{ctx.command_path} run {args[0]}'."
            elif near:
                remedy = f"Did you mean {' or '.join(map(repr, near))}?"
            else:
                remedy = f"'{ctx.command_path} --help' lists the commands."
            raise UsageError(f"There is no command {args[0]!r}.", remedy=remedy, code="command-unknown")
        if command is None:
            return super().resolve_command(ctx, args)
        return args[0], command, args[1:]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table, and each third-party command with its distribution's name."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name]) for name in self.own])
        others = self.third_party()
        if others:
            with formatter.section("Commands of plugins"):
                formatter.write_dl([(name, f"from {others[name].distribution}") for name in sorted(others)])


class FlowFileGroup(LazyGroup):
    """The commands behind `python FILE`."""

    own = OF_A_FILE


def _begin(ctx: click.Context, **_: Any) -> None:
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def _version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from headrace.host.index import read_index

        ours = {entry.distribution: entry.version for entry in read_index().entries}
        click.echo(f"headrace {ours.get('headrace-cli', 'unknown')}")
        ctx.exit()


_HELP: Final = """Run flows and look at what they kept.

\b
Examples:
  flow new hello                  start a flow, with its test
  flow run hello.py               run it
  flow run hello.py --help        the flow's own parameters
  flow list                       what has run
  flow logs HelloFlow             what the latest run printed

Shell completion: eval "$(_FLOW_COMPLETE=bash_source flow)" in ~/.bashrc; zsh_source and fish_source for the other shells.
"""


def _group(kind: type[LazyGroup], name: str, text: str) -> LazyGroup:
    version = click.Option(["--version"], is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version.")
    settings = {"help_option_names": ["-h", "--help"]}
    group = kind(
        name,
        params=[version],
        callback=click.pass_context(_begin),
        help=text,
        invoke_without_command=True,
        context_settings=settings,
        subcommand_metavar="[COMMAND] [ARGS]...",
    )
    return project_options(group)


def _run(group: LazyGroup, session: CliSession, name: str) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # what a terminal cannot show is shown as an escape, not as an error of ours
            stream.reconfigure(errors="backslashreplace")

    def program() -> int | None:
        try:
            status = group.main(prog_name=name, standalone_mode=False, obj=session)
            return status if isinstance(status, int) else None
        finally:
            session.close()

    # a start makes thousands of objects that live to the end: looking through them again and again frees nothing
    gc.set_threshold(50_000)
    status = guard(program)
    # what lives now dies with the process: spare the interpreter's last collections the walk through all of it
    gc.freeze()
    sys.exit(status)


def main() -> NoReturn:
    """The console script `flow`."""
    _run(_group(LazyGroup, "flow", _HELP), CliSession(), "flow")


def flow_file_main(cls: type[Any]) -> NoReturn:
    """Behind `python FILE`: the same commands for the flow `cls` of the program that runs. Entry point `cli` of `headrace.front_end`."""
    session = CliSession()

    def adopt() -> None:
        from headrace.dsl.load import adopt_main

        session.flow = adopt_main(cls)

    status = guard(adopt)
    if status:
        sys.exit(status)
    name = f"python {os.path.basename(sys.argv[0])}"
    examples = f"\b\nExamples:\n  {name} run\n  {name} run --help   the parameters of {cls.__name__}\n  {name} show\n  {name} logs\n"
    _run(_group(FlowFileGroup, name, f"{(cls.__doc__ or '').strip()}\n\n{examples}".lstrip()), session, name)
