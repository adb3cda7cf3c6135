"""From the raw bytes of a task to whole, redacted lines. Knows neither where lines go nor what they mean.

A partial line never holds anybody up: it is kept here until its newline, the size limit or the end comes.
"""

from __future__ import annotations

from typing import Final

REDACTED: Final = b"[REDACTED]"
LONGEST_LINE: Final = 64 * 1024
"""A line is cut into pieces of this many bytes, so that output without newlines cannot fill the memory."""


class Redactor:
    """The secrets of one attempt, shared by its streams."""

    __slots__ = ("secrets",)

    def __init__(self) -> None:
        self.secrets: list[bytes] = []

    def add(self, value: str) -> None:
        """Have `value` replaced from now on. Each of its lines is a secret too, as output is looked at line by line elsewhere."""
        pieces = {value, *value.splitlines()}
        self.secrets.extend(piece.encode("utf-8", "surrogatepass") for piece in pieces if len(piece) > 1)
        self.secrets.sort(key=len, reverse=True)

    def clean(self, data: bytes) -> bytes:
        """`data` with every secret replaced, longest first."""
        for secret in self.secrets:
            data = data.replace(secret, REDACTED)
        return data

    def held_back(self, data: bytes) -> int:
        """How many bytes at the end of `data` could be the beginning of a secret."""
        longest = 0
        for secret in self.secrets:
            for size in range(min(len(secret) - 1, len(data)), longest, -1):
                if data.endswith(secret[:size]):
                    longest = size
                    break
        return longest


class Lines:
    """One stream of one attempt: bytes in, lines (without their newline) out."""

    __slots__ = ("_held", "_partial", "_redactor")

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._held = b""
        self._partial = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that are complete now."""
        if self._redactor.secrets:
            data = self._redactor.clean(self._held + data)
            keep = self._redactor.held_back(data)
            self._held = data[len(data) - keep :] if keep else b""
            data = data[: len(data) - keep] if keep else data
        elif self._held:
            data, self._held = self._held + data, b""
        data = self._partial + data
        *lines, self._partial = data.split(b"\n")
        if len(data) <= LONGEST_LINE:
            return [line[:-1] if line.endswith(b"\r") else line for line in lines]
        found = []
        for line in lines:
            *pieces, last = _pieces(line)
            found += [*pieces, last.removesuffix(b"\r")]
        *pieces, self._partial = _pieces(self._partial)
        return found + pieces

    def end(self) -> list[bytes]:
        """What is left: an unterminated last line."""
        rest, self._partial, self._held = self._partial + self._held, b"", b""
        return [self._redactor.clean(rest)] if rest else []


def _pieces(line: bytes) -> list[bytes]:
    """The line in pieces of at most the longest line's size, cut between characters where it is UTF-8."""
    pieces = []
    while len(line) > LONGEST_LINE:
        at = next((at for at in range(LONGEST_LINE, LONGEST_LINE - 4, -1) if line[at] & 0xC0 != 0x80), LONGEST_LINE)
        pieces.append(line[:at])
        line = line[at:]
    return [*pieces, line]
