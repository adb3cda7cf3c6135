"""Which tasks a task takes its inputs from: a pure function of the graph, the ids and the outcomes, for scheduler, task and container alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from headrace_hookspecs.errors import NotFoundError
from headrace_hookspecs.ids import task_id
from headrace_hookspecs.ir import FlowGraph, StepNode
from headrace_hookspecs.outcome import Outcome

from .regions import reached

Outcomes = Callable[[str, str], Outcome | None]
"""The recorded outcome of (step, task id), None where nothing is committed."""


def inputs_of(graph: FlowGraph, step: str, indices: Sequence[int], visit: int | None, outcomes: Outcomes) -> Iterator[tuple[str, str]]:
    """(step, task id) of each predecessor of a task, in order, as they are asked for.

    A join gets one a branch in source order, or one an element in index order. `visit` counts a recursive step's tasks from 0 and is None for
    all other steps. `outcomes` is asked only where the ids alone leave a choice: after a switch, a loop or a foreach. Raises NotFoundError
    where a predecessor that must be there has not committed.
    """
    node, indices = graph.steps[step], tuple(indices)
    if node.closes is None:
        if visit:
            yield step, task_id(indices, visit - 1)
        elif node.predecessors:
            yield _taken(graph, node, node.predecessors, indices, outcomes)
        return
    split = graph.steps[node.closes]
    if split.kind == "foreach":
        outcome = outcomes(split.name, task_id(indices))
        if outcome is None or outcome.size is None:
            raise _absent(node, f"{split.name}/{task_id(indices)}")
        for index in range(outcome.size):
            yield _taken(graph, node, node.predecessors, (*indices, index), outcomes)
        return
    for branch in split.next:
        inside = node.predecessors
        if len(inside) > len(split.next):
            region = reached(graph, [branch], node.name)
            inside = tuple(name for name in inside if name in region)
        else:
            inside = (inside[split.next.index(branch)],)
        yield _taken(graph, node, inside, indices, outcomes)


def _taken(graph: FlowGraph, node: StepNode, candidates: Sequence[str], indices: tuple[int, ...], outcomes: Outcomes) -> tuple[str, str]:
    """The one of `candidates`, all of which can lead to `node` at these indices, that did."""
    for name in candidates:
        found = graph.steps[name]
        task = task_id(indices[: found.foreach_depth])
        if found.recursive:
            last = _last_visit(name, task, outcomes)
            if last is None:
                continue
            task = f"{task}-{last}"
        if len(candidates) == 1:
            return name, task
        outcome = outcomes(name, task)
        if outcome is not None and node.name in outcome.next:
            return name, task
    raise _absent(node, " or ".join(candidates))


def _last_visit(step: str, task: str, outcomes: Outcomes) -> int | None:
    """The number of the last committed visit of a recursive step. Visits have no gaps, so this takes a logarithmic number of questions."""

    def visited(number: int) -> bool:
        return outcomes(step, f"{task}-{number}") is not None

    if not visited(0):
        return None
    low, high = 0, 1
    while visited(high):
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if visited(middle) else (low, middle)
    return low


def _absent(node: StepNode, what: str) -> NotFoundError:
    return NotFoundError(f"Step {node.name!r} needs {what}, which has not committed.", step=node.name, code="not-found-input")
