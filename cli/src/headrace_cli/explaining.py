"""How a run that did not succeed is told: the user's own traceback, what failed where, and the commands with which to look closer."""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING

import click

from .flowcommand import loaded_flow, named_flow
from .session import CliSession

if TYPE_CHECKING:
    from headrace.api import RunResult
    from headrace_hookspecs import HeadraceError


def explained(ctx: click.Context, result: RunResult, *, shown: bool) -> HeadraceError:
    """The error to raise for a result. Prints the user's traceback first, unless the terminal has `shown` it already."""
    from headrace_hookspecs.errors import RunFailed, RunInterrupted

    program = ctx.parent.command_path if ctx.parent is not None else "flow"
    target = named_flow(ctx)
    path = f"{result.flow}/{result.run}"
    if result.state == "cancelled":
        return RunInterrupted(f"Run {path} was interrupted.", remedy=f"To go on with it: {program} resume{target}")
    failure, task = result.failure, result.failed_task
    if failure is None or task is None:
        return RunFailed(f"Run {path} failed{f': {failure.message}' if failure is not None else ''}.")
    # an error of ours says in its message what the user has to know, and its traceback is nobody's business
    ours = failure.type.startswith("headrace_hookspecs.errors.")
    trace = "" if ours else failure.traceback
    if trace and not shown:
        click.echo(trace.rstrip(), err=True)
    file, line = _place(trace, loaded_flow(ctx).file)
    kind = "" if ours else failure.type.rpartition(".")[2]
    message = f"Step {task.split('/')[2]!r} failed in attempt {result.failed_attempt} of task {task}: {f'{kind}: ' if kind else ''}{failure.message}"
    elsewhere = _elsewhere(ctx)
    ways = [
        (f"{program} logs {task}{elsewhere}", "what it printed"),
        (f"{program} dump {task}{elsewhere}", "what it had assigned"),
        (f"{program} run{target} -o launcher.name=inline", "run in this process, where breakpoint() works"),
        (f"{program} resume{target}", "go on from here once it is mended"),
    ]
    width = max(len(way) for way, _ in ways)
    remedy = "\n  ".join(["To look closer:", *(f"  {way:<{width}}  {why}" for way, why in ways)])
    step = task.split("/")[2] if file is not None else None
    if failure.kind == "exception":
        return RunFailed(message, remedy=remedy, file=file, line=line, step=step)
    return RunFailed(message, remedy=remedy, file=file, line=line, step=step, code=f"run-failed-{failure.kind}")


def _elsewhere(ctx: click.Context) -> str:
    """The option with which commands about this run find its project from the current folder, where they would not without it."""
    from headrace.plan.files import find_project

    session = ctx.ensure_object(CliSession)
    project = session.project.config.project
    if session.flow is not None or find_project(os.getcwd()) == project:
        return ""
    return f" --directory {shlex.quote(os.path.relpath(project))}"


def _place(trace: str, flow_file: str) -> tuple[str | None, int | None]:
    """The innermost line of the flow file in a traceback, else the innermost line of all."""
    frames = re.findall(r'^  File "(.+?)", line (\d+)', trace, re.MULTILINE)
    frames = [frame for frame in frames if frame[0] == flow_file] or frames
    return (frames[-1][0], int(frames[-1][1])) if frames else (None, None)
