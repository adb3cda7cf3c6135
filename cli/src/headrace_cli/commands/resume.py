"""`flow resume`: a new run that takes over what an earlier one has committed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..driving import drive
from ..flowcommand import FlowCommand, flow_argument
from ..options import project_options, run_options
from ..parameters import CHOSEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from headrace.api import RunResult
    from headrace.dsl.load import LoadedFlow
    from headrace.project import Project
    from headrace_hookspecs import Event


@click.command("resume", cls=FlowCommand, takes_options=True, short_help="Run a flow again from where an earlier run stopped.")
@flow_argument
@click.argument("step", required=False)
@click.option("--origin", metavar="RUN", help="The run to take results from. Default: the latest run of the flow.")
@run_options
@project_options
@click.pass_context
def command(
    ctx: click.Context,
    step: str | None,
    origin: str | None,
    with_specs: tuple[str, ...],
    max_workers: int | None,
    max_num_splits: int | None,
    tags: tuple[str, ...],
    run_id_file: str | None,
    as_json: bool,
) -> int:
    """Start a new run that reuses the finished tasks of an earlier one, with its parameters. With STEP, that step and all after it run again.

    \b
    Examples:
      flow resume train.py
      flow resume train.py fit
      flow resume train.py --origin 20260731-142501093-k3x9q7
    """

    def start(loaded: LoadedFlow, project: Project, listener: Callable[[Event], None]) -> RunResult:
        from headrace import api

        return api.resume(
            loaded,
            project,
            step=step,
            origin=origin,
            flow_options=ctx.meta.get(CHOSEN, {}),
            with_specs=with_specs,
            tags=tags,
            max_workers=max_workers,
            max_num_splits=max_num_splits,
            run_id_file=run_id_file,
            listener=listener,
        )

    return drive(ctx, as_json, start)
