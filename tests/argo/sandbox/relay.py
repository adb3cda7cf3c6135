"""Carries bytes from connections to given listening sockets to ports of this machine's loopback interface, in one thread.

The listening sockets may belong to another network namespace; the connections onward are made in this one.
"""

from __future__ import annotations

import contextlib
import selectors
import socket

_MOST = 1 << 20
_CHUNK = 1 << 16


class _End:
    """One of the two sockets of a connection, with what is still to be sent to it."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self.socket = connection
        self.other: _End = self
        self.waiting = bytearray()
        self.read_all = False
        self.told_all = False
        self.events = 0


class Relay:
    """Accepts and forwards while `run` runs."""

    def __init__(self, listeners: dict[int, socket.socket]) -> None:
        self.selector = selectors.DefaultSelector()
        self.ends: set[_End] = set()
        self.listeners = list(listeners.values())
        for port, listener in listeners.items():
            listener.setblocking(False)
            self.selector.register(listener, selectors.EVENT_READ, port)

    def run(self, until: int) -> None:
        """Forward until the descriptor `until` can be read."""
        self.selector.register(until, selectors.EVENT_READ, None)
        try:
            while True:
                for key, events in self.selector.select():
                    if key.data is None:
                        return
                    if isinstance(key.data, int):
                        self._accept(self.listeners, key.fd, key.data)
                    elif key.data in self.ends:
                        self._move(key.data, events)
        finally:
            self.close()

    def close(self) -> None:
        """Close everything."""
        for end in list(self.ends):
            self._drop(end)
        for listener in self.listeners:
            listener.close()
        self.selector.close()

    def _accept(self, listeners: list[socket.socket], descriptor: int, port: int) -> None:
        (listener,) = (each for each in listeners if each.fileno() == descriptor)
        try:
            near = listener.accept()[0]
        except OSError:
            return
        try:
            far = socket.create_connection(("127.0.0.1", port), timeout=10)
        except OSError:
            near.close()
            return
        ends = _End(near), _End(far)
        ends[0].other, ends[1].other = ends[1], ends[0]
        for end in ends:
            self.ends.add(end)
            self._watch(end)

    def _move(self, end: _End, events: int) -> None:
        try:
            if events & selectors.EVENT_WRITE and end.waiting:
                del end.waiting[: end.socket.send(end.waiting)]
            if events & selectors.EVENT_READ and not end.read_all:
                received = end.socket.recv(_CHUNK)
                end.other.waiting += received
                end.read_all = not received
        except BlockingIOError:
            pass
        except OSError:
            self._drop(end)
            return
        for each in (end, end.other):
            if each.other.read_all and not each.waiting and not each.told_all:
                each.told_all = True
                with contextlib.suppress(OSError):
                    each.socket.shutdown(socket.SHUT_WR)
        if end.told_all and end.other.told_all:
            self._drop(end)
            return
        self._watch(end)
        self._watch(end.other)

    def _watch(self, end: _End) -> None:
        wanted = (selectors.EVENT_WRITE if end.waiting else 0) | (
            0 if end.read_all or len(end.other.waiting) > _MOST else selectors.EVENT_READ
        )
        if wanted == end.events:
            return
        if not end.events:
            self.selector.register(end.socket, wanted, end)
        elif wanted:
            self.selector.modify(end.socket, wanted, end)
        else:
            self.selector.unregister(end.socket)
        end.events = wanted

    def _drop(self, end: _End) -> None:
        for each in (end, end.other):
            if each in self.ends:
                self.ends.discard(each)
                if each.events:
                    self.selector.unregister(each.socket)
                each.socket.close()
