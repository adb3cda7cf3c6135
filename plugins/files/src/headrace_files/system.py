"""Small things that the os module leaves to do: writing buffers whole, reading ranges of any size, deleting what may be gone. No keys."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

from headrace_hookspecs.datastore import Buffer

_BATCH: Final = 512  # buffers a call; the systems take at least 1024
_PIECE: Final = 1 << 30  # bytes a call; Linux cuts at 2 GiB


def sweep(folder: str, before: float) -> None:
    """Delete what processes that were killed left half-written in `folder`, if it was last changed before `before`."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name != ".lock" and entry.stat(follow_symlinks=False).st_mtime < before:
                    unlink(entry.path)
    except OSError:
        pass  # not there yet, or somebody else sweeps


def read(descriptor: int, offset: int, end: int) -> bytes:
    """The bytes of an open file from `offset` to `end`, which may be behind its end."""
    if end - offset <= _PIECE:
        return os.pread(descriptor, end - offset, offset) if end > offset else b""
    pieces = []
    while offset < end:
        pieces.append(os.pread(descriptor, min(_PIECE, end - offset), offset))
        if not pieces[-1]:
            break
        offset += len(pieces[-1])
    return b"".join(pieces)


def write_all(descriptor: int, buffers: Sequence[Buffer]) -> None:
    """Write the buffers one after the other, without joining them."""
    for start in range(0, len(buffers), _BATCH):
        rest = [_flat(buffer) for buffer in reversed(buffers[start : start + _BATCH])]
        while rest:
            written = os.writev(descriptor, rest[::-1])
            while rest and written >= len(rest[-1]):
                written -= len(rest.pop())
            if written:
                rest[-1] = rest[-1][written:]


def _flat(buffer: Buffer) -> memoryview:
    view = memoryview(buffer)
    return view.cast("B") if view.nbytes else memoryview(b"")


def unlink(path: str) -> bool:
    """Delete a file if that can be done; whether it was."""
    try:
        os.unlink(path)
        return True
    except OSError:
        return False


def rmdir(path: str) -> bool:
    """Delete a folder if it is empty; whether it was."""
    try:
        os.rmdir(path)
        return True
    except OSError:
        return False


def sync(folder: str) -> None:
    """Have the names in a folder on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
