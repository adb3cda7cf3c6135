"""Writes that nobody waits for: log chunks, index entries and the run's heartbeat, on one thread beside the scheduler.

A store that is slow or gone never stops the scheduler here; what could not be written is said once and, as facts are in the datastore
already, can be indexed later.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from headrace_hookspecs import Fact, Lease, MetadataStore
from headrace_hookspecs.errors import StoreError, StoreUnavailableError

TTL: Final = 30.0
"""Seconds for which a run counts as alive after its last heartbeat; three heartbeats fit in."""

_ATTEMPTS: Final = 5


class Recorder:
    """Owns the metadata store during a run. `problem` is called with one line, at most once a kind of trouble, from this thread."""

    def __init__(self, metadata: MetadataStore, lease: Lease | None, problem: Callable[[str], None]) -> None:
        self._metadata = metadata
        self._lease = lease
        self._problem = problem
        self._said: set[str] = set()
        self._queue: queue.SimpleQueue[Callable[[], None] | Fact | None] = queue.SimpleQueue()
        self._beat = time.monotonic() + TTL / 3
        self._thread = threading.Thread(target=self._work, name="headrace-recorder", daemon=True)
        self._thread.start()

    def facts(self, facts: Sequence[Fact]) -> None:
        """Index these facts soon; facts that come close together share a transaction."""
        for fact in facts:
            self._queue.put(fact)

    def write(self, action: Callable[[], None]) -> None:
        """Run `action` soon, in order with everything else."""
        self._queue.put(action)

    def close(self) -> None:
        """Everything is written when this returns."""
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        ending = False
        while not ending:
            batch: list[Fact] = []
            actions: list[Callable[[], None]] = []
            try:
                item = self._queue.get(timeout=max(0.0, self._beat - time.monotonic()))
                while True:
                    if item is None:
                        ending = True
                    elif isinstance(item, Fact):
                        batch.append(item)
                    else:
                        actions.append(item)
                    item = self._queue.get_nowait()
            except queue.Empty:
                pass
            for action in actions:
                self._try(action)
            if batch:
                self._try(lambda facts=batch: self._metadata.record(facts))  # type: ignore[misc]
            if self._lease is not None and time.monotonic() >= self._beat:
                self._try(self._renew)
                self._beat = time.monotonic() + TTL / 3
            elif self._lease is None:
                self._beat = time.monotonic() + TTL

    def _renew(self) -> None:
        if self._lease is not None:
            self._lease = self._metadata.renew(self._lease, TTL, now=time.time())
            if self._lease is None:
                raise StoreError("The run's lease was taken over by another process.", code="lease-lost")

    def _try(self, action: Callable[[], None]) -> None:
        for attempt in range(_ATTEMPTS):
            try:
                action()
                return
            except StoreUnavailableError as error:
                if attempt == _ATTEMPTS - 1:
                    self._say(error)
                time.sleep(0.1 * 2**attempt)
            except StoreError as error:
                self._say(error)
                return

    def _say(self, error: StoreError) -> None:
        if error.code not in self._said:
            self._said.add(error.code)
            self._problem(f"{error.message} Logs or index entries of this run are incomplete; its artifacts are not affected.")

    @property
    def lease(self) -> Lease | None:
        """The lease as last renewed; None if it was lost or never held."""
        return self._lease
