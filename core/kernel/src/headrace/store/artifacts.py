"""A task's artifacts: values in, one commit record and at most one pack of bytes out, and back. Knows nothing of flows' code."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from itertools import accumulate
from typing import Any, Final, NamedTuple

from headrace_hookspecs.datastore import BlobStore, Buffer
from headrace_hookspecs.errors import NotFoundError

from .content import chunk_digests, corrupt, flat, get_range, put_contents
from .elements import element, pages
from .keys import blob_key
from .record import Record, encode_record, trusted
from .serializers import SerializerSet

INLINE_VALUE: Final = 16 * 1024
"""Values of at most this many bytes may be in the record itself."""

INLINE_TOTAL: Final = 128 * 1024
"""The record holds at most this many bytes of values."""

OWN_BLOB: Final = 64 * 1024 * 1024
"""A value of more bytes than this has a blob of its own; everything between goes into one pack."""

Where = list[Any]


class Entry(NamedTuple):
    """One artifact as the record has it. `type` is for people; `where` is `["i", offset, size]` or `["b", digest, offset, size, chunks]`."""

    serializer: str
    type: str
    size: int
    where: Where
    meta: dict[str, Any] | None = None


class ArtifactReader:
    """Opens what one record refers to. Nothing is read before it is asked for; every byte handed out was verified."""

    def __init__(self, record: Record, blobs: BlobStore, serializers: SerializerSet) -> None:
        self.record: Final = record
        self._blobs: Final = blobs
        self._serializers: Final = serializers
        self._table: Final[Mapping[str, Any]] = record.header.get("artifacts", {})

    def names(self) -> list[str]:
        """The names of all artifacts, in the order in which they were stored."""
        return list(self._table)

    def has(self, name: str) -> bool:
        """Whether the task stored that artifact."""
        return name in self._table

    def entry(self, name: str) -> Entry:
        """Type, size and place of an artifact, without reading it. Raises NotFoundError."""
        row = self._table.get(name)
        if row is None:
            raise NotFoundError(f"{self.record.pathspec} has no artifact {name!r}.", code="artifact-not-found")
        return trusted(self.record.key, lambda: Entry(*row))

    def load(self, name: str) -> Any:
        """The value, made anew by every call. Raises NotFoundError, CorruptDataError, SerializationError."""
        entry = self.entry(name)
        what = f"{self.record.pathspec}/{name}"
        return self._serializers.load(entry.serializer, self._read(entry.where, what), entry.meta, what)

    def read(self, name: str) -> memoryview:
        """The artifact's serialised bytes, verified."""
        return self._read(self.entry(name).where, f"{self.record.pathspec}/{name}")

    def same(self, name: str, other: ArtifactReader) -> bool:
        """Whether the artifact of that name has the same serialised bytes in both, without loading it."""
        return self.has(name) and other.has(name) and self._identity(name) == other._identity(name)

    @property
    def size(self) -> int:
        """How many children the task's foreach split has; 0 where it does not split."""
        return int(self.record.header.get("foreach", {}).get("size", 0))

    def element(self, index: int) -> Any:
        """The foreach element of child `index`: one ranged read."""
        what = f"element {index} of {self.record.pathspec}"
        if not 0 <= index < self.size:
            raise NotFoundError(f"There is no {what}.", code="element-not-found")
        table = trusted(self.record.key, lambda: [(number, where) for number, where in self.record.header["foreach"]["pages"]])
        starts = list(accumulate((number for number, _ in table), initial=0))
        at = bisect_right(starts, index) - 1
        serializer, data, meta = element(self._read(table[at][1], what), index - starts[at], self.record.key)
        return self._serializers.load(serializer, data, meta, what)

    def _read(self, where: Where, what: str) -> memoryview:
        key = self.record.key
        if trusted(key, lambda: where[0]) == "i":
            offset, size = trusted(key, lambda: (int(where[1]), int(where[2])))
            # copied: a view would keep the whole record in memory for as long as the value lives
            data = memoryview(bytes(self.record.inline[offset : offset + size]))
            if len(data) != size:
                raise corrupt(self._blobs, key, what)
            return data
        digest, offset, size, chunks = trusted(key, lambda: (str(where[1]), int(where[2]), int(where[3]), list(where[4])))
        return get_range(self._blobs, blob_key(self.record.flow, digest), offset, size, chunks, what)

    def _identity(self, name: str) -> tuple[Any, ...]:
        entry = self.entry(name)
        if entry.where[0] == "b":
            chunks = entry.where[4]
        else:
            data = self._read(entry.where, name)
            chunks = [sha256(data).hexdigest()] if len(data) else []
        return entry.serializer, entry.size, entry.meta, chunks


