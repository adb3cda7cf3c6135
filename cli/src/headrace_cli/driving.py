"""What `run` and `resume` share: listening while the run goes on, and telling how it ended."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from .console import Console
from .flowcommand import loaded_flow
from .output import emit_line
from .session import CliSession

if TYPE_CHECKING:
    from headrace.api import RunResult
    from headrace.dsl.load import LoadedFlow
    from headrace.project import Project
    from headrace_hookspecs import Event

Start = Callable[["LoadedFlow", "Project", Callable[["Event"], None]], "RunResult"]
"""Starts a run and returns when it is over: called with the flow, its project and the listener."""


def drive(ctx: click.Context, as_json: bool, start: Start) -> int:
    """Run, show what happens, and return the exit status. Raises RunFailed or RunInterrupted, worded for the user."""
    session, loaded = ctx.ensure_object(CliSession), loaded_flow(ctx)
    project = session.open(loaded)
    listener = JsonLines() if as_json else Console()

    def listen(event: Event) -> None:
        if event.kind == "run-started":
            session.talk(f"Data of this run: {project.blobs.location}")
        listener(event)

    try:
        result = start(loaded, project, listen)
    finally:
        listener.close()
    if as_json:
        listener.finish(result)  # type: ignore[union-attr]
    if result.state == "succeeded":
        return 0
    raise _explained(ctx, loaded, result, shown=not as_json and sys.stdout.isatty())


class JsonLines:
    """Prints every event as one line of JSON. The last, `run-ended`, waits until it is known which task failed."""

    def __init__(self) -> None:
        self._last: dict[str, Any] | None = None

    def __call__(self, event: Event) -> None:
        """Print the event."""
        names = ("kind", "time", "flow", "run", "step", "task", "attempt")
        document = {**{name: getattr(event, name) for name in names}, "data": dict(event.data)}
        if event.kind == "run-ended":
            self._last = document
        else:
            emit_line(document)

    def finish(self, result: RunResult) -> None:
        """Print the result."""
        if self._last is not None:
            failed = {"failed_task": result.failed_task, "failed_attempt": result.failed_attempt}
            emit_line({**self._last, "data": {**self._last["data"], **failed}})

    def close(self) -> None:
        """Nothing is left on the terminal."""


def _explained(ctx: click.Context, loaded: LoadedFlow, result: RunResult, *, shown: bool) -> Exception:
    """How the run ended and how to look closer, after the user's own traceback where the terminal has not `shown` it."""
    from headrace_hookspecs.errors import RunFailed, RunInterrupted

    program = ctx.parent.command_path if ctx.parent is not None else "flow"
    target = "" if ctx.ensure_object(CliSession).flow is not None else f" {_named(loaded)}"
    path = f"{result.flow}/{result.run}"
    if result.state == "cancelled":
        return RunInterrupted(f"Run {path} was interrupted.", remedy=f"{program} resume{target}   to go on with it")
    failure, task = result.failure, result.failed_task
    trace = failure.traceback if failure is not None else ""
    if trace and not shown:
        click.echo(trace.rstrip(), err=True)
    if task is None:
        return RunFailed(f"Run {path} failed{f': {failure.message}' if failure is not None else ''}.")
    step = task.split("/")[2]
    file, line = _place(trace)
    reason = f"{failure.type.rpartition('.')[2]}: {failure.message}".lstrip(": ") if failure is not None else "unknown"
    ways = [
        (f"{program} logs {task}", "what it printed"),
        (f"{program} dump {task}", "what it had assigned"),
        (f"{program} run{target} -o launcher.name=inline", "run in this process, where breakpoint() works"),
        (f"{program} resume{target}", "go on from here once it is mended"),
    ]
    width = max(len(way) for way, _ in ways)
    remedy = "\n  ".join(["To look closer:", *(f"  {way:<{width}}  {why}" for way, why in ways)])
    return RunFailed(
        f"Step {step!r} failed in attempt {result.failed_attempt} of task {task}: {reason}", remedy=remedy, file=file, line=line, step=step
    )


def _named(loaded: LoadedFlow) -> str:
    """The flow as the user would name it on the command line."""
    if loaded.file is None:
        return f"-m {loaded.module}:{loaded.cls.__name__}"
    return shlex.quote(os.path.relpath(loaded.file))


def _place(trace: str) -> tuple[str | None, int | None]:
    """The file and line of the innermost frame of a traceback."""
    frames = re.findall(r'^  File "(.+?)", line (\d+)', trace, re.MULTILINE)
    return (frames[-1][0], int(frames[-1][1])) if frames else (None, None)
