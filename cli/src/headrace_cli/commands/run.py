"""`flow run`: run a flow here, now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..driving import drive
from ..flowcommand import FlowCommand, flow_argument
from ..options import project_options, run_options
from ..parameters import CHOSEN, GIVEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from headrace.api import RunResult
    from headrace.dsl.load import LoadedFlow
    from headrace.project import Project
    from headrace_hookspecs import Event


@click.command("run", cls=FlowCommand, takes_parameters=True, takes_options=True, short_help="Run a flow on this machine.")
@flow_argument
@run_options
@project_options
@click.pass_context
def command(
    ctx: click.Context,
    with_specs: tuple[str, ...],
    max_workers: int | None,
    max_num_splits: int | None,
    tags: tuple[str, ...],
    run_id_file: str | None,
    as_json: bool,
) -> int:
    """Run a flow from its start to its end. Its parameters are options: see them with 'flow run FILE --help'.

    \b
    Examples:
      flow run hello.py
      flow run train.py --alpha 0.5 --max-workers 4
      flow run train.py --with retry:times=3 --tag nightly
      flow run flows.py:TrainFlow
      flow run -m shop.flows:TrainFlow
      flow run train.py -o launcher.name=inline      breakpoint() works
      flow run train.py --json | jq .kind
    """

    def start(loaded: LoadedFlow, project: Project, listener: Callable[[Event], None]) -> RunResult:
        from headrace import api

        return api.run(
            loaded,
            project,
            parameters=ctx.meta.get(GIVEN, {}),
            flow_options=ctx.meta.get(CHOSEN, {}),
            with_specs=with_specs,
            tags=tags,
            max_workers=max_workers,
            max_num_splits=max_num_splits,
            run_id_file=run_id_file,
            listener=listener,
        )

    return drive(ctx, as_json, start)
