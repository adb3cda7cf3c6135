"""The format of logs: one frame a line, with time and stream. A chunk holds whole frames and their hash. Knows no datastore."""

from __future__ import annotations

from hashlib import sha256
from struct import Struct, error
from typing import Final, NamedTuple

from headrace_hookspecs.errors import CorruptDataError

from .record import refuse_newer

MAGIC: Final = b"HRLOG\x00\x01\n"
_FRAME: Final = Struct("<IdB")
_NUMBERS: Final = {"stdout": 1, "stderr": 2, "system": 3}
_STREAMS: Final = {number: name for name, number in _NUMBERS.items()}


class LogLine(NamedTuple):
    """A line of a task's output, without its newline. `stream` is stdout, stderr or system (a line of ours)."""

    time: float
    stream: str
    data: bytes

    @property
    def text(self) -> str:
        """The line for people; bytes that are no UTF-8 are shown as escapes."""
        return self.data.decode("utf-8", "backslashreplace")


def encode_frame(time: float, stream: str, data: bytes) -> bytes:
    """One line. `time` is in seconds since the epoch."""
    return _FRAME.pack(len(data), time, _NUMBERS[stream]) + data


def encode_chunk(frames: bytes) -> bytes:
    """A chunk of whole frames, as it is stored."""
    return b"".join((MAGIC, _digest(frames), frames))


def decode_chunk(data: bytes, key: str) -> list[LogLine]:
    """The lines of a chunk; `key` names it in errors. Raises CorruptDataError; StoreError where a later version wrote it."""
    magic, digest, frames = data[:8], data[8:24], data[24:]
    sound = digest == _digest(frames)
    if not sound and magic[:6] == MAGIC[:6]:
        refuse_newer(key, magic[6] if len(magic) == len(MAGIC) else 0)
    if not sound or magic != MAGIC:
        raise _corrupt(key, "it does not match its hash")
    lines, at = [], 0
    while at < len(frames):
        try:
            length, time, number = _FRAME.unpack_from(frames, at)
            stream = _STREAMS[number]
        except (error, KeyError):
            raise _corrupt(key, "it has no frame where one should begin") from None
        start, at = at + _FRAME.size, at + _FRAME.size + length
        if at > len(frames):
            raise _corrupt(key, "it ends inside a line")
        lines.append(LogLine(time, stream, frames[start:at]))
    return lines


def _digest(frames: bytes) -> bytes:
    # with the magic in it, so that the version cannot change without the hash
    return sha256(MAGIC + frames).digest()[:16]


def _corrupt(key: str, why: str) -> CorruptDataError:
    return CorruptDataError(f"The log {key} is damaged: {why}.", remedy="Restore it from a backup; artifacts are not affected.")
