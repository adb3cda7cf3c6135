"""`flow tutorials`: what comes with headrace to learn from."""

from __future__ import annotations

import os
import shutil

import click

from .. import output
from ..session import CliSession
from ..tutorials import Tutorial, find_tutorials


@click.group("tutorials", invoke_without_command=True, short_help="List the tutorials, or copy one.")
@click.pass_context
def command(ctx: click.Context) -> None:
    """Learn from flows that run. Without a verb: `list`.

    \b
    Examples:
      flow tutorials list
      flow tutorials pull 01-penguins
      flow tutorials pull --to learning      all of them
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_command)


@command.command("list", short_help="Name the tutorials.")
@output.json_option
@click.pass_obj
def list_command(session: CliSession, as_json: bool = False) -> None:
    """Name the tutorials and what each is about.

    \b
    Example:
      flow tutorials list
    """
    found = find_tutorials()
    if as_json:
        session.emit([{"name": each.name, "title": each.title} for each in found])
    else:
        session.echo(output.table([[each.name, each.title] for each in found], ["TUTORIAL", "ABOUT"]))


@command.command("pull", short_help="Copy one tutorial, or all.")
@click.argument("name", required=False)
@click.option("--to", "folder", metavar="DIR", default=".", type=click.Path(file_okay=False), help="The folder to copy to, made if absent.")
@click.pass_obj
def pull(session: CliSession, name: str | None, folder: str) -> None:
    """Copy the tutorial NAME, or all of them. Never overwrites.

    \b
    Examples:
      flow tutorials pull 01-penguins
      flow tutorials pull --to learning
    """
    from headrace_hookspecs.errors import UsageError

    chosen = find_tutorials() if name is None else [_choose(name)]
    for tutorial in chosen:
        place = os.path.join(folder, tutorial.name)
        if os.path.lexists(place):
            raise UsageError(f"{place} exists already.", remedy="Choose another folder with --to.", code="file-exists")
    for tutorial in chosen:
        place = os.path.join(folder, tutorial.name)
        shutil.copytree(tutorial.folder, place, ignore=shutil.ignore_patterns("__pycache__", ".headrace"))
        session.echo(place)


def _choose(name: str) -> Tutorial:
    """The tutorial of that name, or the only one whose name holds it. Raises NotFoundError."""
    from headrace_hookspecs.errors import NotFoundError

    found = find_tutorials()
    matching = [each for each in found if each.name == name] or [each for each in found if name in each.name]
    if len(matching) != 1:
        known = ", ".join(each.name for each in found) or "none came with this installation"
        raise NotFoundError(f"There is no tutorial {name!r}.", remedy=f"The tutorials are: {known}.", code="tutorial-unknown")
    return matching[0]
