"""The one place where an error meets the terminal: it is worded there, and turned into the exit status. Nothing of ours shows a traceback.

`HEADRACE_DEBUG=1` shows it all the same.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from .output import paint, put, silence

if TYPE_CHECKING:
    from headrace_hookspecs import HeadraceError


def guard(program: Callable[[], int | None]) -> int:
    """Run `program` and return the exit status of the process: its own, or that of what it raised, worded on standard error."""
    try:
        status = program() or 0
        put(sys.stdout, "")
        return status
    except KeyboardInterrupt:
        return _interrupted()
    except BrokenPipeError:
        silence(sys.stdout)
        return 1
    except Exception as error:  # noqa: BLE001 - the last line of defence
        return report(error)


def report(error: Exception) -> int:
    """Word any error on standard error and return the exit status that goes with it."""
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.Abort):
        return _interrupted()
    from headrace_hookspecs.errors import HeadraceError

    known = error if isinstance(error, HeadraceError) else _of_click(error) if isinstance(error, click.ClickException) else None
    if known is None:
        known = _internal(error)
    show(known)
    if os.environ.get("HEADRACE_DEBUG") == "1":
        import traceback

        traceback.print_exception(error, file=sys.stderr)
    return known.exit_status


def show(error: HeadraceError) -> None:
    """Print `error[code]: what`, where, and what to do; as one line of JSON where the command was asked for JSON."""
    if "--json" in sys.argv[1:]:
        import json

        fields = ("code", "message", "remedy", "file", "line", "step")
        click.echo(json.dumps({"error": {name: getattr(error, name) for name in fields}}), err=True)
        return
    click.echo(f"{paint(f'error[{error.code}]:', 'red', sys.stderr)} {error.message}", err=True)
    for line in str(error)[len(error.message) :].splitlines():
        if line.strip():
            click.echo(line, err=True)


def _interrupted() -> int:
    from headrace_hookspecs.errors import HeadraceError

    show(HeadraceError("Interrupted.", code="command-interrupted"))
    return 1


def _of_click(error: click.ClickException) -> HeadraceError:
    from headrace_hookspecs.errors import UsageError

    context = getattr(error, "ctx", None)
    text, remedy = error.format_message(), f"See '{context.command_path} --help'." if context is not None else None
    if isinstance(error, click.NoSuchOption):
        return UsageError(text, remedy=remedy, code="option-unknown")
    if isinstance(error, click.MissingParameter):
        return UsageError(text, remedy=remedy, code="argument-missing")
    if isinstance(error, (click.BadParameter, click.BadOptionUsage)):
        return UsageError(text, remedy=remedy, code="option-invalid")
    return UsageError(text, remedy=remedy)


def _internal(error: Exception) -> HeadraceError:
    import tempfile
    import traceback

    from headrace_hookspecs.errors import InternalError

    text = "".join(traceback.format_exception(error))
    try:
        with tempfile.NamedTemporaryFile("w", prefix="headrace-", suffix=".txt", delete=False, encoding="utf-8", errors="replace") as file:
            file.write(f"{' '.join(sys.argv)}\n{sys.version}\n\n{text}")
        remedy = f"This is a fault of headrace, not of your flow. Please report it with the details in {file.name}"
    except OSError:
        remedy = "This is a fault of headrace, not of your flow. Run again with HEADRACE_DEBUG=1 for the details."
    return InternalError(f"{type(error).__name__}: {error}", remedy=remedy)
