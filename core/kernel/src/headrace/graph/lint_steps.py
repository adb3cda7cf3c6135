"""Lint rules about a step by itself: its name, its arguments, its place as first or last, its cases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from headrace_hookspecs.ir import FlowGraph

from .problems import Problem, at_next, at_step

RESERVED: Final = frozenset(("cmd", "foreach_stack", "index", "input", "merge_artifacts", "name", "next", "run", "script_name"))
"""What every flow has under these names would be hidden by a step, or is expected there by tools."""

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_]{0,127}\Z")


def reserved_names(graph: FlowGraph) -> Iterator[Problem]:
    """A step may not have the name of something that every flow has."""
    for node in graph.steps.values():
        if node.name in RESERVED:
            yield at_step(node, "lint-name-reserved", f"Step name {node.name!r} is reserved.", "Give the step another name.")


def start_and_end(graph: FlowGraph) -> Iterator[Problem]:
    """There is a first and a last step."""
    if not graph.steps:
        yield Problem("lint-steps-missing", f"Flow {graph.name} has no steps.", "Mark its methods with @step.", source=graph.source)
        return
    for which, name, place in (("start", graph.start, "first"), ("end", graph.end, "last")):
        if name not in graph.steps:
            yield Problem(
                f"lint-{which}-missing",
                f"Flow {graph.name} has no {which} step.",
                f"Name its {place} step {which!r}, or mark it with @step({which}=True).",
                source=graph.source,
            )


def end_is_end(graph: FlowGraph) -> Iterator[Problem]:
    """Nothing follows the last step, and it is no join."""
    node = graph.steps.get(graph.end)
    if node is None:
        return
    if node.next:
        yield at_next(node, "lint-end-next", f"Step {node.name!r} is the last one and calls self.next.", "Remove the call.")
    if node.takes_inputs or node.kind == "join":
        yield at_step(
            node,
            "lint-end-join",
            f"Step {node.name!r} is the last one and takes inputs.",
            "Join in a step before it, and end without inputs.",
        )


def step_names(graph: FlowGraph) -> Iterator[Problem]:
    """Names are lower case, so that they are names everywhere."""
    for node in graph.steps.values():
        if not _NAME.match(node.name):
            yield at_step(
                node,
                "lint-name-invalid",
                f"{node.name!r} cannot be the name of a step.",
                "Use lower-case letters, digits and _, no _ at the beginning, and at most 128 of them.",
            )


def joins_do_not_split(graph: FlowGraph) -> Iterator[Problem]:
    """A step that takes inputs is a join and nothing else."""
    for node in graph.steps.values():
        if node.takes_inputs and node.kind in ("split", "foreach", "switch"):
            yield at_step(
                node,
                "lint-join-splits",
                f"Step {node.name!r} is a join (it takes inputs) and a {node.kind} as well.",
                "Join in one step, and go on to another that splits.",
            )


def switches(graph: FlowGraph) -> Iterator[Problem]:
    """A switch has a condition and cases to choose from."""
    for node in graph.steps.values():
        if node.kind == "switch":
            if node.switch is None or not node.switch.condition:
                yield at_next(node, "lint-switch-invalid", f"Switch {node.name!r} has no condition.", 'Write condition="attribute".')
            elif len(node.switch.cases) < 2:
                cases = "one case" if node.switch.cases else "no cases"
                yield at_next(
                    node, "lint-switch-cases", f"Switch {node.name!r} has {cases}.", "Give it two or more, or call self.next without it."
                )
