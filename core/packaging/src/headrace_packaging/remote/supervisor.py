"""Starts the process of one attempt and watches it: its output, its channel, its deadline, the signals that come for it, its end."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from headrace.run.signals import Interrupts
from headrace.run.supervise import Supervised
from headrace_hookspecs import LaunchEvent

_CHUNK: Final = 65536
_QUIET, _CAP = 0.1, 2.0
"""Seconds without output, and in all, for which what an ended attempt has left running may still write."""

_STREAMS: Final = {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8:backslashreplace"}


def watch(task: Supervised, command: Sequence[str], environ: Mapping[str, str], folder: str, grace: float) -> LaunchEvent:
    """Run `command` in `folder` as the attempt `task`, to its end; the event of that. SIGTERM to this process is the attempt's."""
    ours, theirs = socket.socketpair()
    with Interrupts() as interrupts, ours:
        killed = _oom_kills()
        process = subprocess.Popen(
            list(command),
            cwd=folder,
            env={**environ, **_STREAMS, "HEADRACE_CHANNEL_FD": str(theirs.fileno())},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
        theirs.close()
        watched = _Watched(task, process, ours, interrupts, grace)
        try:
            watched.run()
        finally:
            _kill(process.pid, signal.SIGKILL)  # what the attempt has left in its session
            process.wait()
            watched.close()
        code = process.returncode
        oom = code == -signal.SIGKILL and not watched.forced and _oom_kills() > killed
        return LaunchEvent(
            "exited",
            task.spec.key,
            time.time(),
            exit_code=code if code >= 0 else None,
            signal=-code if code < 0 else None,
            usage=_usage(),
            oom=oom,
        )


class _Watched:
    def __init__(
        self, task: Supervised, process: subprocess.Popen[bytes], channel: socket.socket, interrupts: Interrupts, grace: float
    ) -> None:
        self.task, self.process, self.channel, self.interrupts, self.grace = task, process, channel, interrupts, grace
        self.forced = False
        self._rest = b""
        self._seen = 0
        self._over, self._end = os.pipe()
        assert process.stdout is not None
        assert process.stderr is not None
        self._streams = {process.stdout.fileno(): "stdout", process.stderr.fileno(): "stderr"}
        self._selector = selectors.DefaultSelector()
        for fd in (*self._streams, channel.fileno(), interrupts.fileno(), self._over):
            self._selector.register(fd, selectors.EVENT_READ)
        self._waiter = threading.Thread(target=self._wait, name="headrace-waiter", daemon=True)
        self._waiter.start()

    def run(self) -> None:
        """Return when the process has ended and its output is in."""
        ended: float | None = None
        heard = 0.0
        while True:
            now = time.monotonic()
            if ended is not None and (not self._streams or now >= min(heard + _QUIET, ended + _CAP)):
                return
            for key, _ in self._selector.select(self._timeout(now, ended, heard)):
                if key.fd == self._over:
                    self._selector.unregister(self._over)
                    ended = time.monotonic()
                elif key.fd in self._streams:
                    self._read(key.fd)
                elif key.fd == self.channel.fileno():
                    self._listen()
                else:
                    self._interrupted()
                heard = time.monotonic()
            self._clock()

    def close(self) -> None:
        self._waiter.join()
        self._selector.close()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        os.close(self._over)
        os.close(self._end)

    def _wait(self) -> None:
        # leaves the process to be reaped, so that its number is not another's when it is signalled
        os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOWAIT)
        os.write(self._end, b"\0")

    def _read(self, fd: int) -> None:
        data = os.read(fd, _CHUNK)
        if data:
            event = LaunchEvent("output", self.task.spec.key, time.time(), data, self._streams[fd])
            self.task.output(event, time.monotonic())
        else:
            self._selector.unregister(fd)
            del self._streams[fd]

    def _listen(self) -> None:
        try:
            data = self.channel.recv(_CHUNK)
        except OSError:
            data = b""
        if not data:
            self._selector.unregister(self.channel)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            answer = self.task.message(LaunchEvent("message", self.task.spec.key, time.time(), line))
            if answer is not None:
                self.channel.sendall(answer + b"\n")

    def _interrupted(self) -> None:
        self.interrupts.drain()
        for _ in range(self._seen, self.interrupts.count):
            force = self.task.cancelled
            self.task.cancelled = True
            self.task.forced_at = time.monotonic() + self.grace
            _kill(self.process.pid, signal.SIGKILL if force else signal.SIGTERM)
        self._seen = self.interrupts.count

    def _clock(self) -> None:
        now, task = time.monotonic(), self.task
        if task.deadline is not None and now >= task.deadline:
            task.timed_out, task.deadline, self.forced = True, None, True
            _kill(self.process.pid, signal.SIGKILL)
        if task.forced_at is not None and now >= task.forced_at:
            task.forced_at, self.forced = None, True
            _kill(self.process.pid, signal.SIGKILL)
        if task.flush_at is not None and now >= task.flush_at:
            task.flush()

    def _timeout(self, now: float, ended: float | None, heard: float) -> float | None:
        due = [at for at in (self.task.deadline, self.task.forced_at, self.task.flush_at) if at is not None]
        if ended is not None:
            due.append(min(heard + _QUIET, ended + _CAP))
        return max(0.0, min(due) - now) if due else None


def _kill(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        pass


def _usage() -> dict[str, Any]:
    import resource

    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"max_rss": used.ru_maxrss, "user": used.ru_utime, "system": used.ru_stime}


def _oom_kills() -> int:
    """Kills for want of memory in this container so far; 0 where nobody counts."""
    for path in ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"):
        try:
            with open(path, encoding="ascii") as stream:
                return sum(int(line.split()[1]) for line in stream if line.startswith("oom_kill "))
        except OSError:
            continue
    return 0
