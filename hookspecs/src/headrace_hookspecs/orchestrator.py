"""Group `headrace.orchestrator`: engines that take the whole graph away. Compilation is pure and byte-identical for the same flow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from attrs import field, frozen

from .capabilities import Capability
from .ir import Compute, FlowGraph
from .outcome import Outcome
from .task import SLOTS, TaskContext


@frozen
class TaskTemplate:
    """How to start any task of one step: a constant argv, constant environment, and the slots whose values the engine writes."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(factory=dict)
    slots: tuple[str, ...] = SLOTS


@frozen
class Deployment:
    """Everything production needs: the graph with its rendered workloads, code, image, configuration and the lock of plugins."""

    graph: FlowGraph
    package: str | None
    image: str | None
    config: Mapping[str, Any]
    plugins: tuple[Mapping[str, str], ...]
    templates: Mapping[str, TaskTemplate]

    def task(self, step: str) -> TaskTemplate:
        """How to start a task of `step`."""
        return self.templates[step]


class Orchestrator(Protocol):
    """A production engine. `formats` lists the workload formats that it can run, `default_compute` is given to steps that name none."""

    capabilities: frozenset[Capability]
    formats: Sequence[str]
    default_compute: Compute

    def compile(self, deployment: Deployment) -> Mapping[str, Any]:
        """The engine's manifest as plain data. Pure; raises MissingCapabilityError, with step and line, for what cannot be expressed."""

    def report(self, task: TaskContext, outcome: Outcome) -> None:
        """In the task's container, after the commit: write what the engine needs to go on."""

    def apply(self, manifest: Mapping[str, Any]) -> str:
        """Install the manifest; the name under which it can be triggered."""

    def trigger(self, name: str, parameters: Mapping[str, Any]) -> str:
        """Start a run; its id."""

    def status(self, name: str, run: str | None = None) -> Mapping[str, Any]:
        """What the engine says of a deployment or of one of its runs."""

    def delete(self, name: str) -> None:
        """Remove a deployment."""
