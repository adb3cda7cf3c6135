"""Between the interpreter and what executes pods: the pod asked for, how it ended, the clock; and a runner of Python callables in virtual time."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from .problems import RunnerError


@dataclasses.dataclass(frozen=True)
class Pod:
    """A pod with every variable replaced. `outputs` is parameter to path; `env` holds plain values or opaque `valueFrom`s."""

    name: str
    node: str
    template: str
    image: str
    command: Sequence[str]
    args: Sequence[str]
    env: Sequence[Mapping[str, Any]]
    outputs: Mapping[str, str]
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    container: Mapping[str, Any]
    spec: Mapping[str, Any]

    def variable(self, name: str) -> str:
        """The value of an environment variable. Raises KeyError."""
        values = {each["name"]: each["value"] for each in self.env if "value" in each}
        return str(values[name])


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a pod ended; `outputs` has the content of those output files that were there, `log` what the container printed."""

    exit_code: int
    outputs: Mapping[str, str] = dataclasses.field(default_factory=dict)
    log: str = ""


@dataclasses.dataclass(frozen=True)
class Lost:
    """The pod was deleted, or its machine went away; nobody knows how its container ended."""

    message: str = "pod deleted"


class Handle(Protocol):
    """A started pod. `due` is the time of its end in virtual time, None where nobody knows."""

    due: float | None

    def poll(self) -> Ended | Lost | None:
        """How it ended, None while it runs. The same answer for ever after."""

    def stop(self) -> None:
        """Have it end: asked first, then killed. Returns at once."""


class Runner(Protocol):
    """Executes pods. Raises RunnerError for a pod it cannot execute faithfully."""

    def start(self, pod: Pod) -> Handle:
        """Start it; several run at the same time."""


class Clock(Protocol):
    """The time of a run in seconds since the epoch, and the pause between two looks at it."""

    def now(self) -> float: ...

    def wait(self, until: float | None) -> None:
        """Pause, at most until that time where one is given."""


class SystemClock:
    """The time of day. Backoffs and deadlines take as long as they say."""

    def now(self) -> float:
        return time.time()

    def wait(self, until: float | None) -> None:
        pause = 0.01 if until is None else min(0.01, max(0.0, until - time.time()))
        time.sleep(pause)


class VirtualClock:
    """Time that passes only while everybody waits; an hour's backoff takes no time."""

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self.time = start

    def now(self) -> float:
        return self.time

    def wait(self, until: float | None) -> None:
        if until is None:
            raise RunnerError("everything waits and nothing is due: in virtual time this would last for ever")
        self.time = max(self.time, until)


Answer = int | Ended | Lost | Mapping[str, str] | None
"""What a callable may return: an exit code, a pod's end, or the outputs of a pod that succeeded."""


class CallableRunner:
    """Calls a Python function for every pod and has the pod last for `duration` seconds of the clock (or as long as `lasts(pod)` says).

    Keeps what happened: `started` has the pods in order, `most` how many ran at the same time, `stopped` the names of those stopped.
    """

    def __init__(self, clock: Clock, function: Callable[[Pod], Answer], lasts: float | Callable[[Pod], float] = 1.0) -> None:
        self.clock = clock
        self.function = function
        self.lasts = lasts
        self.started: list[Pod] = []
        self.stopped: list[str] = []
        self.most = 0
        self._running: list[_Called] = []

    def start(self, pod: Pod) -> Handle:
        answer = self.function(pod)
        if answer is None:
            answer = 0
        if isinstance(answer, int):
            answer = Ended(answer)
        ended = answer if isinstance(answer, Ended | Lost) else Ended(0, dict(answer))
        self.started.append(pod)
        lasts = self.lasts(pod) if callable(self.lasts) else self.lasts
        handle = _Called(self, pod, ended, self.clock.now() + lasts)
        self._running = [each for each in self._running if each.poll() is None]
        if handle.poll() is None:
            self._running.append(handle)
        self.most = max(self.most, len(self._running))
        return handle


class _Called:
    def __init__(self, runner: CallableRunner, pod: Pod, ended: Ended | Lost, due: float) -> None:
        self.runner = runner
        self.pod = pod
        self.ended = ended
        self.due: float | None = due

    def poll(self) -> Ended | Lost | None:
        return self.ended if self.due is not None and self.runner.clock.now() >= self.due else None

    def stop(self) -> None:
        if self.poll() is None:
            self.runner.stopped.append(self.pod.name)
            self.ended = Ended(143)
            self.due = self.runner.clock.now()
