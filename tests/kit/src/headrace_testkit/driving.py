"""Drives a launcher as a scheduler does: launches, waits on its descriptor, collects events. No sleeps; every wait has an end."""

from __future__ import annotations

import json
import os
import select
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from headrace_hookspecs import LaunchContext, Launcher, LaunchEvent, StepNode, TaskEntry, TaskSpec

PATIENCE = 60.0
"""Seconds after which a wait is a failure. Far above what anything takes; a slow machine must not fail a test."""


class Ended(NamedTuple):
    """One attempt as its events tell it: output and messages joined, and the event that was last."""

    key: str
    stdout: bytes
    stderr: bytes
    messages: Sequence[Any]
    last: LaunchEvent
    kinds: Sequence[str]


class Driver:
    """A launcher in use. `seen` holds all events so far, in order."""

    def __init__(self, launcher: Launcher) -> None:
        self.launcher = launcher
        self.seen: list[LaunchEvent] = []
        self._serial = 0

    def open(self, entry: TaskEntry, cwd: str, environ: Mapping[str, str] | None = None, context: bytes = b"context") -> None:
        """Prepare and open."""
        self.launcher.prepare(entry)
        self.launcher.open(LaunchContext(entry, context, environ or {}, cwd, 8))

    def launch(self, *steps: str | StepNode) -> list[str]:
        """Launch one attempt for each step, in one call; returns their keys."""
        nodes = [step if isinstance(step, StepNode) else StepNode(step, "linear") for step in steps]
        specs = []
        for node in nodes:
            self._serial += 1
            specs.append(TaskSpec("Scripted", "run-1", node.name, (self._serial,), limit=100))
        self.launcher.launch(specs, nodes)
        return [spec.key for spec in specs]

    def run(self, *steps: str | StepNode) -> list[Ended]:
        """Launch and wait for the ends."""
        keys = self.launch(*steps)
        return [self.ended(key) for key in keys]

    def one(self, step: str | StepNode) -> Ended:
        """Launch one attempt and wait for its end."""
        return self.run(step)[0]

    def ended(self, key: str) -> Ended:
        """Wait for the attempt's end."""
        self.until(lambda: self.is_over(key), f"the end of {key}")
        return self.so_far(key)

    def is_over(self, key: str) -> bool:
        """Whether the last event of the attempt was there."""
        return any(event.kind in ("exited", "lost") for event in self.of(key))

    def of(self, key: str) -> list[LaunchEvent]:
        """The attempt's events."""
        return [event for event in self.seen if event.key == key]

    def so_far(self, key: str) -> Ended:
        """What the attempt's events say by now."""
        events = self.of(key)
        out, err = (b"".join(event.data for event in events if event.stream == name) for name in ("stdout", "stderr"))
        messages = [json.loads(event.data) for event in events if event.kind == "message"]
        return Ended(key, out, err, messages, events[-1], [event.kind for event in events])

    def message(self, key: str, number: int = 0) -> Any:
        """Wait for the attempt's message `number` (from 0)."""
        self.until(lambda: len(self.so_far(key).messages) > number if self.of(key) else False, f"message {number} of {key}")
        return self.so_far(key).messages[number]

    def reply(self, key: str, **message: Any) -> None:
        """Answer on the attempt's channel."""
        self.launcher.reply(key, json.dumps(message).encode())

    def until(self, true: Callable[[], bool], what: str) -> None:
        """Take events in until `true()`."""
        deadline = time.monotonic() + PATIENCE
        while not true():
            left = deadline - time.monotonic()
            assert left > 0, f"waited {PATIENCE:.0f} s for {what}; seen: {[event[:2] for event in self.seen][-20:]}"
            ready, _, _ = select.select([self.launcher.fileno()], [], [], left)
            if ready:
                self.seen += self.launcher.events()


def is_there(pid: int) -> bool:
    """Whether there is such a process, be it a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class Watched:
    """A process whose end can be waited for although it is not a child; made while it runs (Linux)."""

    def __init__(self, pid: int) -> None:
        self._descriptor = os.pidfd_open(pid)

    def ended(self) -> bool:
        """Wait for its end; False if that does not come."""
        try:
            return bool(select.select([self._descriptor], [], [], PATIENCE)[0])
        finally:
            os.close(self._descriptor)
