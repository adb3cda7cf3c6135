"""`flow check`: everything that a run would refuse, found without running."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from .. import output
from ..flowcommand import FlowCommand, flow_argument, loaded_flow
from ..options import project_options
from ..session import CliSession

if TYPE_CHECKING:
    from headrace_hookspecs import Diagnostic


@click.command("check", cls=FlowCommand, short_help="Check a flow without running it.")
@flow_argument
@click.option("--with", "with_specs", metavar="NAME:K=V,…", multiple=True, help="Attach a decorator to every step. May be repeated.")
@output.json_option
@project_options
@click.pass_context
def command(ctx: click.Context, with_specs: tuple[str, ...], as_json: bool) -> int:
    """Plan a flow as a run would and print every finding, in the order of the source. Exit status 1 if one of them is an error.

    \b
    Examples:
      flow check hello.py
      flow check hello.py --with retry:times=2
      flow check hello.py --json
    """
    from headrace.api import check

    session = ctx.ensure_object(CliSession)
    loaded = loaded_flow(ctx)
    _, found = check(loaded, session.open(loaded), with_specs=with_specs)
    errors = sum(diagnostic.severity == "error" for diagnostic in found)
    if as_json:
        session.emit([as_data(diagnostic) for diagnostic in found])
    else:
        for diagnostic in found:
            session.echo(worded(diagnostic))
        verdict = f"{errors} error{'' if errors == 1 else 's'}" if errors else "no errors"
        session.talk(f"{loaded.cls.__name__}: {verdict}.")
    return 1 if errors else 0


def as_data(diagnostic: Diagnostic) -> dict[str, object]:
    """The finding as JSON."""
    source = diagnostic.source
    return {
        "severity": diagnostic.severity,
        "code": diagnostic.code,
        "message": diagnostic.message,
        "step": diagnostic.step,
        "file": source.file if source else None,
        "line": source.line if source else None,
        "remedy": diagnostic.remedy,
    }


def worded(diagnostic: Diagnostic) -> str:
    """The finding as an error would be shown."""
    colour = {"error": "red", "warning": "yellow", "info": "cyan"}[diagnostic.severity]
    lines = [f"{output.paint(f'{diagnostic.severity}[{diagnostic.code}]:', colour, sys.stdout)} {diagnostic.message}"]
    if diagnostic.source is not None:
        step = f", step {diagnostic.step}" if diagnostic.step else ""
        lines.append(f"  at {diagnostic.source.file}:{diagnostic.source.line}{step}")
    if diagnostic.remedy:
        lines.append(f"  {diagnostic.remedy}")
    return "\n".join(lines)
