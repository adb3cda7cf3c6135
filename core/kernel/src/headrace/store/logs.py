"""The format of logs: one frame a line, with time and stream. A chunk holds whole frames. Knows no datastore."""

from __future__ import annotations

from struct import Struct
from typing import Final, NamedTuple

from headrace_hookspecs.errors import CorruptDataError

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


class LogDecoder:
    """Frames in pieces of any size in, whole lines out."""

    def __init__(self, name: str = "log") -> None:
        self._name = name
        self._rest = b""

    def feed(self, data: bytes) -> list[LogLine]:
        """The lines that are complete now. Raises CorruptDataError."""
        data, at, lines = self._rest + data, 0, []
        while at + _FRAME.size <= len(data):
            length, time, number = _FRAME.unpack_from(data, at)
            if number not in _STREAMS:
                raise CorruptDataError(f"The log {self._name} is damaged: it has no frame where one should begin.")
            end = at + _FRAME.size + length
            if end > len(data):
                break
            lines.append(LogLine(time, _STREAMS[number], data[at + _FRAME.size : end]))
            at = end
        self._rest = data[at:]
        return lines

    def close(self) -> None:
        """Raises CorruptDataError if the data ended inside a frame."""
        if self._rest:
            raise CorruptDataError(f"The log {self._name} is damaged: it ends inside a line.")
