"""The launcher's side of all attempts: their pipes and channels, one descriptor to wait on, and the events in order.

Never blocks, and reads a bounded amount from each attempt at a time, so that one that floods its output starves no other. How processes
are started and end is told to it; it knows no process.
"""

from __future__ import annotations

import os
import selectors
import time
from collections.abc import Callable, Mapping
from socket import socket, socketpair
from typing import TYPE_CHECKING, Any, NamedTuple

from headrace_hookspecs import LaunchEvent

from .wire import Lines

if TYPE_CHECKING:
    from threading import Timer

CHUNK = 65536
"""Bytes read from one attempt at a time: what a pipe holds."""

QUIET = 0.1
"""Seconds without a byte after which the output of an ended attempt counts as complete, although somebody else still holds its pipe."""

CAP = 2.0
"""Seconds after its end at which it counts as complete even if bytes still come."""


class Exit(NamedTuple):
    """How an attempt ended. Neither code nor signal: nobody knows, it is lost."""

    code: int | None = None
    signal: int | None = None
    usage: Mapping[str, float] | None = None
    oom: bool = False


class _Attempt:
    __slots__ = ("channel", "end", "ended", "heard", "key", "lines", "listening", "pipes", "unsent")

    def __init__(self, key: str, pipes: dict[int, str], channel: socket) -> None:
        self.key = key
        self.pipes = pipes
        self.channel: socket | None = channel
        self.lines = Lines()
        self.unsent = bytearray()
        self.listening = False
        self.end: Exit | None = None
        self.ended = self.heard = 0.0


