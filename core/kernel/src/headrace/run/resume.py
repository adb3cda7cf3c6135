"""What a new run can take over from an earlier one: every committed task whose inputs it can take over too and whose step is as it was."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from headrace_hookspecs import FlowGraph, Outcome, StepNode, task_id
from headrace_hookspecs.errors import HeadraceError

from .state import Ready, RunState


class Reusable(NamedTuple):
    """The tasks to take over, by step, and how many of them there are."""

    tasks: dict[str, list[str]]
    number: int


def signature(graph: FlowGraph, step: StepNode) -> tuple[object, ...]:
    """What must be equal for a step's tasks to mean the same in both runs: kind, transitions, the splits around it."""
    around = tuple((name, graph.steps[name].kind) for name in step.split_parents if name in graph.steps)
    return (step.kind, step.next, step.takes_inputs, step.num_parallel, step.gang, step.closes, around)


def descendants(graph: FlowGraph, step: str) -> set[str]:
    """The step and everything that can follow it."""
    found: set[str] = set()
    stack = [step]
    while stack:
        name = stack.pop()
        if name not in found:
            found.add(name)
            stack.extend(graph.steps[name].next)
    return found


def reusable(
    graph: FlowGraph,
    origin: FlowGraph,
    committed: Collection[tuple[str, str]],
    outcomes: Callable[[Iterable[tuple[str, str]]], Iterable[Outcome]],
    rerun: Collection[str],
) -> Reusable:
    """Walk the new graph with the origin's outcomes for as far as they carry.

    `committed` are (step, task id) pairs of the origin, `outcomes` reads theirs in batches, `rerun` names steps that run again anyway.
    """
    fixed = {
        name
        for name, step in graph.steps.items()
        if name not in rerun and name in origin.steps and signature(graph, step) == signature(origin, origin.steps[name])
    }
    state = RunState(graph)
    taken: dict[str, list[str]] = {}
    count = 0
    while state.waiting:
        wave: list[tuple[Ready, str]] = []
        while len(wave) < 256 and (ready := state.take()) is not None:
            task = task_id(ready.indices, ready.visit)
            if ready.step in fixed and (ready.step, task) in committed:
                wave.append((ready, task))
        keys = [(ready.step, task) for ready, task in wave]
        for (ready, task), outcome in zip(wave, outcomes(keys), strict=True):
            try:
                state.complete(ready.step, ready.indices, ready.visit, outcome)
            except HeadraceError:
                continue  # the step's code says something else now; it runs again
            taken.setdefault(ready.step, []).append(task)
            count += 1
    return Reusable(taken, count)
