"""Prints the reference page of the commands: their own help, as `--help` shows it."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points

import click

INTRODUCTION = """# Commands

`flow VERB [TARGET]… [OPTION]…`; [decision 0006](../adr/0006-command-line.md) has the grammar. `python FILE VERB …` is `flow VERB FILE …`. What a flow's own
parameters are called, `flow run FILE --help` shows.

This page is made by `make docs` from the code.
"""
WIDTH = 100


def main() -> None:
    """Print the page."""
    print(INTRODUCTION)
    for point in sorted(entry_points(group="headrace.command")):
        for name, command in walk(f"flow {point.name}", point.load(), None):
            print(f"## {name}\n\n```text\n{help_of(name, command)}\n```\n")


def walk(name: str, command: click.Command, parent: click.Context | None) -> Iterator[tuple[str, click.Command]]:
    """The command and everything below it."""
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command, parent=parent, info_name=name)
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            if found is not None:
                yield from walk(f"{name} {below}", found, context)


def help_of(name: str, command: click.Command) -> str:
    """The text of `--help`, at a width that does not depend on the terminal."""
    context = click.Context(command, info_name=name, terminal_width=WIDTH, max_content_width=WIDTH)
    return "\n".join(line.rstrip() for line in command.get_help(context).splitlines())


if __name__ == "__main__":
    main()
