"""The real scheduler in one thread: a clock that jumps, launchers and a store that are tables, faults from a seed. Also random graphs."""

from __future__ import annotations

import heapq
import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve

from headrace.graph.analysis import analyse
from headrace.run.scheduler import Limits, RunEnd, Scheduler
from headrace.run.world import World
from headrace_hookspecs import (
    Absorb,
    Event,
    Failure,
    FlowGraph,
    LaunchEvent,
    Outcome,
    RetryPolicy,
    StepNode,
    Switch,
    TaskSpec,
)

Address = tuple[str, str]


class Builder:
    """Makes a random valid graph: sequences of plain steps, static splits, foreachs and switches, nested up to `depth`."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.steps: dict[str, StepNode] = {}

    def graph(self, depth: int = 3) -> FlowGraph:
        self._add("start", "linear")
        last = self._sequence("start", depth)
        self._add("end", "end")
        self._link(last, "end")
        return analyse(FlowGraph("Random", dict(self.steps), "start", "end"))

    def _add(self, name: str, kind: Any, **fields: Any) -> str:
        self.steps[name] = StepNode(name, kind, **fields)
        return name

    def _new(self, kind: Any = "linear", **fields: Any) -> str:
        return self._add(f"s{len(self.steps)}", kind, **fields)

    def _link(self, step: str, *targets: str, **fields: Any) -> None:
        self.steps[step] = evolve(self.steps[step], next=targets, **fields)

    def _sequence(self, last: str, depth: int) -> str:
        """Add blocks behind `last`; the name of the step at the end of them."""
        for _ in range(self.rng.randint(1, 2)):
            shape = self.rng.choice(["linear", "split", "foreach", "switch", "loop"] if depth else ["linear"])
            last = getattr(self, f"_{shape}")(last, depth)
        return last

    def _linear(self, last: str, depth: int) -> str:
        name = self._new()
        self._link(last, name)
        return name

    def _split(self, last: str, depth: int) -> str:
        heads = [self._new() for _ in range(self.rng.randint(2, 3))]
        self._link(last, *heads, kind="split")
        ends = [self._sequence(head, depth - 1) for head in heads]
        join = self._new("join", takes_inputs=True)
        for end in ends:
            self._link(end, join)
        return self._linear(join, depth)

    def _foreach(self, last: str, depth: int) -> str:
        body = self._new()
        self._link(last, body, kind="foreach", foreach="items")
        end = self._sequence(body, depth - 1)
        join = self._new("join", takes_inputs=True)
        self._link(end, join)
        return self._linear(join, depth)

    def _switch(self, last: str, depth: int) -> str:
        heads = [self._new() for _ in range(2)]
        cases = tuple((str(number), head) for number, head in enumerate(heads))
        self._link(last, *heads, kind="switch", switch=Switch("kind", cases))
        ends = [self._sequence(head, depth - 1) for head in heads]
        meet = self._new()
        for end in ends:
            self._link(end, meet)
        return self._linear(meet, depth)

    def _loop(self, last: str, depth: int) -> str:
        loop, after = self._new(), self._new()
        self._link(last, loop)
        self._link(loop, loop, after, kind="switch", switch=Switch("again", (("yes", loop), ("no", after))))
        return self._linear(after, depth)


def with_policies(graph: FlowGraph, rng: random.Random) -> FlowGraph:
    """Give some steps retries and some a catch."""
    steps = {}
    for name, step in graph.steps.items():
        retry = RetryPolicy(rng.randint(1, 3), wait=rng.choice([0.0, 5.0]), backoff=2.0, jitter=0.5) if rng.random() < 0.5 else None
        may_absorb = step.kind not in ("foreach", "switch", "split")
        steps[name] = evolve(step, retry=retry, absorb=Absorb() if may_absorb and rng.random() < 0.2 else None)
    return evolve(graph, steps=steps)


class SimWorld(World):
    """Time passes only while the scheduler waits."""

    def __init__(self, seed: int) -> None:
        self.now = 1_000_000.0
        self.rng = random.Random(seed)
        self.launcher: SimLauncher | None = None

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now

    def jitter(self) -> float:
        return self.rng.random()

    def wait(self, descriptors: Sequence[int], timeout: float | None) -> None:
        assert self.launcher is not None
        upcoming = self.launcher.next_time()
        until = min((at for at in (upcoming, None if timeout is None else self.now + timeout) if at is not None), default=None)
        assert until is not None, "the scheduler waits for nothing"
        self.now = max(self.now, until)


class Commit:
    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome


class SimStore:
    """Commit records as a table; counts what is written."""

    flow, run = "Random", "r1"

    def __init__(self) -> None:
        self.commits: dict[Address, Commit] = {}
        self.attempts: list[str] = []

    def commit(self, spec: TaskSpec, outcome: Outcome) -> Outcome:
        return self.commits.setdefault((spec.step, spec.task), Commit(outcome)).outcome

    def read_commit(self, step: str, task: str) -> Commit | None:
        return self.commits.get((step, task))

    def write_attempt(self, spec: TaskSpec, outcome: Outcome) -> None:
        self.attempts.append(spec.key)

    def write_log_chunk(self, *_: Any) -> None:
        raise AssertionError("nothing was printed")


class SimRecorder:
    def __init__(self) -> None:
        self.known: list[Any] = []

    def facts(self, facts: Sequence[Any]) -> None:
        self.known.extend(facts)

    def write(self, action: Any) -> None:
        action()


class SimLauncher:
    """Tasks that take random time and meet random faults: they fail, are killed before or after their commit, or are lost."""

    def __init__(self, world: SimWorld, store: SimStore, graph: FlowGraph, program: Program, faults: float) -> None:
        self.world, self.store, self.graph, self.program, self.faults = world, store, graph, program, faults
        self.queue: list[tuple[float, int, LaunchEvent]] = []
        self.serial = 0
        self.executed: Counter[Address] = Counter()
        self.alive: dict[str, TaskSpec] = {}
        self.most = 0
        self.order: list[Address] = []

    def fileno(self) -> int:
        return -1

    def next_time(self) -> float | None:
        return self.queue[0][0] if self.queue else None

    def launch(self, specs: Sequence[TaskSpec], steps: Sequence[StepNode]) -> None:
        for spec, step in zip(specs, steps, strict=True):
            assert spec.step == step.name
            assert spec.key not in self.alive
            self.alive[spec.key] = spec
            self.most = max(self.most, len(self.alive))
            self.order.append((spec.step, spec.task))
            self._push(0.0, LaunchEvent("started", spec.key, self.world.now, pid=1))
            self._script(spec)

    def _script(self, spec: TaskSpec) -> None:
        """Decide now what happens when; nothing is committed before the moment comes."""
        rng, end = self.world.rng, self.world.rng.uniform(0.1, 10.0)
        fate = rng.random()
        if spec.mode == "absorb":
            fate = 1.0
        if fate < self.faults:
            kind = rng.choice(["failed", "killed", "killed-late", "lost", "lost-late"])
        else:
            kind = "fine"
        self._push(end, ("end", kind, spec))

    def _finish(self, kind: str, spec: TaskSpec) -> None:
        if spec.key not in self.alive:
            return
        now = self.world.now
        failing = Failure("exception", "boom", "builtins.ValueError", "boom")
        if kind == "failed":
            self._message(spec, Outcome("failed", failure=failing))
            self._exit(spec, exit_code=1)
        elif kind == "killed":
            self._exit(spec, signal=9)
        elif kind == "lost":
            del self.alive[spec.key]
            self._push(0.0, LaunchEvent("lost", spec.key, now))
        else:
            outcome = Outcome("absorbed", self.graph.steps[spec.step].next) if spec.mode == "absorb" else self.program.outcome(spec)
            self.executed[spec.step, spec.task] += 1
            outcome = self.store.commit(spec, outcome)
            if kind == "fine":
                self._message(spec, outcome)
                self._exit(spec, exit_code=0)
            elif kind == "killed-late":
                self._exit(spec, signal=9)
            else:
                del self.alive[spec.key]
                self._push(0.0, LaunchEvent("lost", spec.key, now))

    def _message(self, spec: TaskSpec, outcome: Outcome) -> None:
        line = json.dumps({"type": "outcome", "outcome": outcome.to_json()}).encode()
        self._push(0.0, LaunchEvent("message", spec.key, self.world.now, line))

    def _exit(self, spec: TaskSpec, **how: int) -> None:
        del self.alive[spec.key]
        self._push(0.0, LaunchEvent("exited", spec.key, self.world.now, **how))  # type: ignore[arg-type]

    def cancel(self, key: str, *, force: bool) -> None:
        spec = self.alive.get(key)
        # a task may ignore SIGTERM; SIGKILL it cannot
        if spec is not None and (force or self.world.rng.random() < 0.5):
            self._exit(spec, signal=9 if force else 15)

    def reply(self, key: str, line: bytes) -> None:
        raise AssertionError("nobody asked")

    def events(self) -> list[LaunchEvent]:
        found = []
        while self.queue and self.queue[0][0] <= self.world.now:
            item: Any = heapq.heappop(self.queue)[2]
            if isinstance(item, LaunchEvent):
                found.append(item)
            else:
                self._finish(item[1], item[2])
        return found

    def _push(self, delay: float, item: Any) -> None:
        self.serial += 1
        heapq.heappush(self.queue, (self.world.now + delay, self.serial, item))


class Program:
    """What user code would do: foreach widths, chosen branches and numbers of visits as pure functions of the task."""

    def __init__(self, graph: FlowGraph, seed: int) -> None:
        self.graph, self.seed = graph, seed

    def outcome(self, spec: TaskSpec) -> Outcome:
        step = self.graph.steps[spec.step]
        rng = random.Random(f"{self.seed}/{spec.step}/{spec.task}")
        if step.kind == "foreach":
            return Outcome("succeeded", step.next, rng.randint(1, 4))
        if step.recursive:
            again, after = step.next[0], step.next[1]
            return Outcome("succeeded", (again if (spec.visit or 0) < 2 else after,))
        if step.kind == "switch":
            return Outcome("succeeded", (rng.choice(step.next),))
        return Outcome("succeeded", step.next)


class Simulation:
    """One run. `store` may hold commits of an earlier run, which `reused` then answers with."""

    def __init__(
        self, graph: FlowGraph, seed: int, *, faults: float = 0.0, workers: int = 4, reused: Mapping[Address, Outcome] | None = None
    ) -> None:
        self.world = SimWorld(seed)
        self.store = SimStore()
        self.graph = graph
        self.launcher = SimLauncher(self.world, self.store, graph, Program(graph, 7), faults)
        self.world.launcher = self.launcher
        self.events: list[Event] = []
        self.workers = workers
        taken = dict(reused or {})
        self.scheduler = Scheduler(
            graph,
            self.store,  # type: ignore[arg-type]
            {"sim": self.launcher},  # type: ignore[dict-item]
            dict.fromkeys(graph.steps, "sim"),
            SimRecorder(),  # type: ignore[arg-type]
            Limits(workers, 1000, 1 << 20, 3.0),
            self.events.append,
            (lambda step, task: taken.get((step, task))) if taken else None,
            self.world,
        )

    def run(self) -> RunEnd:
        return self.scheduler.run()


def reference(graph: FlowGraph, program: Program) -> set[Address]:
    """The tasks of an undisturbed run, by plain recursion over the graph: no queue, no counters."""
    found: set[Address] = set()

    def walk(name: str, indices: tuple[int, ...], visit: int | None, stop: str | None) -> None:
        while name != stop:
            step = graph.steps[name]
            spec = TaskSpec("Random", "r1", name, indices, visit if step.recursive else None)
            found.add((name, spec.task))
            outcome = program.outcome(spec)
            if step.kind == "foreach":
                for index in range(outcome.size or 0):
                    walk(step.next[0], (*indices, index), 0, step.matching_join)
                name = step.matching_join or ""
            elif step.kind == "split":
                for target in step.next:
                    walk(target, indices, 0, step.matching_join)
                name = step.matching_join or ""
            elif not outcome.next:
                return
            else:
                visit = (visit or 0) + 1 if outcome.next[0] == name else 0
                name = outcome.next[0]

    walk(graph.start, (), 0, None)
    return found
