"""What all attempts of a run in one process share: the flow class, the graph, parameters, serialisers, decorators. Built once, before a fork."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from headrace_hookspecs import Outcome, StepNode, TaskContext
from headrace_hookspecs.decorators import PHASES

from ..dsl.flow import FlowSpec
from ..dsl.parameters import parameter_values
from ..graph.codec import graph_from_json
from ..plan.decorators import build_decorators, build_flow_decorators
from ..project import Project
from ..store.facts import RunStore


class Runtime:
    """`record` is the run record; `scheduled` says that a scheduler holding the run's lease supervises the attempts."""

    def __init__(self, cls: type[FlowSpec], project: Project, record: Mapping[str, Any], *, scheduled: bool) -> None:
        self.cls = cls
        self.project = project
        self.record = record
        self.scheduled = scheduled
        self.graph = graph_from_json(record["graph"])
        self.parameters = parameter_values(self.graph.parameters, record["parameters"])
        self.serializers = project.serializers
        self.limits = {name: int(project.config.get(f"limits.{name}")) for name in ("inline_value", "inline_total")}
        self._manager = project.manager("task")
        self.flow_decorators: list[Any] = build_flow_decorators(self.graph, project.registry)
        """Around every step and its own decorators, the topmost outermost."""
        self._decorators: dict[str, list[Any]] = {}
        for name, node in self.graph.steps.items():
            if node.decorators:
                self._decorators[name] = self._build(node)

    def open_store(self, run: str) -> RunStore:
        """The run's part of the datastore. Opens the datastore in this process."""
        return self.project.run_store(self.graph.name, run, reuse=self.record.get("reuse") or {})

    def decorators(self, step: str) -> list[Any]:
        """The decorators of a step, outermost first."""
        return self._decorators.get(step, [])

    def execute(self, context: TaskContext, kernel: Callable[[], Outcome]) -> Outcome:
        """Run `kernel` inside the `headrace_task_execute` wrappers."""
        if not self._manager.implements("headrace_task_execute"):
            return kernel()
        from headrace_hookspecs.hooks import ExecuteRequest

        return self._manager.task_execute(ExecuteRequest(context), kernel)

    def _build(self, node: StepNode) -> list[Any]:
        """By phase; in a phase the one that is written topmost is outermost."""
        found = build_decorators(node, self.project.registry)
        return sorted(found, key=lambda one: PHASES.index(getattr(one, "phase", "observe")))