class Attempts:
    """All attempts of a run. One thread."""

    def __init__(self) -> None:
        # both have a descriptor of their own, which the scheduler waits on
        self._selector: Any = getattr(selectors, "EpollSelector", selectors.DefaultSelector)()
        self._attempts: dict[str, _Attempt] = {}
        self._draining: set[str] = set()
        self._events: list[LaunchEvent] = []
        self._alarm: Timer | None = None
        self._due = float("inf")
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(self._wake, False)
        self.watch(self._woken, self._awake)

    def fileno(self) -> int:
        fd: int = self._selector.fileno()
        return fd

    def running(self) -> list[str]:
        """The keys of the attempts whose process is not known to have ended."""
        return [key for key, attempt in self._attempts.items() if attempt.end is None]

    def watch(self, fd: int, act: Callable[[], None]) -> None:
        """Call `act` within `poll` whenever `fd` is readable."""
        self._selector.register(fd, selectors.EVENT_READ, lambda mask: act())

    def unwatch(self, fd: int) -> None:
        self._selector.unregister(fd)

    def add(self, key: str) -> tuple[int, int, int]:
        """A new attempt; returns the other ends of its stdout, stderr and channel, which the caller owns. Raises OSError."""
        opened: list[int] = []
        try:
            for _ in range(2):
                opened += os.pipe()
            ours, theirs = socketpair()
        except OSError:
            for fd in opened:
                os.close(fd)
            raise
        out, out_end, err, err_end = opened
        self._attempts[key] = _Attempt(key, {out: "stdout", err: "stderr"}, ours)
        ours.setblocking(False)
        os.set_blocking(out, False)
        os.set_blocking(err, False)
        return out_end, err_end, theirs.detach()

    def forget(self, key: str) -> None:
        """Drop an attempt that was never started, without an event."""
        self._release(self._attempts.pop(key))

    def started(self, key: str, pid: int) -> None:
        """The attempt's process is there. Only now is anything read, so that `started` comes first."""
        attempt = self._attempts[key]
        self._emit("started", key, pid=pid)
        attempt.listening = True
        self._listen(attempt)
        for fd in attempt.pipes:
            self._selector.register(fd, selectors.EVENT_READ, self._reader(attempt, fd))

    def ended(self, key: str, end: Exit, note: str = "") -> None:
        """The attempt's process is gone: all that it wrote is in the pipes by now. `note` is shown as its last error output."""
        attempt = self._attempts.get(key)
        if attempt is None or attempt.end is not None:
            return
        attempt.end, attempt.ended = end, time.monotonic()
        attempt.heard = attempt.ended
        for fd in list(attempt.pipes):
            # a pipe can be made larger than a chunk, and whoever holds it can go on writing: neither for ever
            for _ in range(64):
                if not self._read(attempt, fd):
                    break
        while self._receive(attempt):
            pass
        if note:
            self._emit("output", key, data=f"{note}\n".encode(), stream="stderr")
        self._draining.add(key)
        self._settle(attempt)

    def reply(self, key: str, line: bytes) -> None:
        """Send a line; what the attempt does not take at once is kept and sent when it does."""
        attempt = self._attempts.get(key)
        if attempt is not None and attempt.channel is not None:
            attempt.unsent += line if line.endswith(b"\n") else line + b"\n"
            self._send(attempt)

    def poll(self) -> list[LaunchEvent]:
        """What has happened since the last call."""
        for key, mask in self._selector.select(0):
            if key.fd in self._selector.get_map():  # an earlier one of this round may have closed it
                key.data(mask)
        for name in list(self._draining):
            self._settle(self._attempts[name])
        self._set_alarm()
        events, self._events = self._events, []
        return events

    def close(self) -> None:
        """Let go of everything. No events any more but those that were there already."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm.join()
        for attempt in self._attempts.values():
            self._release(attempt)
        self._attempts.clear()
        self._draining.clear()
        self._selector.close()
        os.close(self._woken)
        os.close(self._wake)

    def wake(self) -> None:
        """Make the descriptor readable although nothing came in."""
        try:
            os.write(self._wake, b"\0")
        except BlockingIOError:
            pass  # it is readable already

    # reading

    def _reader(self, attempt: _Attempt, fd: int) -> Callable[[int], object]:
        return lambda mask: self._read(attempt, fd)

    def _read(self, attempt: _Attempt, fd: int) -> bool:
        """Read one chunk; whether there was one."""
        if fd not in attempt.pipes:
            return False
        try:
            data = os.read(fd, CHUNK)
        except BlockingIOError:
            return False
        if not data:
            self._drop_pipe(attempt, fd)
            return False
        attempt.heard = time.monotonic()
        self._emit("output", attempt.key, data=data, stream=attempt.pipes[fd])
        return True

    def _listen(self, attempt: _Attempt) -> None:
        """Wait for the channel to have something, and to take something where there is something to send."""
        if attempt.channel is not None:
            if attempt.channel in self._selector.get_map():
                self._selector.unregister(attempt.channel)
            mask = selectors.EVENT_READ | (selectors.EVENT_WRITE if attempt.unsent else 0)
            self._selector.register(attempt.channel, mask, lambda mask: self._use_channel(attempt, mask))

    def _use_channel(self, attempt: _Attempt, mask: int) -> None:
        if mask & selectors.EVENT_WRITE:
            self._send(attempt)
        if mask & selectors.EVENT_READ:
            self._receive(attempt)

    def _receive(self, attempt: _Attempt) -> bool:
        """Read one chunk of the channel; whether there was one."""
        if attempt.channel is None:
            return False
        try:
            data = attempt.channel.recv(CHUNK)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self._hang_up(attempt)
            return False
        attempt.heard = time.monotonic()
        for line in attempt.lines.feed(data):
            self._emit("message", attempt.key, data=line)
        return True

    def _send(self, attempt: _Attempt) -> None:
        channel = attempt.channel
        if channel is None:
            return
        try:
            while attempt.unsent:
                del attempt.unsent[: channel.send(attempt.unsent)]
        except BlockingIOError:
            pass
        except OSError:
            attempt.unsent.clear()  # it will not read any more, but may have written
        if attempt.listening:
            self._listen(attempt)

    # ending

    def _settle(self, attempt: _Attempt) -> None:
        """Say that the attempt is over, if all its output is in or no more can be waited for."""
        now = time.monotonic()
        waiting = attempt.pipes or attempt.channel is not None
        if waiting and now < self._deadline(attempt):
            return
        assert attempt.end is not None
        end = attempt.end
        del self._attempts[attempt.key]
        self._draining.discard(attempt.key)
        self._release(attempt)
        kind = "lost" if end.code is None and end.signal is None else "exited"
        self._emit(kind, attempt.key, exit_code=end.code, signal=end.signal, usage=end.usage, oom=end.oom)

    def _deadline(self, attempt: _Attempt) -> float:
        return min(attempt.heard + QUIET, attempt.ended + CAP)

    def _set_alarm(self) -> None:
        """Have somebody wake the scheduler when the next drain is over. Rare: only where a process has left its pipes to another."""
        due = min((self._deadline(self._attempts[key]) for key in self._draining), default=float("inf"))
        now = time.monotonic()
        if due == float("inf") or now < self._due <= due:
            return
        from threading import Timer

        if self._alarm is not None:
            self._alarm.cancel()
        self._due = due
        self._alarm = Timer(max(due - now, 0.0) + 0.001, self.wake)
        self._alarm.daemon = True
        self._alarm.start()

    def _awake(self) -> None:
        os.read(self._woken, 4096)

    def _hang_up(self, attempt: _Attempt) -> None:
        if attempt.channel is not None:
            if attempt.listening:
                self._selector.unregister(attempt.channel)
            attempt.channel.close()
            attempt.channel = None

    def _release(self, attempt: _Attempt) -> None:
        self._hang_up(attempt)
        for fd in list(attempt.pipes):
            self._drop_pipe(attempt, fd)

    def _drop_pipe(self, attempt: _Attempt, fd: int) -> None:
        if attempt.listening:
            self._selector.unregister(fd)
        del attempt.pipes[fd]
        os.close(fd)

    def _emit(self, kind: Any, key: str, **fields: Any) -> None:
        self._events.append(LaunchEvent(kind, key, time.time(), **fields))
