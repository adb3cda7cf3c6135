"""The launcher `inline`: a task runs in the calling process, one at a time, so that a debugger and a notebook reach it.

Nothing of the task can be ended from outside, and nothing can answer it while it runs: a read of its channel finds the end of the stream.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from socket import SHUT_RD, SHUT_WR, socket, socketpair
from threading import Thread
from types import FrameType
from typing import Any

from headrace_hookspecs import Capability, LaunchContext, LaunchEvent, PluginError, StepNode, TaskEntry, TaskSpec, Workload

from .child import exit_status
from .render import process_workload
from .tee import tee
from .wire import Lines


class _Interrupted(BaseException):
    """A signal that asks this process to end came while user code ran."""


class InlineLauncher:
    """Implements `headrace_hookspecs.Launcher`. `launch` returns when the tasks are over; their events are had afterwards.

    Output goes to where it would have gone without headrace, at once, and is handed over as events too: whoever shows events to people
    leaves these out (`echoes`). What is written past `sys.stdout` and `sys.stderr`, by C code or child processes, is shown but not handed
    over. Environment, folder, `sys.argv`, streams and signal handlers are as before after each task; imported modules and what user code
    changed in them are not. A step's own variables are set before the step runs; what was imported earlier has not seen them. Ctrl-C and SIGTERM end the task, then reach the handlers that were there before.
    """

    capabilities = frozenset({Capability.RETRY_WAIT, Capability.ENVIRONMENT})

    echoes = True
    """What tasks print is on the screen already."""

    def __init__(self) -> None:
        self._context: LaunchContext | None = None
        self._events: list[LaunchEvent] = []
        self._running = ""
        self._unfinished = {"stdout": bytearray(), "stderr": bytearray()}
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(self._woken, False)
        self._closed = False

    def prepare(self, entry: TaskEntry) -> None:
        """Nothing to prepare."""

    def render(self, step: StepNode) -> Workload:
        """Format `process`; refuses gangs and steps with an interpreter of their own."""
        return process_workload(step, self.capabilities)

    def open(self, context: LaunchContext) -> None:
        """Build what the tasks share."""
        self._context = context
        with _restored():
            os.environ.update(context.environ)
            os.chdir(context.cwd)
            context.entry.preload(context.context)

    def launch(self, specs: Sequence[TaskSpec], steps: Sequence[StepNode]) -> None:
        """Run the tasks, one after the other."""
        if self._context is None:
            raise PluginError("A launcher was asked to launch before it was opened.", code="launcher-not-open")
        for spec, step in zip(specs, steps, strict=True):
            interrupted = self._run(self._context, spec, step.env)
            if interrupted is not None:
                signal.raise_signal(interrupted)

    def cancel(self, key: str, *, force: bool) -> None:
        """Nothing is running when this can be called."""

    def reply(self, key: str, line: bytes) -> None:
        """Nothing is running when this can be called."""

    def fileno(self) -> int:
        """A pipe that holds a byte while there are events."""
        return self._woken

    def events(self) -> Sequence[LaunchEvent]:
        """All that the tasks since the last call did."""
        events, self._events = self._events, []
        if events and not self._closed:
            os.read(self._woken, 4096)
        return events

    def close(self, *, grace: float) -> None:
        """Nothing is running; threads and processes that user code left are its own."""
        if not self._closed:
            self._closed = True
            os.close(self._woken)
            os.close(self._wake)

    def _run(self, context: LaunchContext, spec: TaskSpec, env: Mapping[str, str]) -> signal.Signals | None:
        """One task, from its first event to its last. Returns the signal that interrupted it, if one did."""
        self._running = key = spec.key
        self._say("started", key, pid=os.getpid())
        before = resource.getrusage(resource.RUSAGE_SELF)
        ours, theirs = socketpair()
        ours.shutdown(SHUT_WR)
        listener = Thread(target=self._listen, args=(key, ours), name="headrace-channel", daemon=True)
        listener.start()
        caught: list[signal.Signals] = []
        with _restored(), _output(self._print), _interruptible(caught):
            os.environ.update({**context.environ, **env})
            os.chdir(context.cwd)
            status = _status(context.entry, spec, theirs.detach())
        ours.shutdown(SHUT_RD)  # a process that the task forked may hold the other end
        listener.join()
        ours.close()
        for stream in self._unfinished:
            self._flush(stream)
        self._running = ""
        after = resource.getrusage(resource.RUSAGE_SELF)
        memory = after.ru_maxrss // (1024 if sys.platform == "darwin" else 1)
        usage = {"max_rss": memory, "user": after.ru_utime - before.ru_utime, "system": after.ru_stime - before.ru_stime}
        if caught:
            self._say("exited", key, signal=int(caught[0]), usage=usage)
            return caught[0]
        self._say("exited", key, exit_code=status, usage=usage)
        return None

    def _listen(self, key: str, channel: socket) -> None:
        """Take the task's messages while it runs: nobody else does, and it must not wait for room."""
        lines = Lines()
        while data := channel.recv(65536):
            for line in lines.feed(data):
                self._say("message", key, data=line)

    def _print(self, stream: str, data: bytes) -> None:
        """Take output, a line or more at a time. A stream that user code has kept goes on with the task that runs now, if one does."""
        unfinished = self._unfinished[stream]
        unfinished += data
        if b"\n" in data or len(unfinished) > 65536:
            self._flush(stream)

    def _flush(self, stream: str) -> None:
        data, self._unfinished[stream] = bytes(self._unfinished[stream]), bytearray()
        if data and self._running:
            self._say("output", self._running, data=data, stream=stream)

    def _say(self, kind: Any, key: str, **fields: Any) -> None:
        self._events.append(LaunchEvent(kind, key, time.time(), **fields))
        try:
            os.write(self._wake, b"\0")
        except BlockingIOError:
            pass  # it is readable already


def _status(entry: TaskEntry, spec: TaskSpec, channel: int) -> int:
    try:
        return exit_status(lambda: entry.run(spec.to_json(), channel))
    except _Interrupted:
        return 1


@contextmanager
def _restored() -> Iterator[None]:
    """Put environment, folder and `sys.argv` back at the end."""
    environ, cwd, argv = dict(os.environ), os.getcwd(), list(sys.argv)
    try:
        yield
    finally:
        for name in [name for name in os.environ if name not in environ]:
            del os.environ[name]
        os.environ.update(environ)
        os.chdir(cwd)
        sys.argv[:] = argv


@contextmanager
def _output(record: Callable[[str, bytes], None]) -> Iterator[None]:
    """Have what Python code prints recorded as well as shown."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = tee(sys.stdout, partial(record, "stdout")), tee(sys.stderr, partial(record, "stderr"))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


@contextmanager
def _interruptible(caught: list[signal.Signals]) -> Iterator[None]:
    """Let SIGINT and SIGTERM end the task by an exception, noting which came; put all signal handlers back at the end."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        caught.append(signal.Signals(number))
        raise KeyboardInterrupt if number == signal.SIGINT else _Interrupted

    before = {number: signal.getsignal(number) for number in signal.valid_signals()}
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, interrupt)
        yield
    finally:
        for number, handler in before.items():
            if handler is not None and signal.getsignal(number) is not handler:
                signal.signal(number, handler)
