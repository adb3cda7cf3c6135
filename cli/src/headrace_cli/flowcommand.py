"""Commands about a flow: the flow is found and imported while the arguments are read, so that its parameters are options like any other."""

from __future__ import annotations

import contextlib
import shlex
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from . import parameters
from .session import CliSession
from .target import Target, complete_file, find_target, static_parameters

if TYPE_CHECKING:
    from headrace.dsl.load import LoadedFlow

T = TypeVar("T", bound=Callable[..., Any])

_LOADED: Final = "headrace.loaded"
_TARGET: Final = "headrace.target"
_EXTRA: Final = "headrace.extra"
_DROPPED: Final = "headrace.dropped"


def flow_argument(command: T) -> T:
    """`FILE` or `-m MODULE`."""
    for decorate in (
        click.option("-m", "--module", metavar="MODULE", expose_value=False, help="Take the flow from an importable module."),
        click.argument("flow_file", metavar="FILE[:CLASS]", shell_complete=complete_file, expose_value=False),
    ):
        command = decorate(command)
    return command


def loaded_flow(ctx: click.Context) -> LoadedFlow:
    """The flow that the command is about."""
    loaded: LoadedFlow = ctx.meta[_LOADED]
    return loaded


def named_flow(ctx: click.Context) -> str:
    """The words, after a space, that named the flow on the command line; none behind `python FILE`."""
    target: Target | None = ctx.meta.get(_TARGET)
    if target is None:
        return ""
    return f" {'-m ' if target.module else ''}{shlex.quote(target.text)}"


class FlowCommand(click.Command):
    """A command with `flow_argument`.

    `takes_parameters` makes the flow's parameters options of the command, `takes_options` what the flow's decorators declare.
    """

    def __init__(self, *args: Any, takes_parameters: bool = False, takes_options: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.takes_parameters = takes_parameters
        self.takes_options = takes_options

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Find the flow, then read the arguments as usual."""
        session = ctx.find_object(CliSession)
        fixed = None if session is None else session.flow
        target = None if fixed else find_target(self.params, args)
        if fixed or (target and target.module):
            ctx.meta[_DROPPED] = {"flow_file"} if target else {"flow_file", "module"}
        if ctx.resilient_parsing:
            if target and self.takes_parameters:
                ctx.meta[_EXTRA] = parameters.named_options(static_parameters(target))
        elif fixed or target:
            self._load(ctx, fixed, target)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if self.takes_parameters and _LOADED in ctx.meta:
                raise self._unknown(ctx, error.option_name) from None
            raise

    def _load(self, ctx: click.Context, fixed: LoadedFlow | None, target: Target | None) -> None:
        with contextlib.redirect_stdout(sys.stderr):  # what a flow file prints while it is imported is no data of ours
            loaded = fixed or (target.load() if target else None)
        if loaded is None:
            return
        ctx.meta[_LOADED], ctx.meta[_TARGET] = loaded, target
        if self.takes_options:
            from .flowoptions import options_of

            ctx.meta[_EXTRA] = options_of(loaded, parameters=self.takes_parameters)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Our own parameters and the flow's. Where both want one name, it is the flow's."""
        extra: list[click.Option] = ctx.meta.get(_EXTRA, [])
        dropped: set[str] = ctx.meta.get(_DROPPED, set())
        taken = {word for option in extra for word in option.opts}
        own = [param for param in super().get_params(ctx) if param.name not in dropped and not taken.intersection(param.opts)]
        return [*own, *extra]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The flow's own options first, each kind under its heading."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx) if isinstance(param, click.Option) else None
            if record is not None:
                title = param.title if isinstance(param, parameters.FlowOption) else ""
                sections.setdefault(title, []).append(record)
        own = sections.pop("", [])
        for title, records in [*sections.items(), ("Options", own)]:
            with formatter.section(title):
                formatter.write_dl(records)

    def _unknown(self, ctx: click.Context, option: str) -> Exception:
        import difflib

        from headrace_hookspecs.errors import ParameterError

        names = [word for param in ctx.meta.get(_EXTRA, ()) for word in param.opts]
        others = [word for param in self.get_params(ctx) if isinstance(param, click.Option) for word in param.opts]
        near = difflib.get_close_matches(option, [*names, *others], 3)
        if near:
            remedy = f"Did you mean {' or '.join(dict.fromkeys(near))}?"
        else:
            remedy = f"Its parameters are {', '.join(names)}." if names else "It has no parameters."
        flow = loaded_flow(ctx).cls.__name__
        return ParameterError(f"Flow {flow} has no parameter {option.lstrip('-')!r}.", remedy=remedy, code="parameter-unknown")
