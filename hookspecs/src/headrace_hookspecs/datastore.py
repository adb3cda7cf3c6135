"""Group `headrace.datastore`: where bytes go. A blob store knows keys and bytes, nothing of flows.

Keys are `/`-separated ASCII words (`A-Z a-z 0-9 . _ - =` and `/`), never starting with `/`, never holding `..` or empty words. No
word begins with a dot: those are the store's own. No key is the folder of another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from .capabilities import Capability

Buffer = bytes | bytearray | memoryview


class BlobRange(NamedTuple):
    """A piece of a blob: `length` bytes from `offset`; None is to the end. A range that goes past the end is cut there."""

    key: str
    offset: int = 0
    length: int | None = None


class BlobStat(NamedTuple):
    """A blob's key, its size in bytes and its time of last change in seconds since the epoch."""

    key: str
    size: int
    modified: float


class BlobStore(Protocol):
    """Bytes under keys. Safe to use from several threads and processes; opened lazily; a fork opens its own.

    Every method raises StoreUnavailableError (worth retrying), StoreReadOnlyError, StoreFullError or StoreError, naming key and place.
    A put is visible whole or not at all.
    """

    capabilities: frozenset[Capability]

    @property
    def location(self) -> str:
        """Where the data is, for people: a path or URL without credentials."""

    def put_many(self, items: Iterable[tuple[str, Sequence[Buffer]]]) -> None:
        """Write each (key, buffers); the blob is the buffers joined. An existing blob is replaced."""

    def put_if_absent(self, key: str, data: Sequence[Buffer]) -> bool:
        """Write unless the key exists. True if this call created it. With CONDITIONAL_PUT, exactly one of many writers gets True."""

    def get_many(self, ranges: Iterable[BlobRange]) -> Iterator[bytes | None]:
        """The bytes of each range, in order; None for a key that does not exist."""

    def stat_many(self, keys: Iterable[str]) -> Iterator[BlobStat | None]:
        """One entry for each key, in order; None for a key that does not exist."""

    def list(self, prefix: str, *, after: str = "", limit: int | None = None) -> Iterator[BlobStat]:
        """The blobs whose key starts with `prefix`, sorted by key, those after key `after` only, at most `limit`."""

    def folders(self, prefix: str) -> Iterator[str]:
        """The distinct next words below `prefix` (which ends in `/` or is empty), sorted: what `ls` would show as directories."""

    def delete_many(self, keys: Iterable[str]) -> None:
        """Delete; a key that does not exist is no error."""

    def close(self) -> None:
        """Let go of what is open. The store may not be used afterwards."""


class RemoteStore(BlobStore, Protocol):
    """What a store behind a network may have besides. Each method by itself is optional."""

    def probe(self, known: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """Ask the service what only it can tell, so that `capabilities` is final; the answer, as JSON, for the processes that follow.

        Called once a run, before anything is written. `known` is what an earlier probe returned: then nothing is asked.
        """

    def prepare(self) -> None:
        """Load whatever the first request needs, and send none: what a process has prepared, its forks need not."""
