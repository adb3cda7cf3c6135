"""How a launcher and its zygote talk: lines of JSON over a stream socket, in one direction with descriptors beside them. No meaning here."""

from __future__ import annotations

import json
import socket as _socket
from array import array
from collections.abc import Iterable, Mapping, Sequence
from socket import CMSG_SPACE, SCM_RIGHTS, SOL_SOCKET, socket
from typing import Any

_CLOEXEC: int = getattr(_socket, "MSG_CMSG_CLOEXEC", 0)  # not on macOS

MAX_FDS = 240
"""Descriptors in one message; Linux takes 253."""

_ROOM = CMSG_SPACE(MAX_FDS * array("i").itemsize)


class Lines:
    """Cuts a stream of bytes into lines; keeps the unfinished one."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Sequence[bytes]:
        """The lines that `data` completes, without their ends."""
        self._rest += data
        if b"\n" not in data:
            return ()
        *lines, rest = bytes(self._rest).split(b"\n")
        self._rest = bytearray(rest)
        return lines


def encode(message: Mapping[str, Any]) -> bytes:
    """One line."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def send(control: socket, data: bytes, fds: Sequence[int] = ()) -> None:
    """Send all of `data`, its descriptors (at most MAX_FDS) with the first byte. Blocks while the other side is busy."""
    if fds:
        data = data[control.sendmsg([data], [(SOL_SOCKET, SCM_RIGHTS, array("i", fds))]) :]
    control.sendall(data)


def receive(control: socket, flags: int) -> tuple[bytes, Iterable[int]]:
    """What has come, at most 64 KiB, and the descriptors that came with it, close-on-exec. No bytes: the other side is gone."""
    data, ancillary, _, _ = control.recvmsg(65536, _ROOM, flags | _CLOEXEC)
    fds = array("i")
    for level, kind, payload in ancillary:
        if level == SOL_SOCKET and kind == SCM_RIGHTS:
            fds.frombytes(payload[: len(payload) - len(payload) % fds.itemsize])
    return data, fds