class ArtifactWriter:
    """Collects what a task stores. `put`, `carry` and `store_elements` in any order, then `finish` once, which writes."""

    def __init__(
        self,
        blobs: BlobStore,
        serializers: SerializerSet,
        flow: str,
        step: str,
        *,
        inline_value: int = INLINE_VALUE,
        inline_total: int = INLINE_TOTAL,
    ) -> None:
        self._blobs = blobs
        self._serializers = serializers
        self._flow = flow
        self._step = step
        self._inline_value = inline_value
        self._inline_room = inline_total
        self._artifacts: dict[str, list[Any]] = {}
        self._foreach: dict[str, Any] | None = None
        self._inline: list[Buffer] = []
        self._inline_size = 0
        self._pack: list[Buffer] = []
        self._pack_size = 0
        self._packed: list[Where] = []
        self._own: list[tuple[Where, Sequence[Buffer]]] = []

    def put(self, name: str, value: object, previous: ArtifactReader | None = None) -> None:
        """Serialise and keep a value. Where `previous` has the very same bytes they are referred to and not written again.

        Raises SerializationError. The value's memory must not change before `finish`.
        """
        serializer, dumped, kind = self._serializers.dump(value, self._step, name)
        size, chunks = chunk_digests(dumped.buffers)
        where = None
        if previous is not None and size > self._inline_value and previous.has(name):
            before = previous.entry(name)
            if (before.size, before.where[-1]) == (size, chunks) and previous.record.flow == self._flow:
                where = before.where
        self._add(name, serializer, kind, size, where or self._place(dumped.buffers, size, chunks), dumped.meta)

    def carry(self, name: str, reader: ArtifactReader) -> None:
        """Keep an artifact of an earlier task of this flow as it is: inline bytes are copied, all others referred to. Loads nothing."""
        entry = reader.entry(name)
        where = entry.where
        if where[0] == "i":
            data = reader.read(name)
            where = self._place([data], *chunk_digests([bytes(data)]))
        self._add(name, entry.serializer, entry.type, entry.size, where, entry.meta)

    def store_elements(self, elements: Iterable[object], name: str = "foreach") -> int:
        """Keep the elements of the foreach that the task splits into; how many there are. `name` is the artifact that they come from."""
        count, table = 0, []

        def dumped() -> Iterable[tuple[str, list[Buffer], dict[str, Any] | None]]:
            for index, value in enumerate(elements):
                serializer, out, _ = self._serializers.dump(value, self._step, f"{name}[{index}]")
                yield serializer, list(out.buffers), out.meta

        for number, buffers in pages(dumped()):
            table.append([number, self._place(buffers, *chunk_digests(buffers))])
            count += number
        self._foreach = {"size": count, "pages": table}
        return count

    def finish(self, header: Mapping[str, Any]) -> bytes:
        """Write all bytes that are not in the record, then give the record's: `header` with the artifacts. Raises the store errors."""
        contents = [buffers for _, buffers in self._own]
        if self._pack:
            contents.append(self._pack)
        if contents:
            digests = put_contents(self._blobs, self._flow, contents)
            for (where, _), digest in zip(self._own, digests, strict=False):
                where[1] = digest
            for where in self._packed:
                where[1] = digests[-1]
        full = {**header, "artifacts": self._artifacts}
        if self._foreach is not None:
            full["foreach"] = self._foreach
        return encode_record(full, self._inline)

    def _add(self, name: str, serializer: str, kind: str, size: int, where: Where, meta: dict[str, Any] | None) -> None:
        self._artifacts[name] = [serializer, kind, size, where] if meta is None else [serializer, kind, size, where, meta]

    def _place(self, buffers: Sequence[Buffer], size: int, chunks: list[str]) -> Where:
        """Decide where bytes go; the digest of a blob is filled in by `finish`, when it is known."""
        if size <= self._inline_value and size <= self._inline_room:
            where: Where = ["i", self._inline_size, size]
            self._inline.extend(map(flat, buffers))
            self._inline_size += size
            self._inline_room -= size
        elif size > OWN_BLOB:
            where = ["b", "", 0, size, chunks]
            self._own.append((where, buffers))
        else:
            where = ["b", "", self._pack_size, size, chunks]
            self._packed.append(where)
            self._pack.extend(buffers)
            self._pack_size += size
        return where
