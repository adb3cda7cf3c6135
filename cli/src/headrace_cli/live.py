"""The one line at the bottom of a terminal that says how far a run is: counting is pure, drawing is plain ANSI, at most ten times a second."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping, Sequence
from typing import IO, TYPE_CHECKING, Final

from .output import put

if TYPE_CHECKING:
    from headrace_hookspecs import Event

_ERASE: Final = "\r\x1b[2K"
_PERIOD: Final = 0.1
_DONE: Final = frozenset({"succeeded", "absorbed", "superseded"})


class Progress:
    """How many tasks are known, running, done and failed. Children of a foreach are known as soon as it has split."""

    def __init__(self, following: Mapping[str, Sequence[str]] | None = None) -> None:
        self.started: float | None = None
        self.done = 0
        self.failed = 0
        self.total = 0
        self._ahead: dict[str, int] = {}
        self._next = following or {}
        self._running: dict[tuple[str, str], int | None] = {}
        self._seen: set[tuple[str, str]] = set()

    @property
    def running(self) -> int:
        """The number of attempts that run."""
        return len(self._running)

    def steps(self) -> list[str]:
        """The steps with running tasks, the one that began first first."""
        return list(dict.fromkeys(step for step, _ in self._running))

    def take(self, event: Event) -> None:
        """Count the event."""
        kind, key = event.kind, (event.step, event.task)
        if kind == "run-started":
            self.started = event.time
        elif kind == "foreach-split":
            for child in self._next.get(event.step, ())[:1]:
                size = int(event.data["size"])
                self._ahead[child] = self._ahead.get(child, 0) + size
                self.total += size
        elif kind in ("task-queued", "attempt-started", "task-reused"):
            self._know(key)
            if kind == "attempt-started":
                self._running[key] = event.attempt
            elif kind == "task-reused":
                self.done += 1
        elif kind == "attempt-ended":
            self._running.pop(key, None)
            if event.data["status"] in _DONE:
                self.done += 1
            elif event.data.get("retry_in") is None:
                self.failed += 1

    def _know(self, key: tuple[str, str]) -> None:
        if key in self._seen:
            return
        self._seen.add(key)
        if self._ahead.get(key[0], 0) > 0:
            self._ahead[key[0]] -= 1
        else:
            self.total += 1

    def line(self, now: float, width: int) -> str:
        """The status in at most `width` columns, such as `0:42  7/12 tasks  2 running  1 failed  fit, score`."""
        seconds = int(now - self.started) if self.started is not None else 0
        clock = (
            f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}" if seconds >= 3600 else f"{seconds // 60}:{seconds % 60:02d}"
        )
        parts = [clock, f"{self.done}/{self.total} tasks", f"{self.running} running"]
        if self.failed:
            parts.append(f"{self.failed} failed")
        if self._running:
            parts.append(", ".join(self.steps()))
        text = "  ".join(parts)
        return text if len(text) <= width else text[: max(0, width - 1)] + "…"


class LiveLine:
    """Keeps the status of `progress` below everything that is written through `take`. Only for terminals."""

    def __init__(self, stream: IO[str], progress: Progress) -> None:
        self._progress = progress
        self._stream = stream
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._shown = ""
        self._drawn = 0.0

    def start(self) -> None:
        """Begin to draw; a thread moves the clock on."""
        self._thread = threading.Thread(target=self._tick, name="headrace-live", daemon=True)
        self._thread.start()

    def take(self, event: Event, lines: Sequence[str]) -> None:
        """Count `event` and write `lines` above the status."""
        with self._lock:
            self._progress.take(event)
            if lines:
                erase, self._shown = (_ERASE if self._shown else ""), ""
                # of many lines that come at once, only some are followed by the status; the thread draws it below the last
                fresh = self._status() if time.monotonic() - self._drawn >= _PERIOD else ""
                self._put(erase + "".join(lines), fresh)

    def close(self) -> None:
        """Erase the status for good."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        with self._lock:
            if self._shown:
                self._put(_ERASE, "")
                self._shown = ""

    def _tick(self) -> None:
        while not self._stop.wait(_PERIOD):
            with self._lock:
                status = self._status()
                if status != self._shown:
                    self._put(_ERASE if self._shown else "", status)

    def _put(self, text: str, status: str) -> None:
        put(self._stream, text + status)
        if status:
            self._shown = status
            self._drawn = time.monotonic()

    def _status(self) -> str:
        if self._thread is None or self._stop.is_set():
            return ""
        try:
            width = os.get_terminal_size(self._stream.fileno()).columns
        except (OSError, ValueError):
            width = 80
        # one column stays free: a full line would make some terminals wrap
        return f"\x1b[2m{self._progress.line(time.time(), width - 1)}\x1b[0m"
