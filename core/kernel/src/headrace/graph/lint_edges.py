"""Lint rules about the ways through a graph: every step goes somewhere that exists, and is reached, without going round in circles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from headrace_hookspecs.ir import FlowGraph

from .problems import Problem, at_next, at_step
from .regions import Regions, followers

BREAKING: Final = frozenset(
    ("lint-steps-missing", "lint-start-missing", "lint-end-missing", "lint-end-next", "lint-next-unknown", "lint-switch-cases")
)
"""Codes of problems after which the ways through a graph are not known."""


def transitions(graph: FlowGraph) -> Iterator[Problem]:
    """Every step but the last goes on, in one of the forms that there are."""
    for node in graph.steps.values():
        if node.name == graph.end or node.kind == "switch":
            continue
        count = len(node.next)
        if not count:
            yield at_step(
                node,
                "lint-next-missing",
                f"Step {node.name!r} does not end with self.next(...).",
                "End it with self.next(self.<step>), or name the last step 'end'.",
            )
        elif len(set(node.next)) < count or node.kind == "end" or (node.kind == "split") != (count > 1):
            text = f"Step {node.name!r} is a {node.kind} that goes to {', '.join(node.next)}."
            yield at_next(
                node, "lint-next-invalid", text, "A split has several different targets; a linear step, a foreach or a join has one."
            )


def unknown_targets(graph: FlowGraph) -> Iterator[Problem]:
    """Every target is a step."""
    for node in graph.steps.values():
        for target in dict.fromkeys(node.next):
            if target not in graph.steps:
                import difflib

                near = difflib.get_close_matches(target, graph.steps, 1)
                yield at_next(
                    node,
                    "lint-next-unknown",
                    f"Step {node.name!r} goes to {target!r}, which is no step.",
                    f"Did you mean {near[0]!r}?" if near else "Mark the method with @step, or correct the name.",
                )


def start_is_first(graph: FlowGraph, regions: Regions) -> Iterator[Problem]:
    """Nothing leads to the first step."""
    for node in graph.steps.values():
        if graph.start in node.next:
            text = f"Step {node.name!r} goes to {graph.start!r}, the first step."
            yield at_next(node, "lint-start-entered", text, "Let it go elsewhere; the first step cannot be repeated.")


def acyclic(graph: FlowGraph, regions: Regions) -> Iterator[Problem]:
    """There are no cycles, but for a switch that names itself among its targets."""
    for node in graph.steps.values():
        if node.name in node.next and node.kind != "switch":
            yield _cycle(graph, [node.name])
    left = dict.fromkeys(regions.cyclic)
    while left:
        path: dict[str, None] = {}
        name = next(iter(left))
        while name not in path:
            path[name] = None
            # every one that is left follows another one that is left: going backwards never ends
            name = next(other for other in left if name in followers(graph.steps[other], graph.steps))
        names = list(path)
        circle = names[names.index(name) :][::-1]
        first = min(range(len(circle)), key=lambda i: list(graph.steps).index(circle[i]))
        yield _cycle(graph, circle[first:] + circle[:first])
        left = _trimmed(graph, {name: None for name in left if name not in circle})


def _trimmed(graph: FlowGraph, left: dict[str, None]) -> dict[str, None]:
    """Without what only lay behind a cycle that has been reported."""
    while True:
        kept = {name: None for name in left if any(name in followers(graph.steps[other], graph.steps) for other in left)}
        if len(kept) == len(left):
            return kept
        left = kept


def _cycle(graph: FlowGraph, names: list[str]) -> Problem:
    shown = " -> ".join([*names, names[0]])
    node = graph.steps[names[-1]]
    return at_next(
        node, "lint-cycle", f"The steps go round in a circle: {shown}.", "A loop is a switch that names itself among its targets."
    )


def reachable(graph: FlowGraph, regions: Regions) -> Iterator[Problem]:
    """Every step can be reached from the first."""
    for node in graph.steps.values():
        if node.name not in regions.reachable:
            text = f"Step {node.name!r} is never reached from {graph.start!r}."
            yield at_step(node, "lint-step-unreachable", text, f"Let a step go to self.{node.name}, or remove it.")
