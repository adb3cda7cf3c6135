"""Lint rules about a step by itself: its name, its place as first or last, its transition, its cases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from headrace_hookspecs.ir import FlowGraph, StepNode

from .problems import Problem, at_next, at_step

RESERVED: Final = frozenset(("cmd", "foreach_stack", "index", "input", "merge_artifacts", "name", "next", "run", "script_name"))
"""What every flow has under these names would be hidden by a step, or is expected there by tools."""

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_]{0,127}\Z")


def first_and_last(graph: FlowGraph) -> Iterator[Problem]:
    """There is a first and a last step."""
    if not graph.steps:
        yield Problem("lint-steps-missing", f"Flow {graph.name} has no steps.", "Mark its methods with @step.")
        return
    for which, name, code in (("start", graph.start, "lint-start-missing"), ("end", graph.end, "lint-end-missing")):
        if name not in graph.steps:
            remedy = f"Name a step {which!r}, or mark one with @step({which}=True)."
            yield Problem(code, f"Flow {graph.name} has no {which} step.", remedy)


def name(node: StepNode, graph: FlowGraph) -> Iterator[Problem]:
    """A step's name is lower case, a name everywhere, and not that of something that every flow has."""
    if node.name in RESERVED:
        yield at_step(node, "lint-name-reserved", f"Step name {node.name!r} is reserved.", "Give the step another name.")
    elif not _NAME.match(node.name):
        remedy = "Use lower-case letters, digits and _, no _ at the beginning, and at most 128 of them."
        yield at_step(node, "lint-name-invalid", f"{node.name!r} cannot be the name of a step.", remedy)


def end_is_end(node: StepNode, graph: FlowGraph) -> Iterator[Problem]:
    """Nothing follows the last step, and it is no join."""
    if node.name == graph.end and node.next:
        yield at_next(node, "lint-end-next", f"Step {node.name!r} is the last one and calls self.next.", "Remove the call.")
    if node.name == graph.end and (node.takes_inputs or node.kind == "join"):
        remedy = "Join in a step before it, and end without inputs."
        yield at_step(node, "lint-end-join", f"Step {node.name!r} is the last one and takes inputs.", remedy)


def join_does_not_split(node: StepNode, graph: FlowGraph) -> Iterator[Problem]:
    """A step that takes inputs is a join and nothing else."""
    if node.takes_inputs and node.kind in ("split", "foreach", "switch"):
        text = f"Step {node.name!r} is a join (it takes inputs) and a {node.kind} as well."
        yield at_step(node, "lint-join-splits", text, "Join in one step, and go on to another that splits.")


def switch(node: StepNode, graph: FlowGraph) -> Iterator[Problem]:
    """A switch has a condition, and cases to choose from, which are its targets."""
    if node.kind != "switch":
        return
    cases = node.switch.cases if node.switch else ()
    if node.switch is None or not node.switch.condition or {target for _, target in cases} != set(node.next):
        yield at_next(node, "lint-switch-invalid", f"Switch {node.name!r} lacks a condition or its cases.", "Give it both.")
    elif len(cases) < 2:
        text = f"Switch {node.name!r} has {len(cases) or 'no'} case{'' if cases else 's'}."
        yield at_next(node, "lint-switch-cases", text, "Give it two or more, or call self.next without it.")


def transition(node: StepNode, graph: FlowGraph) -> Iterator[Problem]:
    """Every step but the last goes on, in one of the forms that there are."""
    count = len(node.next)
    if node.name == graph.end or node.kind == "switch":
        return
    if not count:
        remedy = "End it with self.next(self.<step>), or name the last step 'end'."
        yield at_step(node, "lint-next-missing", f"Step {node.name!r} does not end with self.next(...).", remedy)
    elif len(set(node.next)) < count or node.kind == "end" or (node.kind == "split") != (count > 1):
        text = f"Step {node.name!r} is a {node.kind} that goes to {', '.join(node.next)}."
        yield at_next(node, "lint-next-invalid", text, "A split has several different targets; all else but a switch has one.")


def known_targets(node: StepNode, graph: FlowGraph) -> Iterator[Problem]:
    """Every target is a step."""
    for target in dict.fromkeys(node.next):
        if target not in graph.steps:
            import difflib

            near = difflib.get_close_matches(target, graph.steps, 1)
            remedy = f"Did you mean {near[0]!r}?" if near else "Mark the method with @step, or correct the name."
            yield at_next(node, "lint-next-unknown", f"Step {node.name!r} goes to {target!r}, which is no step.", remedy)
