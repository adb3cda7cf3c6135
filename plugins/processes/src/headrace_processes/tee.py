"""A standard stream that shows what is written to it where it was shown before, and hands over the bytes as well. Knows no attempt."""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _Tee(io.RawIOBase):
    """`fileno` and `isatty` are the original's: a debugger finds its terminal."""

    def __init__(self, original: TextIO, record: Callable[[bytes], None]) -> None:
        self._original = original
        self._record = record
        self._decode = codecs.getincrementaldecoder("utf-8")("backslashreplace").decode

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        bytes_ = bytes(data)
        self._record(bytes_)
        text = self._decode(bytes_)
        try:
            self._original.write(text)
        except UnicodeEncodeError:
            encoding = self._original.encoding
            self._original.write(text.encode(encoding, "backslashreplace").decode(encoding))
        self._original.flush()
        return len(bytes_)

    def fileno(self) -> int:
        return self._original.fileno()

    def isatty(self) -> bool:
        return self._original.isatty()


def tee(original: TextIO, record: Callable[[bytes], None]) -> io.TextIOWrapper:
    """A text stream for `sys.stdout` or `sys.stderr`; holds nothing back, can print anything."""
    raw = _Tee(original, record)
    return io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", write_through=True)  # type: ignore[arg-type]
