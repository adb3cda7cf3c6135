"""Lint rules about the ways through a graph: every step is reached, and none goes round in circles."""

from __future__ import annotations

from collections.abc import Iterator

from headrace_hookspecs.ir import FlowGraph

from .problems import Problem, at_next, at_step
from .regions import Regions, followers


def start_is_first(graph: FlowGraph, regions: Regions) -> Iterator[Problem]:
    """Nothing leads to the first step."""
    for node in graph.steps.values():
        if graph.start in node.next:
            text = f"Step {node.name!r} goes to {graph.start!r}, the first step."
            yield at_next(node, "lint-start-entered", text, "Let it go elsewhere; the first step cannot be repeated.")


def reachable(graph: FlowGraph, regions: Regions) -> Iterator[Problem]:
    """Every step can be reached from the first."""
    for node in graph.steps.values():
        if node.name not in regions.reachable:
            text = f"Step {node.name!r} is never reached from {graph.start!r}."
            yield at_step(node, "lint-step-unreachable", text, f"Let a step go to self.{node.name}, or remove it.")


def acyclic(graph: FlowGraph, regions: Regions) -> Iterator[Problem]:
    """There are no cycles, but for a switch that names itself among its targets. Those that meet others are found once these are gone."""
    for node in graph.steps.values():
        if node.name in node.next and node.kind != "switch":
            yield _cycle(graph, [node.name])
    before = {name: [other for other in regions.cyclic if name in followers(graph.steps[other], graph.steps)] for name in regions.cyclic}
    left = dict.fromkeys(regions.cyclic)
    while left:
        path: dict[str, None] = {}
        name: str | None = next(iter(left))
        while name is not None and name not in path:
            path[name] = None
            name = next((other for other in before[name] if other in left), None)
        if name is not None:
            names = list(path)
            yield _cycle(graph, names[names.index(name) :][::-1])
        left = {other: None for other in left if other not in path}


def _cycle(graph: FlowGraph, names: list[str]) -> Problem:
    """The cycle that runs through these steps, told from the one that stands first in the source."""
    first = names.index(next(name for name in graph.steps if name in names))
    names = names[first:] + names[:first]
    text = f"The steps go round in a circle: {' -> '.join([*names, names[0]])}."
    return at_next(graph.steps[names[-1]], "lint-cycle", text, "A loop is a switch that names itself among its targets.")
