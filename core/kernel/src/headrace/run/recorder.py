"""Writes that nobody waits for: log chunks, index entries, the run's heartbeat and the end of its lease, on one thread beside the scheduler.

A store that is slow or gone never stops the scheduler here; what could not be written is said once and, as facts are in the datastore
already, can be indexed later.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from headrace_hookspecs import Fact, Lease, MetadataStore
from headrace_hookspecs.errors import StoreError, StoreUnavailableError

if TYPE_CHECKING:
    from ..store.leases import ObjectLeases

TTL: Final = 30.0
"""Seconds for which a run counts as alive after its last heartbeat; three heartbeats fit in."""

_PAUSES: Final = (0.1, 0.2, 0.4, 0.8)
"""Seconds between attempts to reach a store that is away."""


class Recorder:
    """Owns the metadata store during a run, and the lease that `leases` (often the same store) gave.

    `problem` is called with one line, at most once a kind of trouble, from this thread.
    """

    def __init__(
        self, metadata: MetadataStore, leases: MetadataStore | ObjectLeases, lease: Lease | None, problem: Callable[[str], None]
    ) -> None:
        self._metadata = metadata
        self._leases = leases
        self._lease = lease
        self._problem = problem
        self._said: set[str] = set()
        self._away: set[str] = set()
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
        """Everything is written, and then the lease is let go of, when this returns."""
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
                self._try("datastore", action)
                self._heartbeat()
            if batch:
                self._try("metadata", lambda facts=batch: self._metadata.record(facts))  # type: ignore[misc]
            self._heartbeat()
        self._try("metadata", self._release)

    def _heartbeat(self) -> None:
        if time.monotonic() >= self._beat:
            self._beat = time.monotonic() + TTL / 3
            self._try("metadata", self._renew)

    def _renew(self) -> None:
        if self._lease is not None:
            self._lease = self._leases.renew(self._lease, TTL, now=time.time())
            if self._lease is None:
                raise StoreError("The run's lease was taken over by another process.", code="lease-lost")

    def _release(self) -> None:
        if self._lease is not None:
            self._leases.release(self._lease)

    def _try(self, store: str, action: Callable[[], None]) -> None:
        """Do it, again and again for a while if the store is away; one that stays away is waited for once, not by everything there is to write."""
        for pause in (*([] if store in self._away else _PAUSES), None):
            try:
                action()
                self._away.discard(store)
                return
            except StoreUnavailableError as error:
                if pause is None:
                    self._away.add(store)
                    self._say(error)
                else:
                    time.sleep(pause)
            except StoreError as error:
                self._say(error)
                return
            except Exception as error:  # noqa: BLE001 - a store of somebody else's; this thread has to outlive its faults
                self._say(StoreError(f"The {store} failed: {type(error).__name__}: {error}.", code="plugin-broken"))
                return

    def _say(self, error: StoreError) -> None:
        if error.code not in self._said:
            self._said.add(error.code)
            self._problem(f"{error.message} Logs or index entries of this run are incomplete; its artifacts are not affected.")
