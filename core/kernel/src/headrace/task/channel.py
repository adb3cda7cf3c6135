"""The task's end of its line to the scheduler: JSON lines over a stream socket. Without a scheduler every call is a quiet no-op."""

from __future__ import annotations

import json
import socket
import threading
from typing import Any


class Channel:
    """`descriptor` is the socket, None where nobody listens (a container, a test)."""

    def __init__(self, descriptor: int | None) -> None:
        self._socket = None if descriptor is None else socket.socket(fileno=descriptor)
        if self._socket is not None:
            self._socket.setblocking(True)
        self._lock = threading.Lock()

    @property
    def connected(self) -> bool:
        """Whether somebody listens."""
        return self._socket is not None

    def send(self, message: dict[str, Any]) -> None:
        """Tell the scheduler; one that is gone is no error, the commit record speaks for the task."""
        if self._socket is not None:
            try:
                self._socket.sendall(json.dumps(message).encode() + b"\n")
            except OSError:
                self._socket = None

    def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """Tell the scheduler and wait for its answer; empty where nobody listens."""
        with self._lock:
            self.send(message)
            answer = b""
            while self._socket is not None and not answer.endswith(b"\n"):
                piece = self._socket.recv(4096)
                if not piece:
                    self._socket = None
                answer += piece
        return json.loads(answer) if answer else {}

    def close(self) -> None:
        """The attempt is over."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
