"""`flow plugins`: what is installed, what of it is chosen, and the lock that lets nothing else in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import click

from .. import output
from ..options import project_options
from ..session import CliSession

if TYPE_CHECKING:
    from headrace.host.index import EntryPoint

_CHOSEN: Final = ("datastore", "metadata", "launcher")
"""The groups from which exactly one is chosen by `KIND.name`."""


@click.group("plugins", invoke_without_command=True, short_help="List, inspect and lock plugins.")
@project_options
@click.pass_context
def command(ctx: click.Context) -> None:
    """Look at the installed plugins. Without a verb: `list`.

    \b
    Examples:
      flow plugins
      flow plugins list --why
      flow plugins info files
      flow plugins lock
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_command)


@command.command("list", short_help="Everything that is installed.")
@click.option("--why", is_flag=True, help="Also say why each is used or not.")
@output.json_option
@project_options
@click.pass_obj
def list_command(session: CliSession, why: bool = False, as_json: bool = False) -> None:
    """List the installed plugins by kind. None is imported.

    \b
    Examples:
      flow plugins list
      flow plugins list --why
      flow plugins list --json
    """
    entries = [entry for entry in session.project.registry.index.entries if entry.group != "headrace.front_end"]
    if as_json:
        session.emit([{**entry._asdict(), "use": _use(session, entry)} for entry in entries])
        return
    rows = [
        [_kind(entry.group), entry.name, f"{entry.distribution} {entry.version}", *([_use(session, entry)] if why else [])]
        for entry in entries
    ]
    session.echo(output.table(rows, ["KIND", "NAME", "FROM", *(["USE"] if why else [])]))


@command.command("info", short_help="One plugin: its origin and its configuration.")
@click.argument("name")
@output.json_option
@project_options
@click.pass_obj
def info(session: CliSession, name: str, as_json: bool) -> None:
    """Import the plugin NAME (or KIND.NAME) and print what it is and what can be configured.

    \b
    Examples:
      flow plugins info files
      flow plugins info decorator.retry
    """
    kind, _, last = name.rpartition(".")
    registry = session.project.registry
    groups = sorted({entry.group for entry in registry.index.entries if entry.name == last and kind in ("", _kind(entry.group))})
    if not groups:
        from headrace_hookspecs.errors import PluginError

        names = {entry.name for entry in registry.index.entries}
        raise PluginError(f"There is no plugin {name!r}.", remedy=_nearest(last, names), code="plugin-unknown")
    found = [_describe(session, group, last) for group in groups]
    if as_json:
        session.emit(found)
        return
    for number, each in enumerate(found):
        session.echo(f"{'' if number == 0 else chr(10)}{each['kind']} {each['name']}")
        for label in ("distribution", "version", "target", "api", "use"):
            session.echo(f"  {label:<13} {each[label]}")
        if each["config"]:
            rows = [[f"  {field['key']}", field["type"], field["default"]] for field in each["config"]]
            session.echo(f"\n{output.table(rows, ['  KEY', 'TYPE', 'DEFAULT'])}")


@command.command("lock", short_help="Freeze what may be loaded.")
@project_options
@click.pass_obj
def lock(session: CliSession) -> None:
    """Write the list of installed plugins into the project. While the file is there, nothing outside it is loaded.

    \b
    Example:
      flow plugins lock
    """
    import json

    from headrace.host.index import LOCK_NAME, freeze, read_index

    path = os.path.join(session.project.config.project, LOCK_NAME)
    frozen = freeze(read_index())
    with open(path, "w", encoding="utf-8") as file:
        json.dump(frozen, file, indent=1)
        file.write("\n")
    session.echo(f"{path}: {len(frozen['plugins'])} entries")


def _kind(group: str) -> str:
    return group.removeprefix("headrace.")


def _use(session: CliSession, entry: EntryPoint) -> str:
    """Why the entry is used or not, in a few words."""
    from headrace_hookspecs.errors import PluginError

    config, kind = session.project.config, _kind(entry.group)
    try:
        chosen = session.project.registry.entry(entry.group, entry.name)
    except PluginError as error:
        return "disabled" if error.code == "plugin-disabled" else "in conflict"
    if chosen != entry:
        return f"gives way to {chosen.distribution}"
    if kind in _CHOSEN:
        key = f"{kind}.name"
        return f"chosen by {config.origin(key)}" if config.get(key) == entry.name else f"not chosen ({key})"
    return {"hooks": "always on", "decorator": "where a flow names it", "serializer": "by the value's type"}.get(kind, "on demand")


def _describe(session: CliSession, group: str, name: str) -> dict[str, Any]:
    registry = session.project.registry
    entry = registry.entry(group, name)
    plugin = registry.load(group, name)
    return {
        "kind": _kind(group),
        "name": name,
        "distribution": entry.distribution,
        "version": entry.version,
        "target": entry.target,
        "api": str(getattr(plugin, "api", "-")),
        "use": _use(session, entry),
        "config": list(_fields(plugin, f"{_kind(group)}.{name}")),
    }


def _fields(plugin: Any, section: str) -> Iterator[dict[str, str]]:
    implementation = plugin.implementation() if hasattr(plugin, "implementation") else plugin
    make = getattr(implementation, "config_class", None)
    cls = make() if callable(make) else None
    for field in getattr(cls, "__attrs_attrs__", ()):
        default = field.default
        if type(default).__name__ == "Factory":
            shown = repr(default.factory()) if not default.takes_self else "computed"
        else:
            shown = "required" if type(default).__name__ == "_Nothing" else repr(default)
        yield {"key": f"{section}.{field.name}", "type": getattr(field.type, "__name__", str(field.type)), "default": shown}


def _nearest(name: str, names: set[str]) -> str:
    import difflib

    near = difflib.get_close_matches(name, sorted(names), 3)
    advice = f"Did you mean {' or '.join(near)}? " if near else ""
    return f"{advice}'flow plugins list' lists what is installed. Or: pip install headrace-plugin-{name}"
