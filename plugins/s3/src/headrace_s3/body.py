"""Several buffers as the body of a request, read without joining them. Knows no request."""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, Final

from headrace_hookspecs.datastore import Buffer

_SMALL: Final = 1 << 20  # bytes that are joined: cheaper than being read piece by piece


def flat(buffers: Sequence[Buffer]) -> list[memoryview]:
    """The buffers as views of single bytes, without the empty ones."""
    return [view.cast("B") for buffer in buffers if (view := memoryview(buffer)).nbytes]


def body_of(views: Sequence[memoryview]) -> bytes | Views:
    """What the SDK sends: bytes where the data is small or in one piece of them, else a file that reads the views."""
    if sum(map(len, views)) <= _SMALL:
        return b"".join(views)
    whole = views[0].obj
    if len(views) == 1 and type(whole) is bytes and len(whole) == len(views[0]):
        return whole
    return Views(views)


def cut(views: Sequence[memoryview], size: int) -> list[list[memoryview]]:
    """The views as parts of `size` bytes, the last one smaller; no byte is copied."""
    parts: list[list[memoryview]] = []
    room = 0
    for view in views:
        while len(view):
            if not room:
                parts.append([])
                room = size
            piece, view = view[:room], view[room:]
            parts[-1].append(piece)
            room -= len(piece)
    return parts


class Views(io.RawIOBase):
    """A file in memory over several views; it can be read again, for a request that is sent again."""

    def __init__(self, views: Sequence[memoryview]) -> None:
        self._views: Final = views
        self._ends: Final = list(accumulate(map(len, views)))
        self._position = 0

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._position = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: len(self)}[whence])
        return self._position

    def readinto(self, buffer: Any) -> int:
        target = memoryview(buffer).cast("B")
        filled, at = 0, bisect_right(self._ends, self._position)
        while filled < len(target) and at < len(self._ends):
            start = self._position - (self._ends[at] - len(self._views[at]))
            piece = self._views[at][start : start + len(target) - filled]
            target[filled : filled + len(piece)] = piece
            filled += len(piece)
            self._position += len(piece)
            at += 1
        return filled
