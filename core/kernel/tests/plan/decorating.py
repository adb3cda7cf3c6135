"""Decorators for flow files of tests: what their `plan` does can be seen, or is set by the test."""

from __future__ import annotations

from typing import Any

import attrs
from planning import Bench

from headrace_hookspecs import FlowGraph, Option, PlanContext, StepNode, flow_decorator, hookimpl, step_decorator

DECORATED = """
    from decorators_of_the_test import *
    from headrace import FlowSpec, step

    class Small(FlowSpec):
        @note(text="source")
        @step
        def start(self):
            self.next(self.end)

        @step
        def end(self):
            pass
"""


@attrs.frozen(kw_only=True)
class NoteConfig:
    text: str = ""
    flag: bool = True


class Note:
    """Writes what it was told into the step's labels."""

    def __init__(self, config: NoteConfig) -> None:
        self.config = config

    @staticmethod
    def config_class() -> type[NoteConfig]:
        return NoteConfig

    def plan(self, step: StepNode, context: PlanContext) -> StepNode:
        seen = step.labels.get("note", "") + f"{self.config.text}/{self.config.flag};"
        return attrs.evolve(step, labels={**step.labels, "note": seen})


class Writer:
    """A decorator without configuration whose `plan` is set by the test."""

    act: Any = None

    def plan(self, *arguments: Any) -> Any:
        return type(self).act(*arguments)


class Quiet:
    """A decorator without any method."""


class Branch(Writer):
    def options(self) -> tuple[Option, ...]:
        return (Option("branch"), Option("depth", "int", 3), Option("fast", "bool", False))


def register(bench: Bench) -> None:
    """Make the decorators usable, as they are at first: `writer` and `branch` change nothing."""
    bench.decorator(step_decorator("note", f"{__name__}:Note"))
    bench.decorator(step_decorator("writer", f"{__name__}:Writer"))
    bench.decorator(step_decorator("parallel", f"{__name__}:Quiet"))
    bench.decorator(step_decorator("many", f"{__name__}:Note", multiple=True))
    bench.decorator(flow_decorator("branch", f"{__name__}:Branch"))
    Writer.act = staticmethod(lambda step, context: step)
    Branch.act = staticmethod(lambda graph, options, context: graph)


def with_env(step: StepNode, context: PlanContext) -> StepNode:
    """A `plan` that gives the step `end` a variable."""
    return attrs.evolve(step, env={"A": "b"}) if step.name == "end" else step


def notes(graph: FlowGraph) -> dict[str, str | None]:
    """What `note` wrote into each step."""
    return {name: step.labels.get("note") for name, step in graph.steps.items()}


def add_hook(bench: Bench, name: str, hook: str, function: Any) -> None:
    """A hooks plugin with one hook."""

    def method(self: Any, request: Any) -> Any:
        return function(request)

    bench.add("headrace.hooks", name, type("Plugin", (), {hook: hookimpl(method)})())
