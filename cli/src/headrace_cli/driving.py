"""What `run` and `resume` share: listening while the run goes on, and telling how it ended."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any

import click

from .console import Console
from .explaining import explained
from .flowcommand import loaded_flow
from .output import put
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
    listener = JsonLines() if as_json else Console(_following(loaded))

    def listen(event: Event) -> None:
        if event.kind == "run-started":
            session.talk(f"Data of this run: {project.blobs.location}")
            listener.echoes = project.launcher(str(event.data["launcher"])).echoes
        listener(event)

    result: RunResult | None = None
    try:
        result = start(loaded, project, listen)
    finally:
        listener.close(result)
    if result.state == "succeeded":
        return 0
    raise explained(ctx, result, shown=not as_json and sys.stdout.isatty())


def _following(loaded: LoadedFlow) -> dict[str, tuple[str, ...]]:
    """The steps after each step, for the status on a terminal; nowhere else are they needed."""
    if not sys.stdout.isatty():
        return {}
    from headrace.dsl.build import build_graph

    return {name: step.next for name, step in build_graph(loaded.cls).steps.items()}


class JsonLines:
    """Prints every event as one line of JSON. The last, `run-ended`, waits until it is known which task failed.

    Whatever else is written to standard output meanwhile, by a task in this process, goes to standard error.
    """

    def __init__(self) -> None:
        self.echoes = False
        self._last: dict[str, Any] | None = None
        self._stream: IO[str] = sys.stdout
        if sys.stdout is sys.__stdout__:
            put(self._stream, "")
            self._stream = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="backslashreplace")
            os.dup2(2, 1)

    def __call__(self, event: Event) -> None:
        """Print the event."""
        names = ("kind", "time", "flow", "run", "step", "task", "attempt")
        document = {**{name: getattr(event, name) for name in names}, "data": dict(event.data)}
        if event.kind == "run-ended":
            self._last = document
        else:
            self._write(document)

    def close(self, result: RunResult | None) -> None:
        """Print the last event, with what the result says besides."""
        if self._last is not None:
            failed = {} if result is None else {"failed_task": result.failed_task, "failed_attempt": result.failed_attempt}
            self._write({**self._last, "data": {**self._last["data"], **failed}})

    def _write(self, document: dict[str, Any]) -> None:
        put(self._stream, json.dumps(document, ensure_ascii=False) + "\n")
