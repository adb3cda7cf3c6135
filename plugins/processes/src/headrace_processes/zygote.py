"""The process that all attempts of a run are children of: it forks them, reports how they ended, and leaves none behind.

Single-threaded, so that a fork of it is sound. In mode `fork` it has imported the flow and a child runs the task at once; in mode `exec` a
child becomes a fresh interpreter. Its orders are lines of JSON with descriptors (`wire`); it knows no scheduler and no drain.
"""

from __future__ import annotations

import binascii
import gc
import importlib
import json
import os
import select
import signal
import sys
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from socket import MSG_DONTWAIT, socket
from typing import TYPE_CHECKING, Any, NoReturn

from .child import Ends, enter_attempt, run_command, run_task
from .safety import unfit_to_fork
from .system import Libc, children_of, fork, signal_group
from .wire import Lines, encode, receive

if TYPE_CHECKING:
    from headrace_hookspecs import TaskEntry

_BLOCKED = (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)


def serve(control: socket, parent: int, entry: TaskEntry | None = None) -> NoReturn:
    """Be the zygote of the process `parent` until its end of `control` closes or it dies. Never returns."""
    try:
        _Zygote(control, parent, entry).run()
    except BaseException:  # noqa: BLE001 - a zygote is a copy of another program: nothing may unwind into that
        import traceback

        traceback.print_exc()
    finally:
        os._exit(1)


def main(fd: int, parent: int) -> NoReturn:
    """The same in a fresh interpreter that was started with the control socket as descriptor `fd`."""
    os.set_inheritable(fd, False)
    del sys.argv[1:]
    serve(socket(fileno=fd), parent)


class _Zygote:
    def __init__(self, control: socket, parent: int, entry: TaskEntry | None) -> None:
        self.control = control
        self.entry = entry
        self.libc = Libc()
        self.me = os.getpid()
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the scheduler decides what Ctrl-C means
        self.libc.die_with_parent(parent, signal.SIGTERM)
        self.libc.adopt_orphans()
        self.woken, self.wake = os.pipe()
        os.set_blocking(self.woken, False)
        os.set_blocking(self.wake, False)
        self.lines = Lines()
        self.ends: deque[int] = deque()
        self.unsent = bytearray()
        self.keys: dict[int, str] = {}
        self.pids: dict[str, int] = {}
        self.command: list[str] = []
        self.environ: dict[str, str] = {}
        self.ending = False

    def run(self) -> NoReturn:
        if self.entry is not None:
            with suppress(Exception):  # what cannot be imported shows again, and is told, when the run opens
                self.entry.warm()
        poll = select.poll()
        poll.register(self.woken, select.POLLIN)
        while not self.ending:
            poll.register(self.control, select.POLLIN | (select.POLLOUT if self.unsent else 0))
            for fd, _ in poll.poll():
                if fd == self.woken:
                    os.read(self.woken, 4096)
                else:
                    self.listen()
            self.reap()
            self.send()
        self.end()

    def listen(self) -> None:
        """Take in what has come and follow the orders that are complete."""
        try:
            data, fds = receive(self.control, MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            data, fds = b"", []
        self.ends.extend(fds)
        self.ending = self.ending or not data
        for line in self.lines.feed(data):
            order = json.loads(line)
            getattr(self, "do_" + order.pop("do"))(**order)

    def say(self, **message: Any) -> None:
        self.unsent += encode(message)

    def send(self) -> None:
        """Write reports as far as the launcher takes them; never wait for it, it may be waiting for us."""
        try:
            while self.unsent:
                del self.unsent[: self.control.send(self.unsent, MSG_DONTWAIT)]
        except BlockingIOError:
            pass
        except OSError:
            self.ending = True

    # orders

    def do_open(
        self, mode: str, command: list[str], environ: Mapping[str, str], cwd: str, context: str, reference: str, state: Any
    ) -> None:
        """Get ready: the environment, the folder, and in mode `fork` all that attempts need to have imported."""
        problem: str | None = None
        os.environ.update(environ)
        try:
            os.chdir(cwd)
            if mode == "fork":
                if self.entry is None:
                    module, _, name = reference.partition(":")
                    self.entry = getattr(importlib.import_module(module), name)(state)
                    self.entry.warm()
                self.entry.preload(binascii.a2b_base64(context))
                problem = unfit_to_fork()
            else:
                self.command, self.environ = command, dict(os.environ)
        except Exception as error:  # noqa: BLE001 - the flow's own code; a fresh interpreter will show it in the attempt's log
            problem = f"preparing the process that all tasks start from failed ({type(error).__name__}: {error})"
        if problem is not None:
            self.say(unfit=problem)
            return
        signal.set_wakeup_fd(self.wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.signal(signal.SIGTERM, self.do_end)
        gc.freeze()
        self.say(ready=self.me)

    def do_launch(self, key: str, spec: Mapping[str, Any], env: Mapping[str, str]) -> None:
        """Fork for one attempt. Its three descriptors have come with, or before, its line."""
        ends = Ends(self.ends.popleft(), self.ends.popleft(), self.ends.popleft())
        signal.pthread_sigmask(signal.SIG_BLOCK, _BLOCKED)
        try:
            pid = fork()
            if pid == 0:
                ours = (self.control.fileno(), self.woken, self.wake, *self.ends)
                enter = partial(enter_attempt, ours=ours, parent=self.me, libc=self.libc)
                if self.entry is not None:
                    run_task(self.entry, spec, ends, enter, self.libc)
                run_command(self.command, {**self.environ, **env}, ends, enter)
        except OSError as error:
            self.say(refused=key, reason=f"cannot start a process: {error.strerror}")
            return
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _BLOCKED)
            ends.close()
        self.keys[pid], self.pids[key] = key, pid
        self.say(started=key, pid=pid)
        self.send()

    def do_signal(self, key: str, number: int) -> None:
        """Send a signal to an attempt's whole process group; an attempt that has ended is no error."""
        if (pid := self.pids.get(key)) is not None:
            signal_group(pid, number)

    def do_end(self, *_: Any) -> None:
        self.ending = True

    # children

    def reap(self) -> None:
        """Report every attempt that has ended, and ask what it left in its group to end too."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if (key := self.keys.pop(pid, None)) is not None:
                del self.pids[key]
                signal_group(pid, signal.SIGTERM)
                memory = usage.ru_maxrss // (1024 if sys.platform == "darwin" else 1)
                code = os.waitstatus_to_exitcode(status)
                self.say(exited=key, code=code, usage=[memory, usage.ru_utime, usage.ru_stime])

    def end(self) -> NoReturn:
        """Kill every attempt with its group, then every descendant that is left: orphans have become our children."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for pid in self.keys:
            signal_group(pid, signal.SIGKILL)
        for pid in self.keys:
            os.waitpid(pid, 0)
        while left := list(children_of(self.me)):
            for pid in left:
                os.kill(pid, signal.SIGKILL)
            for pid in left:
                os.waitpid(pid, 0)
        os._exit(0)
