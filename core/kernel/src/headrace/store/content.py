"""Content addressing: bytes go in under their hash, and come out verified, chunk by chunk, or not at all."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

from headrace_hookspecs.datastore import BlobRange, BlobStore, Buffer
from headrace_hookspecs.errors import CorruptDataError

from .keys import blob_key

CHUNK: Final = 1 << 20
"""Bytes that are hashed together; whoever reads a range verifies whole chunks of it."""

_LOOK: Final = 1 << 20
"""A blob of this size is looked for before it is written."""

_FRESH: Final = 24 * 3600.0
"""Seconds after which a blob that exists is written again all the same, so that no collector takes it for abandoned."""


def flat(buffer: Buffer) -> memoryview:
    """A buffer as a view of single bytes."""
    view = memoryview(buffer)
    return view.cast("B") if view.nbytes else memoryview(b"")


def chunk_digests(buffers: Sequence[Buffer]) -> tuple[int, list[str]]:
    """The size of the joined buffers and the hex SHA-256 of each chunk of them; an empty value has no chunk."""
    if len(buffers) == 1 and isinstance(buffers[0], bytes) and 0 < len(buffers[0]) <= CHUNK:
        return len(buffers[0]), [sha256(buffers[0]).hexdigest()]
    size, room, digests, digest = 0, CHUNK, [], sha256()
    for buffer in buffers:
        view = flat(buffer)
        size += len(view)
        while len(view):
            piece, view = view[:room], view[room:]
            digest.update(piece)
            room -= len(piece)
            if not room:
                digests.append(digest.hexdigest())
                room, digest = CHUNK, sha256()
    if room < CHUNK:
        digests.append(digest.hexdigest())
    return size, digests


def put_contents(blobs: BlobStore, flow: str, contents: Iterable[Sequence[Buffer]]) -> list[str]:
    """Store each content (buffers, joined) under its hash; the digests. Content that is there already, and not old, is not written."""
    named: dict[str, Sequence[Buffer]] = {}
    digests, large = [], []
    for buffers in contents:
        digest, size = sha256(), 0
        for buffer in buffers:
            view = flat(buffer)
            digest.update(view)
            size += len(view)
        digests.append(digest.hexdigest())
        key = blob_key(flow, digests[-1])
        named[key] = buffers
        if size >= _LOOK:
            large.append((key, size))
    for (key, size), stat in zip(large, blobs.stat_many([key for key, _ in large]) if large else (), strict=True):
        if stat is not None and stat.size == size and stat.modified > time.time() - _FRESH:
            named.pop(key, None)
    if named:
        blobs.put_many(named.items())
    return digests


def get_content(blobs: BlobStore, flow: str, digest: str) -> bytes:
    """The whole content behind a digest. Raises CorruptDataError."""
    key = blob_key(flow, digest)
    (data,) = blobs.get_many([BlobRange(key)])
    if data is None:
        raise missing(blobs, key, "The content")
    if sha256(data).hexdigest() != digest:
        raise corrupt(blobs, key, "The content")
    return data


def get_range(blobs: BlobStore, key: str, offset: int, size: int, chunks: Sequence[str], what: str) -> memoryview:
    """A range of a blob, every chunk of it verified; `what` names it in errors. Raises CorruptDataError."""
    (data,) = blobs.get_many([BlobRange(key, offset, size)])
    if data is None:
        raise missing(blobs, key, what)
    view = memoryview(data).toreadonly()
    if not verified(view, size, chunks):
        raise corrupt(blobs, key, what)
    return view


def verified(view: memoryview, size: int, chunks: Sequence[str]) -> bool:
    """Whether these are the `size` bytes whose chunks have these digests."""
    if len(view) != size or len(chunks) != -(-size // CHUNK):
        return False
    return all(sha256(view[at * CHUNK : (at + 1) * CHUNK]).hexdigest() == digest for at, digest in enumerate(chunks))


def missing(blobs: BlobStore, key: str, what: str) -> CorruptDataError:
    """The error for bytes that a record refers to and that are not there."""
    return CorruptDataError(
        f"{what} is not in the datastore any more: {key} in {blobs.location} does not exist.",
        code="data-missing",
        remedy="Restore it from a backup, or run the task again: `flow resume` from its step.",
    )


def corrupt(blobs: BlobStore, key: str, what: str) -> CorruptDataError:
    """The error for bytes that are not what was written."""
    return CorruptDataError(
        f"{what} is damaged: the bytes of {key} in {blobs.location} do not match their hash.",
        remedy="Restore it from a backup, or run the task again: `flow resume` from its step.",
    )
