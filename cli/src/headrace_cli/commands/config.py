"""`flow config`: what is configured, and where each value comes from."""

from __future__ import annotations

from typing import Any

import click

from .. import output
from ..options import project_options
from ..session import CliSession


@click.group("config", invoke_without_command=True, short_help="Show the configuration and where it comes from.")
@project_options
@click.pass_context
def command(ctx: click.Context) -> None:
    """Show the resolved configuration. Without a verb: `show`.

    \b
    Examples:
      flow config
      flow config show datastore
      flow config get datastore.name
      flow --profile prod config show --json
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(show)


@command.command("show", short_help="Every value with its origin.")
@click.argument("key", required=False)
@output.json_option
@project_options
@click.pass_obj
def show(session: CliSession, key: str | None = None, as_json: bool = False) -> None:
    """Print every value below KEY, or all, with the file, variable or option that it comes from.

    \b
    Examples:
      flow config show
      flow config show datastore --json
    """
    found = _below(session, key)
    if as_json:
        session.emit({name: {"value": value, "origin": origin} for name, value, origin in found})
    else:
        session.echo(output.table([[name, _shown(value), origin] for name, value, origin in found], ["KEY", "VALUE", "FROM"]))


@command.command("get", short_help="One value.")
@click.argument("key")
@output.json_option
@project_options
@click.pass_obj
def get(session: CliSession, key: str, as_json: bool) -> None:
    """Print the value of KEY and nothing else.

    \b
    Example:
      flow config get datastore.name
    """
    value = _below(session, key, exact=True)[0][1]
    if as_json:
        session.emit(value)
    else:
        session.echo(value if isinstance(value, str) else _shown(value))


@command.command("path", short_help="The project's folder and its files.")
@project_options
@click.pass_obj
def path(session: CliSession) -> None:
    """Print the project's folder, where relative paths in the configuration start from.

    \b
    Example:
      flow config path
    """
    session.echo(session.project.config.project)


def _below(session: CliSession, key: str | None, *, exact: bool = False) -> list[tuple[str, Any, str]]:
    items = sorted(session.project.config.items())
    found = [item for item in items if key is None or item[0] == key or (not exact and item[0].startswith(f"{key}."))]
    if not found and key is not None:
        import difflib

        from headrace_hookspecs.errors import NotFoundError

        near = difflib.get_close_matches(key, [item[0] for item in items], 3)
        remedy = f"Did you mean {' or '.join(near)}?" if near else "'flow config show' lists what is set."
        raise NotFoundError(f"There is no configuration value {key!r}.", remedy=remedy, code="config-key-unknown")
    return found


def _shown(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)
