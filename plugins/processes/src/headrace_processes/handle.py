"""The launcher's end of one zygote: starts it, sends orders, takes its reports to the attempts. Decides nothing about fallbacks."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from socket import socket, socketpair
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from .attempts import Attempts, Exit
from .system import OomKills, fork, signal_group
from .wire import MAX_FDS, Lines, encode, send

if TYPE_CHECKING:
    from headrace_hookspecs import LaunchContext, StepNode, TaskEntry, TaskSpec

Mode = Literal["fork", "exec"]

_FRESH = "import sys, json; sys.path[:] = json.loads(sys.argv[3]); from {0} import zygote; zygote.main(int(sys.argv[1]), int(sys.argv[2]))"


_PATIENCE = 10.0
"""Seconds that a zygote may take to end what is below it."""


class Start(NamedTuple):
    """One attempt to start, with the descriptors of its side."""

    spec: TaskSpec
    step: StepNode
    ends: tuple[int, int, int]


class Zygote:
    """One zygote process. Attempts are kept back until it says that it is ready; `gave_up` is called when it never will or no longer is.

    `state` goes from starting to ready, unfit (it may not fork; `problem` says why) or gone.
    """

    def __init__(self, mode: Mode, pid: int, control: socket, attempts: Attempts, gave_up: Callable[[Zygote], None]) -> None:
        self.mode = mode
        self.pid = pid
        self.state: Literal["starting", "ready", "unfit", "gone"] = "starting"
        self.problem = ""
        self.waiting: list[Start] = []
        self.running: dict[str, int] = {}
        self.killed: set[str] = set()
        self._control = control
        self._attempts = attempts
        self._gave_up = gave_up
        self._lines = Lines()
        self._oom = OomKills()
        attempts.watch(control.fileno(), self._listen)

    def open(self, context: LaunchContext, env: Mapping[str, str]) -> None:
        """Tell it the run; `env` are the variables of the steps that it is for."""
        import binascii

        entry = context.entry
        self._send(
            encode(
                {
                    "do": "open",
                    "mode": self.mode,
                    "command": list(entry.command),
                    "environ": {**context.environ, **env},
                    "cwd": context.cwd,
                    "context": binascii.b2a_base64(context.context, newline=False).decode(),
                    "reference": entry.reference,
                    "state": dict(entry.state),
                }
            )
        )

    def start(self, starts: Sequence[Start]) -> None:
        """Start attempts, or keep them until the zygote is ready. Closes their descriptors once they are sent."""
        if self.state != "ready":
            self.waiting += starts
            return
        size = MAX_FDS // 3
        for batch in (starts[at : at + size] for at in range(0, len(starts), size)):
            lines = b"".join(encode(self._order(start.spec, start.step)) for start in batch)
            for item in batch:
                self.running.setdefault(item.spec.key, 0)
            self._send(lines, [fd for start in batch for fd in start.ends])
            for item in batch:
                close_all(item.ends)

    def signal(self, key: str, number: signal.Signals) -> bool:
        """Signal an attempt's process group. Whether the attempt is this zygote's."""
        for start in self.waiting:
            if start.spec.key == key:
                self.waiting.remove(start)
                close_all(start.ends)
                self._attempts.ended(key, Exit(signal=number))
                self._attempts.wake()
                return True
        if key not in self.running:
            return False
        if number == signal.SIGKILL:
            self.killed.add(key)
        self._send(encode({"do": "signal", "key": key, "number": number}))
        return True

    def close(self) -> None:
        """Have it kill all that is left below it and end; wait for that."""
        if self.state == "gone":
            return
        self._attempts.unwatch(self._control.fileno())
        if self.state == "starting":
            signal_group(self.pid, signal.SIGKILL)  # it may be importing for long, and has no attempts
        self._send(encode({"do": "end"}))
        self._control.settimeout(_PATIENCE)
        try:
            while self._control.recv(65536):
                pass
        except OSError:
            signal_group(self.pid, signal.SIGKILL)
        self._bury()

    def _order(self, spec: TaskSpec, step: StepNode) -> dict[str, Any]:
        if self.mode == "fork":
            return {"do": "launch", "key": spec.key, "spec": spec.to_json(), "env": {}}
        return {"do": "launch", "key": spec.key, "spec": {}, "env": {**step.env, **spec.to_slots()}}

    def _send(self, data: bytes, fds: Sequence[int] = ()) -> None:
        try:
            send(self._control, data, fds)
        except OSError:
            self._attempts.wake()  # it is gone; `_listen` will find out

    def _listen(self) -> None:
        try:
            data = self._control.recv(65536)
        except OSError:
            data = b""
        for line in self._lines.feed(data):
            report = json.loads(line)
            getattr(self, "_" + next(iter(report)))(**report)
        if not data:
            if self.state == "starting":
                self.problem = "the process that tasks start from ended while it imported the flow"
            self._attempts.unwatch(self._control.fileno())
            self._bury()
            self._gave_up(self)

    def _bury(self) -> None:
        """It is ending or gone: its attempts died with it (the kernel saw to that), what they have started is killed here."""
        self.state = "gone"
        self._control.close()
        try:
            os.waitpid(self.pid, 0)
        except ChildProcessError:
            pass  # a host that ignores SIGCHLD has its children waited for by the kernel
        for key, pid in self.running.items():
            if pid:
                signal_group(pid, signal.SIGKILL)
            self._attempts.ended(key, Exit())
        self.running.clear()

    # reports

    def _ready(self, ready: int) -> None:
        self.state = "ready"
        waiting, self.waiting = self.waiting, []
        self.start(waiting)

    def _unfit(self, unfit: str) -> None:
        self.state, self.problem = "unfit", unfit
        self._gave_up(self)

    def _started(self, started: str, pid: int) -> None:
        self.running[started] = pid
        self._attempts.started(started, pid)

    def _refused(self, refused: str, reason: str) -> None:
        self.running.pop(refused, None)
        self._attempts.ended(refused, Exit(), reason)

    def _exited(self, exited: str, code: int, usage: Sequence[float]) -> None:
        self.running.pop(exited, None)
        measured = dict(zip(("max_rss", "user", "system"), usage, strict=True))
        if code >= 0:
            end = Exit(code=code, usage=measured)
        else:
            oom = -code == signal.SIGKILL and exited not in self.killed and self._oom.claim()
            end = Exit(signal=-code, usage=measured, oom=oom)
        self.killed.discard(exited)
        self._attempts.ended(exited, end)


def close_all(fds: Iterable[int]) -> None:
    """Close descriptors."""
    for fd in fds:
        os.close(fd)


def fork_zygote(entry: TaskEntry, attempts: Attempts) -> tuple[int, socket]:
    """Fork this process into a zygote that has imported what this one has. Returns its pid and our end of the socket.

    `attempts`, still empty, stay ours: the copy closes its descriptors of them.
    """
    ours, theirs = socketpair()
    parent = os.getpid()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()  # what is in their buffers would be in the copy too
    pid = fork()
    if pid == 0:
        try:
            ours.close()
            attempts.close()
            from .zygote import serve

            serve(theirs, parent, entry)
        finally:
            os._exit(1)
    theirs.close()
    return pid, ours


def start_zygote(environ: Mapping[str, str]) -> tuple[int, socket]:
    """Start a zygote in a fresh interpreter with this environment. What its imports print goes to standard error."""
    ours, theirs = socketpair()
    theirs.set_inheritable(True)
    code = _FRESH.format(__package__)
    try:
        pid = os.posix_spawn(
            sys.executable,
            [
                sys.executable,
                "-c",
                code,
                str(theirs.fileno()),
                str(os.getpid()),
                json.dumps([path for path in sys.path if isinstance(path, str)]),
            ],
            environ,
            file_actions=[(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), (os.POSIX_SPAWN_DUP2, 2, 1)],
            setpgroup=0,
        )
    finally:
        theirs.close()
    return pid, ours
