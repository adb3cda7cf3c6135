"""What a run says on the terminal: the contract's log lines on standard output, made from events. Knows neither scheduler nor store.

A line is `YYYY-MM-DD HH:MM:SS.mmm [run/step/task (pid P)] text`. Task lines keep their indentation.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any, Final

from .live import LiveLine, Progress
from .output import coloured, put

if TYPE_CHECKING:
    from headrace_hookspecs import Event

_BOLD: Final = "\x1b[1m"
_BAD: Final = "\x1b[1;31m"
_DIM: Final = "\x1b[2m"
_OFF: Final = "\x1b[0m"
_SEGFAULT: Final = 11


class Console:
    """Listens to the events of one run. Call `close` when the run is over, however it ended.

    `following` maps each step to those that follow it; `echoes` tells that what tasks print is on the terminal before its event comes.
    """

    def __init__(self, following: Mapping[str, Sequence[str]] | None = None, stream: IO[str] | None = None) -> None:
        self.echoes = False
        self._stream = sys.stdout if stream is None else stream
        self._colour = coloured(self._stream)
        self._pids: dict[tuple[str, str, int | None], int] = {}
        self._absorbing: set[tuple[str, str]] = set()
        self._second = (-1, "")
        self._live = LiveLine(self._stream, Progress(following)) if self._stream.isatty() and _can_redraw() else None

    def __call__(self, event: Event) -> None:
        """Show what the event says."""
        lines = self._lines(event)
        if self._live is not None:
            if event.kind == "run-started" and not self.echoes:
                self._live.start()
            self._live.take(event, lines)
        elif lines:
            put(self._stream, "".join(lines))

    def close(self, result: object = None) -> None:
        """Take the live status away. How the run ended has been told by its last event."""
        if self._live is not None:
            self._live.close()

    def _lines(self, event: Event) -> list[str]:
        kind, data = event.kind, event.data
        if kind == "log-line":
            return [] if self.echoes and event.step else [self._output(event, str(data["text"]))]
        if kind == "attempt-started":
            pid = data.get("pid")
            if pid:
                self._pids[event.step, event.task, event.attempt] = pid
            text = "Task is starting (retry)." if event.attempt else "Task is starting."
            if (event.step, event.task) in self._absorbing:
                text = "Task fallback is starting to handle the failure."
            return [self._system(event, text)]
        if kind == "attempt-ended":
            if data.get("mode") == "absorb":
                self._absorbing.add((event.step, event.task))
            lines = [self._system(event, text, bad=bad) for text, bad in _ending(data)]
            self._pids.pop((event.step, event.task, event.attempt), None)
            return lines
        if kind == "foreach-split":
            return [self._system(event, f"Foreach yields {data['size']} child steps.")]
        if kind == "task-reused":
            return [self._system(event, f"Reusing the result of {data.get('origin', 'an earlier run')}.")]
        if kind == "run-started":
            return [self._system(event, f"Workflow starting (run-id {event.run}):")]
        if kind == "run-ended":
            texts = {"succeeded": ("Done!", False), "cancelled": ("Workflow interrupted.", True)}
            text, bad = texts.get(str(data["state"]), ("Workflow failed.", True))
            return [self._system(event, text, bad=bad)]
        return []

    def _output(self, event: Event, text: str) -> str:
        # a progress bar redraws itself by carriage returns: what it showed last is what counts
        text = text.rstrip("\r").rpartition("\r")[2]
        if self._colour:
            reset = _OFF if "\x1b" in text else ""
            return f"{_DIM}{self._stamp(event.time)} {self._who(event)}{_OFF}{text}{reset}\n"
        return f"{self._stamp(event.time)} {self._who(event)}{text}\n"

    def _system(self, event: Event, text: str, *, bad: bool = False) -> str:
        who = self._who(event)
        if self._colour:
            return f"{_DIM}{self._stamp(event.time)} {_OFF}{_BAD if bad else _BOLD}{who}{text}{_OFF}\n"
        return f"{self._stamp(event.time)} {who}{text}\n"

    def _who(self, event: Event) -> str:
        if not event.step:
            return ""
        pid = self._pids.get((event.step, event.task, event.attempt))
        return f"[{event.run}/{event.step}/{event.task}{f' (pid {pid})' if pid else ''}] "

    def _stamp(self, moment: float) -> str:
        second = int(moment)
        if self._second[0] != second:
            self._second = (second, time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(second)))
        return f"{self._second[1]}.{int((moment - second) * 1000):03d}"


def _can_redraw() -> bool:
    import os

    return os.environ.get("TERM", "dumb") != "dumb"


def _ending(data: Any) -> list[tuple[str, bool]]:
    """The system lines, each with whether it is bad news, that tell how an attempt ended."""
    status, failure = data["status"], data.get("failure") or {}
    if status == "succeeded":
        return [("Task finished successfully.", False)]
    if status == "superseded":
        return [("Task finished, but another attempt had committed before.", False)]
    if status == "absorbed":
        return [("Task failed; the failure was caught and the run goes on.", False)]
    if status == "cancelled":
        return [("Task was cancelled.", True)]
    lines = []
    if failure.get("signal") == _SEGFAULT:
        lines.append(("Task failed with a segmentation fault.", True))
    else:
        lines.append(("Task failed.", True))
        # what the process could not say itself
        if failure.get("kind") in ("signal", "oom", "timeout", "lost", "exit", "store") and failure.get("message"):
            lines.append((str(failure["message"]), True))
    if failure.get("give_up"):
        lines.append(("This failed task will not be retried.", True))
    elif data.get("retry_in") and data.get("mode") != "absorb":
        lines.append((f"Trying again in {data['retry_in']:g} s.", False))
    return lines
