"""The loop that drives a run: starts what is ready, listens, decides about failures, ends. One thread; processes are the launchers'."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from attrs import evolve

from headrace_hookspecs import Event, Fact, Failure, FlowGraph, Launcher, LaunchEvent, Outcome, StepNode, TaskSpec, decide, grown
from headrace_hookspecs.errors import HeadraceError, InternalError
from headrace_hookspecs.events import EventKind

from ..store.facts import RunStore
from .recorder import Recorder
from .signals import Interrupts
from .state import Ready, RunState
from .supervise import Supervised
from .world import World

_EARLIER_MESSAGE = 500
"""Characters that a later attempt is told of why an earlier one failed."""


class Limits(NamedTuple):
    """What a run may use: tasks at a time, children of one foreach, bytes of log an attempt, seconds between SIGTERM and SIGKILL."""

    max_workers: int
    max_num_splits: int
    log_bytes: int
    grace: float


class RunEnd(NamedTuple):
    """How a run ended; `key` is the failed attempt's `step/task/attempt`."""

    state: str
    failure: Failure | None = None
    key: str | None = None


class Scheduler:
    """One run. `emit` is told every event; `reused` answers for tasks that another run has committed already."""

    def __init__(
        self,
        graph: FlowGraph,
        store: RunStore,
        launchers: Mapping[str, Launcher],
        launcher_of: Mapping[str, str],
        recorder: Recorder,
        limits: Limits,
        emit: Callable[[Event], None],
        reused: Callable[[str, str], Outcome | None] | None = None,
        world: World | None = None,
    ) -> None:
        self.graph = graph
        self.store = store
        self.launchers = launchers
        self.launcher_of = launcher_of
        self.recorder = recorder
        self.limits = limits
        self.emit = emit
        self.reused = reused
        self.world = world or World()
        self.state = RunState(graph)
        self.running: dict[str, Supervised] = {}
        self._retries: list[tuple[float, int, TaskSpec]] = []
        self._serial = 0
        self._end: RunEnd | None = None

    def run(self) -> RunEnd:
        """Drive the run to its end. Never leaves a running attempt behind."""
        with Interrupts() as interrupts:
            descriptors = [launcher.fileno() for launcher in self.launchers.values()] + [interrupts.fileno()]
            seen = 0
            while True:
                if self._end is None:
                    self._start()
                if not self.running and (self._end is not None or not self._retries):
                    break
                self.world.wait(descriptors, self._timeout())
                interrupts.drain()
                if interrupts.count > seen:
                    self._interrupted(interrupts, first=seen == 0)
                    seen = interrupts.count
                for launcher in self.launchers.values():
                    for event in launcher.events():
                        self._event(launcher, event)
                self._clock()
        if self._end is None and not self.state.finished:
            raise InternalError("Nothing is left to run, yet the flow has not reached its end.")
        return self._end or RunEnd("succeeded")

    # starting

    def _start(self) -> None:
        now = self.world.monotonic()
        batches: dict[str, list[TaskSpec]] = {}
        free = self.limits.max_workers - len(self.running)
        while free > 0:
            if self._retries and self._retries[0][0] <= now:
                spec = heapq.heappop(self._retries)[2]
            else:
                ready = self._take()
                if ready is None:
                    break
                spec = self._spec(ready)
            batches.setdefault(self.launcher_of[spec.step], []).append(spec)
            self._supervise(spec, now)
            free -= 1
        for name, specs in batches.items():
            try:
                launcher = self.launchers[name]
                launcher.launch(specs, [self._step(spec, launcher) for spec in specs])
            except HeadraceError as error:
                for spec in specs:
                    del self.running[spec.key]
                self._stop("failed", Failure("lost", str(error)), specs[0].key)

    def _take(self) -> Ready | None:
        """The next task that has to be executed; those that another run has committed are passed over."""
        while (ready := self.state.take()) is not None:
            if self.reused is None:
                return ready
            spec = self._spec(ready)
            outcome = self.reused(spec.step, spec.task)
            if outcome is None:
                return ready
            self._tell("task-reused", spec)
            self.state.complete(spec.step, spec.indices, spec.visit, outcome)
        return None

    def _spec(self, ready: Ready) -> TaskSpec:
        return TaskSpec(
            self.store.flow,
            self.store.run,
            ready.step,
            ready.indices,
            ready.visit,
            inputs=ready.inputs,
            limit=self.limits.max_num_splits,
        )

    def _step(self, spec: TaskSpec, launcher: Launcher) -> StepNode:
        """The step as this attempt needs it: with more resources, where its retries ask for more."""
        step = self.graph.steps[spec.step]
        resources = grown(step.resources, step.retry, len(spec.failures))
        if resources is step.resources:
            return step
        step = evolve(step, resources=resources)
        return evolve(step, workload=launcher.render(step))

    def _supervise(self, spec: TaskSpec, now: float) -> None:
        node, launcher = self.graph.steps[spec.step], self.launcher_of[spec.step]
        self.running[spec.key] = Supervised(spec, node, launcher, now, self.limits.log_bytes, self._line, self._flush)

    # listening

    def _event(self, launcher: Launcher, event: LaunchEvent) -> None:
        task = self.running.get(event.key)
        if task is None:
            return
        now = self.world.monotonic()
        if event.kind == "output":
            task.output(event, now)
        elif event.kind == "message":
            answer = task.message(event)
            if answer is not None:
                launcher.reply(event.key, answer)
        elif event.kind == "started":
            task.pid = event.pid
            self._tell("attempt-started", task.spec, pid=event.pid)
        else:
            del self.running[event.key]
            task.exited(event, now)
            self._ended(task, event, now)

    def _line(self, task: Supervised, stream: str, line: bytes, time: float) -> None:
        text = line.decode("utf-8", "backslashreplace")
        self._tell("log-line", task.spec, time=time, stream=stream, text=text, pid=task.pid)

    def _flush(self, task: Supervised, chunk: int, frames: bytes) -> None:
        spec = task.spec
        self.recorder.write(lambda: self.store.write_log_chunk(spec.step, spec.task, spec.attempt, chunk, frames))

    # ending an attempt

    def _ended(self, task: Supervised, event: LaunchEvent, now: float) -> None:
        outcome = self._outcome(task, event)
        spec, seconds = task.spec, round(now - task.started, 6)
        self._index(task, outcome, seconds)
        details: dict[str, Any] = {"status": outcome.status, "seconds": seconds, "usage": task.usage, "pid": task.pid}
        if outcome.committed:
            self._tell("attempt-ended", spec, **details)
            if outcome.size is not None:
                self._tell("foreach-split", spec, size=outcome.size)
            try:
                self.state.complete(spec.step, spec.indices, spec.visit, outcome)
            except HeadraceError as error:
                self._stop("failed", Failure("transition", str(error)), spec.key)
            return
        failure = outcome.failure or Failure("lost", "The attempt ended without a reason.")
        history = [Failure.from_json(dict(earlier)) for earlier in spec.failures]
        decision = decide(failure, task.node.retry, history, self.world.jitter())
        following: TaskSpec | None = None
        if self._end is None and failure.kind != "cancelled":
            if decision.action == "retry":
                following = self._following(spec, failure, "execute")
            elif task.node.absorb is not None and spec.mode == "execute":
                following = self._following(spec, failure, "absorb")
        details["failure"] = failure.to_json()
        details["retry_in"] = decision.delay if following is not None else None
        details["mode"] = following.mode if following is not None else None
        self._tell("attempt-ended", spec, **details)
        if following is not None:
            self._serial += 1
            heapq.heappush(self._retries, (now + decision.delay, self._serial, following))
        elif self._end is None:
            self._stop("failed", failure, spec.key)

    def _outcome(self, task: Supervised, event: LaunchEvent) -> Outcome:
        """What came of the attempt. The commit record decides, the report is its echo, the exit status only a hint."""
        spec = task.spec
        if task.record is not None and task.outcome is not None and task.outcome.committed:
            # a store without conditional writes: whoever holds the run's lease writes the record for the task
            self.store.commit_unconditionally(spec.step, spec.task, task.record)
            return task.outcome
        if task.outcome is not None and (task.outcome.committed or event.kind == "exited"):
            return task.outcome
        record = self.store.read_commit(spec.step, spec.task)
        if record is not None:
            return record.outcome
        failure = task.failure(event)
        statuses = {"timeout": "timed_out", "cancelled": "cancelled", "lost": "lost"}
        outcome = Outcome(statuses.get(failure.kind, "failed"), failure=failure)  # type: ignore[arg-type]
        self.recorder.write(lambda: self.store.write_attempt(spec, outcome))
        return outcome

    def _following(self, spec: TaskSpec, failure: Failure, mode: str) -> TaskSpec:
        # travels in an environment variable with those of all earlier attempts
        earlier = {**failure.to_json(), "message": failure.message[:_EARLIER_MESSAGE], "traceback": ""}
        return TaskSpec.from_json({**spec.to_json(), "attempt": spec.attempt + 1, "mode": mode, "failures": [*spec.failures, earlier]})

    def _index(self, task: Supervised, outcome: Outcome, seconds: float) -> None:
        spec, ended = task.spec, self.world.time()
        data: dict[str, Any] = {"status": outcome.status, "attempt": spec.attempt, "started": ended - seconds, "ended": ended}
        if outcome.size is not None:
            data["size"] = outcome.size
        if outcome.failure is not None:
            data["failure"] = {**outcome.failure.to_json(), "traceback": ""}
        kind = "commit" if outcome.committed else "attempt"
        number = 0 if outcome.committed else spec.attempt
        self.recorder.facts([Fact(kind, spec.flow, spec.run, spec.step, spec.task, number, ended, data)])

    # stopping

    def _stop(self, state: str, failure: Failure | None, key: str | None) -> None:
        """Start nothing more; everything that runs is asked to end and, after the grace time, ended."""
        self._end = RunEnd(state, failure, key)
        self._retries.clear()
        now = self.world.monotonic()
        for task in self.running.values():
            task.cancelled = True
            task.forced_at = now + self.limits.grace
            self.launchers[task.launcher].cancel(task.spec.key, force=False)

    def _interrupted(self, interrupts: Interrupts, *, first: bool) -> None:
        if first and self._end is None:
            self._stop("cancelled", Failure("cancelled", f"The run was interrupted by {interrupts.name}."), None)
        else:
            for task in self.running.values():
                self.launchers[task.launcher].cancel(task.spec.key, force=True)

    def _clock(self) -> None:
        """Whatever is due by now: hard timeouts, the end of a grace time, log chunks."""
        now = self.world.monotonic()
        for task in self.running.values():
            if task.deadline is not None and now >= task.deadline:
                task.timed_out, task.deadline = True, None
                self.launchers[task.launcher].cancel(task.spec.key, force=True)
            if task.forced_at is not None and now >= task.forced_at:
                task.forced_at = None
                self.launchers[task.launcher].cancel(task.spec.key, force=True)
            if task.flush_at is not None and now >= task.flush_at:
                task.flush()

    def _timeout(self) -> float | None:
        due = [at for task in self.running.values() for at in (task.deadline, task.forced_at, task.flush_at) if at is not None]
        if self._retries and self._end is None and len(self.running) < self.limits.max_workers:
            due.append(self._retries[0][0])
        return min(due) - self.world.monotonic() if due else None

    def _tell(self, kind: EventKind, spec: TaskSpec, *, time: float | None = None, **data: Any) -> None:
        moment = self.world.time() if time is None else time
        self.emit(Event(kind, moment, spec.flow, spec.run, spec.step, spec.task, spec.attempt, data))
