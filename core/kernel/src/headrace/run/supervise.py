"""One attempt from the outside: its output, its secrets, its deadlines, its end. Supervises by events; starts and kills nothing itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from headrace_hookspecs import Failure, LaunchEvent, Outcome, StepNode, TaskSpec
from headrace_hookspecs.task import NEVER_RETRY

from ..store import logs
from .output import Lines, Redactor

CHUNK: Final = 1 << 20
FLUSH_FIRST, FLUSH_LAST = 5.0, 60.0
TRUNCATED: Final = b"[TRUNCATED - MAXIMUM LOG SIZE REACHED]"

OnLine = Callable[["Supervised", str, bytes, float], None]
Flush = Callable[["Supervised", int, bytes], None]


class Supervised:
    """An attempt that runs. `outcome` is what the task reported, `deadline` when it is killed (monotonic seconds, None: never)."""

    __slots__ = (
        "_buffer", "_chunk", "_delay", "_flush", "_limit", "_line", "_lines", "_logged", "_redactor", "_size",
        "cancelled", "deadline", "flush_at", "forced_at", "launcher", "node", "outcome", "pid", "record", "report", "spec", "started",
        "timed_out", "usage",
    )  # fmt: skip

    def __init__(self, spec: TaskSpec, node: StepNode, launcher: str, started: float, limit: int, line: OnLine, flush: Flush) -> None:
        self.spec = spec
        self.node = node
        self.launcher = launcher
        self.started = started
        self.pid: int | None = None
        self.outcome: Outcome | None = None
        self.report: dict[str, Any] = {}
        self.record: bytes | None = None
        self.usage: dict[str, float] = {}
        self.cancelled = False
        self.timed_out = False
        self.forced_at: float | None = None
        self.deadline: float | None = None
        if node.timeout is not None:
            self.deadline = started + node.timeout.soft + node.timeout.grace
        self.flush_at: float | None = None
        self._delay = FLUSH_FIRST
        self._redactor = Redactor()
        self._lines = {name: Lines(self._redactor) for name in ("stdout", "stderr")}
        self._buffer: list[bytes] = []
        self._size = 0
        self._logged = 0
        self._chunk = 0
        self._limit = limit
        self._line = line
        self._flush = flush

    def output(self, event: LaunchEvent, now: float) -> None:
        """Take raw bytes of one of the streams."""
        self._log(event.stream, self._lines[event.stream].feed(event.data), event.time, now)

    def message(self, event: LaunchEvent) -> bytes | None:
        """Take a line of the task's channel; the answer to send, if it wants one."""
        try:
            return self._understood(json.loads(event.data))
        except (ValueError, KeyError, TypeError, AttributeError):
            return None  # the channel belongs to us, yet user code can find and scribble on it

    def _understood(self, message: dict[str, Any]) -> bytes | None:
        kind = message["type"]
        if kind == "redact":
            self._redactor.add(str(message["value"]))
            return b'{"ok": true}'
        if kind == "outcome":
            self.outcome = Outcome.from_json(message["outcome"])
            self.report = message
        elif kind == "record":
            import binascii

            self.record = binascii.a2b_base64(message["data"])
        return None

    def exited(self, event: LaunchEvent, now: float) -> None:
        """The process is gone: let out what is left of its output."""
        self.usage = dict(event.usage or {})
        for stream, lines in self._lines.items():
            self._log(stream, lines.end(), event.time, now)
        self.flush()

    def say(self, text: str, time: float, now: float) -> None:
        """Add a line of our own to the attempt's log."""
        self._log("system", [text.encode()], time, now)

    def failure(self, event: LaunchEvent) -> Failure:
        """Why the process ended without a reported outcome."""
        if self.timed_out and self.node.timeout is not None:
            text = f"Step {self.spec.step} was killed {self.node.timeout.grace:g} s after its timeout of {self.node.timeout.soft:g} s."
            return Failure("timeout", text, signal=event.signal)
        if self.cancelled:
            return Failure("cancelled", "The attempt was cancelled.", signal=event.signal, exit_code=event.exit_code)
        if event.kind == "lost":
            return Failure("lost", "The process that supervised the attempt died.")
        if event.oom:
            return Failure("oom", "The task was killed because it ran out of memory.", signal=event.signal)
        if event.signal is not None:
            text = "The task crashed with a segmentation fault." if event.signal == 11 else f"The task was killed by signal {event.signal}."
            return Failure("signal", text, signal=event.signal)
        code = event.exit_code or 0
        text = f"The process ended with exit status {code} before the step was finished."
        return Failure("exit", text, exit_code=code, give_up=code == NEVER_RETRY)

    def flush(self) -> None:
        """Hand on what was logged since the last chunk."""
        if self._buffer:
            self._flush(self, self._chunk, b"".join(self._buffer))
            self._chunk += 1
            self._buffer, self._size, self.flush_at = [], 0, None
            self._delay = min(self._delay * 2, FLUSH_LAST)

    def _log(self, stream: str, lines: list[bytes], time: float, now: float) -> None:
        for line in lines:
            self._line(self, stream, line, time)
            if self._logged > self._limit:
                continue
            self._logged += len(line)
            frame = logs.encode_frame(time, stream, line if self._logged <= self._limit else TRUNCATED)
            self._buffer.append(frame)
            self._size += len(frame)
            if self.flush_at is None:
                self.flush_at = now + self._delay
            if self._size >= CHUNK:
                self.flush()
