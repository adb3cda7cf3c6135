"""Lint rules about splits and joins: what opens is closed, once, by all of its branches and by no others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from headrace_hookspecs.ir import DecoratorUse, FlowGraph, StepNode

from .problems import Problem, at_next, at_step
from .regions import Regions, Stack, joins

_DIRECT: Final = {
    "foreach": (
        "lint-foreach-empty",
        "Foreach {!r} goes straight into the join {!r}.",
        "Put a step between them, which runs for each element.",
    ),
    "split": ("lint-branch-empty", "A branch of {!r} goes straight into the join {!r}.", "Put a step between them."),
    "switch": (
        "lint-switch-join",
        "Switch {!r} goes straight into the join {!r}: its input would come or not.",
        "Put a step between them.",
    ),
}


def nothing_goes_straight_into_a_join(graph: FlowGraph, regions: Regions) -> Iterator[Problem]:
    """A foreach and each branch of a split do something before they join; a join is no case of a switch."""
    for node, join in _direct(graph):
        code, text, remedy = _DIRECT[node.kind]
        yield at_next(node, code, text.format(node.name, join.name), remedy)


def _direct(graph: FlowGraph) -> Iterator[tuple[StepNode, StepNode]]:
    for node in graph.steps.values():
        for target in dict.fromkeys(node.next):
            if node.kind in _DIRECT and joins(graph.steps[target]):
                yield node, graph.steps[target]


def balanced(graph: FlowGraph, regions: Regions) -> Iterator[Problem]:
    """Whatever way is taken, a step finds the same splits open; a join closes the innermost, the end finds none."""
    sound = True
    direct = {join.name for _, join in _direct(graph)}
    for name in regions.order:
        node, arrivals = graph.steps[name], regions.arrivals[name]
        if not arrivals or name in direct:
            continue
        if joins(node):
            for problem in _join(graph, node, arrivals):
                sound = False
                yield problem
            continue
        first, stack = next(iter(arrivals.items()))
        for other, found in arrivals.items():
            if found != stack:
                sound = False
                yield _meeting(node, (first, stack), (other, found))
                break
        else:
            if name == graph.end and stack and sound and not direct:
                opened = graph.steps[stack[-1][0]]
                text = f"Step {name!r} is reached while the {opened.kind} of {opened.name!r} is still open."
                yield at_next(opened, "lint-split-open", text, "Join its branches, in a step that takes inputs, before the end.")


def _meeting(node: StepNode, one: tuple[str, Stack], other: tuple[str, Stack]) -> Problem:
    """Two ways that meet in a step that is no join, though they should not."""
    text = f"Step {node.name!r} is reached from {one[0]!r} and from {other[0]!r}, "
    if [split for split, _ in one[1]] == [split for split, _ in other[1]]:
        split = next(a for (a, branch), (_, taken) in zip(one[1], other[1], strict=True) if branch != taken)
        return at_step(node, "lint-join-missing", f"{text}two branches of {split!r}.", f"Make it a join: def {node.name}(self, inputs).")
    text += "which are inside of different splits."
    return at_step(node, "lint-split-unbalanced", text, "Join each split before its branches meet others.")


def _join(graph: FlowGraph, node: StepNode, arrivals: dict[str, Stack]) -> Iterator[Problem]:
    sources = ", ".join(repr(name) for name in arrivals)
    lone = [name for name, stack in arrivals.items() if not stack]
    if lone:
        text = f"Join {node.name!r} is reached from {lone[0]!r}, where no split is open."
        yield at_step(node, "lint-join-alone", text, "A join takes the branches of a split; drop its inputs argument if there is none.")
        return
    if len({tuple(split for split, _ in stack) for stack in arrivals.values()}) > 1 or len({stack[:-1] for stack in arrivals.values()}) > 1:
        text = f"Join {node.name!r} is reached from {sources}, which are not branches of one split."
        yield at_step(node, "lint-join-unrelated", text, "Join the branches of each split by themselves, the inner one first.")
        return
    split = graph.steps[next(iter(arrivals.values()))[-1][0]]
    taken = {stack[-1][1] for stack in arrivals.values()}
    absent = [branch for branch in split.next if branch not in taken]
    if absent:
        text = f"Join {node.name!r} waits for all branches of {split.name!r}, but {', '.join(map(repr, absent))} does not lead to it."
        yield at_step(node, "lint-join-branches", text, "Let every branch of the split end in the same join.")


def one_join_each(graph: FlowGraph, regions: Regions) -> Iterator[Problem]:
    """A split is closed by one join: with two, which of them is reached could differ from branch to branch."""
    seen: dict[str, str] = {}
    for join, split in regions.closes.items():
        other = seen.setdefault(split, join)
        complete = {stack[-1][1] for stack in regions.arrivals[join].values() if stack} >= set(graph.steps[split].next)
        if other != join and complete:
            text = f"The branches of {split!r} are joined by {other!r} and by {join!r}."
            remedy = "Let all of its branches end in the same join, whatever a switch in them chooses."
            yield at_step(graph.steps[join], "lint-join-several", text, remedy)


def is_parallel(use: DecoratorUse) -> bool:
    """Whether a decorator makes its step one of several nodes that run at the same time, as `@parallel` does."""
    return use.name == "parallel" or use.name.endswith("_parallel")


def parallel_steps(graph: FlowGraph, regions: Regions) -> Iterator[Problem]:
    """`num_parallel` leads to a step with @parallel, nothing else does, and a join follows it."""
    for node in graph.steps.values():
        arrivals = regions.arrivals[node.name]
        entered = [name for name in arrivals if graph.steps[name].num_parallel]
        decorated = any(is_parallel(use) for use in node.decorators)
        if entered and not decorated:
            text = f"Step {node.name!r} is entered by num_parallel and has no @parallel."
            yield at_step(node, "lint-parallel-missing", text, "Decorate it with @parallel.")
        if decorated and (len(entered) < len(arrivals) or not arrivals):
            text = f"Step {node.name!r} has @parallel and is not entered by num_parallel."
            yield at_step(node, "lint-parallel-entry", text, f"Go to it with self.next(self.{node.name}, num_parallel=n).")
        if (decorated or entered) and any(not joins(graph.steps[target]) for target in node.next):
            text = f"Step {node.name!r} runs in parallel and is not followed by a join."
            yield at_next(node, "lint-parallel-join", text, "Let it go to a step that takes inputs.")


def no_nested_foreach(graph: FlowGraph, regions: Regions) -> Iterator[Problem]:
    """Where the project forbids it: no foreach within another."""
    for node in graph.steps.values():
        outer = [split for split, _ in regions.stacks[node.name] if graph.steps[split].kind == "foreach"]
        if node.kind == "foreach" and outer:
            text = f"Foreach {node.name!r} is inside of that of {outer[-1]!r}."
            yield at_next(node, "lint-foreach-nested", text, "Join first, or use one list.")
