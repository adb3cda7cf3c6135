"""Group `headrace.metadata`: an index of facts, plus liveness.

Facts live in the datastore; the index only makes them quick to find and can be rebuilt from there. Leases are what cannot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from attrs import field, frozen

from .capabilities import Capability


@frozen
class Fact:
    """One thing that is known for ever. `kind`: run, attempt, commit, end or tags; the five names and `kind` with `number` are its key.

    `step` and `task` are empty for facts of a run; `number` is the attempt, or the sequence number of an end or tag change. `time` is
    seconds since the epoch. `data` is a JSON object.
    """

    kind: str
    flow: str
    run: str
    step: str = ""
    task: str = ""
    number: int = 0
    time: float = 0.0
    data: Mapping[str, Any] = field(factory=dict)


class Query(NamedTuple):
    """Which facts: every field that is not None must be equal. Oldest first with `ascending`, ties by key; else the exact reverse of that."""

    kind: str | None = None
    flow: str | None = None
    run: str | None = None
    step: str | None = None
    task: str | None = None
    since: float | None = None
    ascending: bool = False


class Page(NamedTuple):
    """A piece of an answer and, where there is more, the opaque cursor that continues it."""

    facts: Sequence[Fact]
    cursor: str | None = None


class Lease(NamedTuple):
    """The right to act for `name` until `expires` (seconds since the epoch). `fence` grows with each new holder and never repeats."""

    name: str
    owner: str
    fence: int
    expires: float
    note: str = ""


class MetadataStore(Protocol):
    """The index and the leases. Safe to use from several processes; raises the store errors of `headrace_hookspecs.errors`."""

    capabilities: frozenset[Capability]

    @property
    def location(self) -> str:
        """Where the records are, for people, without credentials."""

    def record(self, facts: Sequence[Fact]) -> None:
        """Store all or none of them. A fact whose key is known already is left as it was (facts never change)."""

    def find(self, query: Query, *, limit: int = 1000, cursor: str | None = None) -> Page:
        """At most `limit` matching facts and the cursor for more."""

    def flows(self) -> Sequence[str]:
        """The names of all flows with at least one run, sorted."""

    def acquire(self, name: str, owner: str, ttl: float, *, now: float, note: str = "") -> Lease | None:
        """Take the lease if it is free, expired or the owner's own; None if another holds it.

        Raises MissingCapabilityError in a store without LEASES.
        """

    def renew(self, lease: Lease, ttl: float, *, now: float) -> Lease | None:
        """The heartbeat: prolong a lease still held by this owner and fence; None if it was lost."""

    def release(self, lease: Lease) -> None:
        """Give it back; a lease that was lost meanwhile is no error."""

    def lease(self, name: str) -> Lease | None:
        """Who holds it, expired or not; None if nobody ever did or it was released."""

    def close(self) -> None:
        """Let go of what is open."""
