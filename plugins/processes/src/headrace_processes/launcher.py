"""The launchers `fork` and `spawn`: attempts are processes on this machine, below a zygote that outlives none of them.

They differ in one word. In mode `fork` a zygote has imported the flow once and each attempt is a fork of it; in mode `exec` it has not, and
each attempt is a fresh interpreter. Where forking would not be sound, `fork` says so in one line and goes on in mode `exec`.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Sequence
from socket import socket

from headrace_hookspecs import (
    Capability,
    LaunchContext,
    LaunchEvent,
    PluginError,
    StepNode,
    TaskEntry,
    TaskSpec,
    Workload,
)

from .attempts import Attempts, Exit
from .handle import Mode, Start, Zygote, close_all, fork_zygote, start_zygote
from .render import process_workload
from .safety import unfit_to_fork

_Key = tuple[Mode, frozenset[tuple[str, str]]]


class ProcessLauncher:
    """Implements `headrace_hookspecs.Launcher`. Variables of a step (`StepNode.env`) are there before anything is imported: in mode `fork`
    each distinct set of them has a zygote of its own, a fresh interpreter that imports the flow once.
    """

    capabilities = frozenset(
        {
            Capability.CANCEL,
            Capability.HARD_TIMEOUT,
            Capability.PARALLEL_TASKS,
            Capability.GANG,
            Capability.ENVIRONMENT,
            Capability.RETRY_WAIT,
        }
    )

    echoes = False

    def __init__(self, mode: Mode, say: Callable[[str], None]) -> None:
        self._mode = mode
        self._say = say
        self._attempts = Attempts()
        self._zygotes: dict[_Key, Zygote] = {}
        self._context: LaunchContext | None = None
        self._closed = False

    def prepare(self, entry: TaskEntry) -> None:
        """Fork the zygote now, while nothing but the flow is loaded; or start the one that needs nothing loaded."""
        if self._mode == "fork" and entry.fork_safe:
            problem = unfit_to_fork()
            if problem is None:
                self._add((self._mode, frozenset()), *fork_zygote(entry, self._attempts))
            else:
                self._fall_back(problem)
        if self._mode == "exec":
            self._add((self._mode, frozenset()), *start_zygote(os.environ))

    def render(self, step: StepNode) -> Workload:
        """Format `process`: `env`, the variables of the step. Another interpreter or container is not for these launchers."""
        return process_workload(step, self.capabilities)

    def open(self, context: LaunchContext) -> None:
        """Tell the zygote the run, or start one if `prepare` was not called."""
        self._context = context
        if (zygote := self._zygotes.get((self._mode, frozenset()))) is not None:
            zygote.open(context, {})
        else:
            self._start((self._mode, frozenset()))

    def launch(self, specs: Sequence[TaskSpec], steps: Sequence[StepNode]) -> None:
        """Start the attempts. Raises PluginError, with none of them started, when the machine has no descriptors left for them."""
        starts: list[Start] = []
        try:
            for spec, step in zip(specs, steps, strict=True):
                starts.append(Start(spec, step, self._attempts.add(spec.key)))
        except OSError as error:
            for start in starts:
                close_all(start.ends)
                self._attempts.forget(start.spec.key)
            raise PluginError(
                f"Cannot start {len(specs)} tasks at once: {error.strerror}.",
                code="launch-failed",
                remedy="Lower run.max_workers, or raise the limit of open files (ulimit -n).",
                step=specs[0].step,
            ) from error
        groups: dict[Zygote, list[Start]] = {}
        for start in starts:
            groups.setdefault(self._zygote(start.step), []).append(start)
        for zygote, group in groups.items():
            zygote.start(group)

    def cancel(self, key: str, *, force: bool) -> None:
        """SIGTERM, or with `force` SIGKILL, to the attempt's process group."""
        number = signal.SIGKILL if force else signal.SIGTERM
        for zygote in self._zygotes.values():
            if zygote.signal(key, number):
                return

    def reply(self, key: str, line: bytes) -> None:
        """Send a line to the attempt's channel without waiting for it to be read."""
        self._attempts.reply(key, line)

    def fileno(self) -> int:
        """An epoll or kqueue descriptor."""
        return self._attempts.fileno()

    def events(self) -> Sequence[LaunchEvent]:
        """What happened since the last call."""
        return () if self._closed else self._attempts.poll()

    def close(self, *, grace: float) -> None:
        """SIGTERM to all that run, SIGKILL after `grace` seconds; then every descendant that is left, daemons too, is killed."""
        if self._closed:
            return
        self._closed = True
        for key in self._attempts.running():
            self.cancel(key, force=False)
        deadline = time.monotonic() + grace
        while self._attempts.running() and (left := deadline - time.monotonic()) > 0:
            select.select([self.fileno()], [], [], left)
            self._attempts.poll()
        for zygote in list(self._zygotes.values()):
            zygote.close()
        self._attempts.close()

    # zygotes

    def _zygote(self, step: StepNode) -> Zygote:
        """The one for this step. In mode `exec` there is one for all: an attempt gets its variables with its start."""
        key: _Key = (self._mode, frozenset(step.env.items()) if self._mode == "fork" else frozenset())
        return self._zygotes.get(key) or self._start(key)

    def _start(self, key: _Key) -> Zygote:
        if self._context is None:
            raise PluginError("A launcher was asked to launch before it was opened.", code="launcher-not-open")
        env = dict(key[1])
        zygote = self._add(key, *start_zygote({**os.environ, **self._context.environ, **env}))
        zygote.open(self._context, env)
        return zygote

    def _add(self, key: _Key, pid: int, control: socket) -> Zygote:
        zygote = self._zygotes[key] = Zygote(key[0], pid, control, self._attempts, self._gave_up)
        return zygote

    def _gave_up(self, zygote: Zygote) -> None:
        """A zygote ended, or may not fork. The next launch gets a new one; what it had not started yet goes to a fresh interpreter each."""
        self._zygotes = {key: other for key, other in self._zygotes.items() if other is not zygote}
        waiting, problem = zygote.waiting, zygote.problem
        zygote.close()
        if zygote.mode == "exec":
            for start in waiting:
                close_all(start.ends)
                self._attempts.ended(start.spec.key, Exit(), problem or "the process that starts tasks ended")
        elif problem:
            if self._mode == "fork":
                self._fall_back(problem)
            if waiting:
                self._zygote(waiting[0].step).start(waiting)

    def _fall_back(self, problem: str) -> None:
        self._say(f"launcher fork: {problem}; each task starts a fresh interpreter instead, as with spawn")
        self._mode = "exec"
