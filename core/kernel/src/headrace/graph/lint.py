"""The validity checker: every rule of the flow language, all problems at once. Knows the graph only; a transformed graph is checked like a written one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING, Final

from headrace_hookspecs.ir import FlowGraph, StepNode

from . import lint_paths, lint_splits, lint_steps
from .problems import Problem, diagnostics, graph_error
from .regions import Regions

if TYPE_CHECKING:
    from headrace_hookspecs.diagnostics import Diagnostic

StepRule = Callable[[StepNode, FlowGraph], Iterator[Problem]]
GraphRule = Callable[[FlowGraph, Regions], Iterator[Problem]]

STEP_RULES: Final[tuple[StepRule, ...]] = (
    lint_steps.name, lint_steps.end_is_end, lint_steps.join_does_not_split, lint_steps.switch, lint_steps.transition, lint_steps.known_targets,
)  # fmt: skip
"""Rules about a step by itself."""

PATH_RULES: Final[tuple[GraphRule, ...]] = (lint_paths.start_is_first, lint_paths.acyclic, lint_paths.reachable)
"""Rules about the ways through a graph. They need its transitions to be known."""

SPLIT_RULES: Final[tuple[GraphRule, ...]] = (
    lint_splits.nothing_goes_straight_into_a_join, lint_splits.balanced, lint_splits.one_join_each, lint_splits.parallel_steps,
)  # fmt: skip
"""Rules about what splits and what joins. They need the ways through the graph to be sound."""

_HARMLESS: Final = frozenset(("lint-name-reserved", "lint-name-invalid", "lint-end-join", "lint-join-splits"))
"""Codes of problems that leave the ways through a graph known."""


def lint(graph: FlowGraph, *, nested_foreach: bool = True) -> list[Diagnostic]:
    """Every problem of a graph, in source order. `nested_foreach=False` forbids a foreach within another."""
    return diagnostics(graph, problems_of(graph, nested_foreach=nested_foreach))


def check(graph: FlowGraph, *, nested_foreach: bool = True) -> None:
    """Raise a GraphError with every problem, headed by the first, if there is any."""
    found = lint(graph, nested_foreach=nested_foreach)
    if found:
        raise graph_error(found)


def problems_of(graph: FlowGraph, unread: Collection[str] = (), *, nested_foreach: bool = True) -> list[Problem]:
    """The problems as plain data. `unread` are steps whose transition is known to be wrong already.

    What only follows from another problem is not reported: a step is not called unreachable while the way to it is unknown.
    """
    problems = [*lint_steps.first_and_last(graph)]
    problems += [problem for rule in STEP_RULES for node in graph.steps.values() for problem in rule(node, graph)]
    problems = [problem for problem in problems if problem.code != "lint-next-missing" or problem.step not in unread]
    if unread or any(problem.code not in _HARMLESS for problem in problems):
        return problems
    regions = Regions(graph)
    found = [problem for rule in PATH_RULES for problem in rule(graph, regions)]
    if not found:
        found = [problem for rule in SPLIT_RULES for problem in rule(graph, regions)]
        found += () if nested_foreach else lint_splits.no_nested_foreach(graph, regions)
    return problems + found
