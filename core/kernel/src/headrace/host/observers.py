"""Tells events to plugins that watch. Each has a thread and a queue of its own, so neither a slow nor a broken one can hurt the run."""

from __future__ import annotations

import time
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from headrace_hookspecs.events import Event

STRIKES: Final = 3
BACKLOG: Final = 10_000


class Observer:
    """One plugin's `headrace_on_event`. `call` delivers an event, `say` prints a line for the user."""

    def __init__(self, name: str, call: Callable[[Event], object], say: Callable[[str], None]) -> None:
        self._name: Final = name
        self._call: Final = call
        self._say: Final = say
        self._queue: Final[SimpleQueue[Event | None]] = SimpleQueue()
        self._thread: Thread | None = None
        self._strikes = 0
        # three counters with one writing thread each need no lock
        self._told = self._taken = self._dropped = 0

    def tell(self, event: Event) -> None:
        """Hand over an event; returns at once. With 10,000 events open the new one is dropped and counted."""
        if self._strikes >= STRIKES:
            return
        if self._told - self._taken >= BACKLOG:
            self._dropped += 1
            return
        if self._thread is None:
            self._thread = Thread(target=self._deliver, name=f"headrace-observer-{self._name}", daemon=True)
            self._thread.start()
        self._told += 1
        self._queue.put(event)

    def close(self, deadline: float) -> None:
        """Let the plugin take what is waiting, until `deadline` (of `time.monotonic`) at the latest; one that does not is off."""
        if self._thread is None:
            return
        self._queue.put(None)
        self._thread.join(max(0.0, deadline - time.monotonic()))
        missed = self._dropped + self._told - self._taken
        if self._thread.is_alive():
            self._strikes = STRIKES
        self._thread, self._dropped = None, 0
        if missed:
            self._say(f"The plugin {self._name!r} is too slow: it did not take {missed} event{'s' * (missed > 1)}.")

    def _deliver(self) -> None:
        while (event := self._queue.get()) is not None:
            try:
                if self._strikes < STRIKES:
                    self._call(event)
            except BaseException as error:  # noqa: BLE001 - an observer that raises SystemExit must not end anything either
                self._strikes += 1
                if self._strikes == 1:
                    cause = f"{type(error).__name__}: {error}"
                    self._say(f"The plugin {self._name!r} failed in headrace_on_event: {cause}. The run goes on.")
                elif self._strikes == STRIKES:
                    self._say(f"The plugin {self._name!r} failed {STRIKES} times and gets no more events.")
            self._taken += 1
