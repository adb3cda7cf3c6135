"""Group `headrace.orchestrator`: engines that take the whole graph away. Compilation is pure and byte-identical for the same flow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from attrs import frozen

from .capabilities import Capability
from .ir import Compute, FlowGraph, StepNode
from .outcome import Outcome
from .task import SLOTS


@frozen
class TaskTemplate:
    """How to start any task of one step: a constant argv, constant environment, and the slots whose values the engine writes.

    The step's own variables (`StepNode.env`) are not here but in its workload, where its launcher has rendered them.

    A slot `NAME` is the environment variable `HEADRACE_NAME`; one that has no value for a task is left out or empty. Exit status 0 means
    committed, `NEVER_RETRY` that another attempt is useless, anything else that the retry policy has to be asked.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str]
    slots: tuple[str, ...] = SLOTS


@frozen
class Deployment:
    """Everything production needs: the graph with its rendered workloads, code, image, configuration and the lock of plugins.

    `name` is a DNS label, the name under which the engine knows the flow. `id` is made of all the rest, so that the same flow has the
    same; tasks read the record of that id from the datastore. `templates` has one entry a step; `exit` starts what has to be done after a
    run that did not reach its end (mode `hook`, slots RUN and STATUS). `package` is the hex SHA-256 of the code package.
    """

    name: str
    id: str
    graph: FlowGraph
    package: str
    image: str | None
    config: Mapping[str, Any]
    plugins: tuple[Mapping[str, str], ...]
    templates: Mapping[str, TaskTemplate]
    exit: TaskTemplate
    tags: tuple[str, ...] = ()

    def task(self, step: str) -> TaskTemplate:
        """How to start a task of `step`."""
        return self.templates[step]


class Report(NamedTuple):
    """A task has committed: its step, its outcome, and `place`, the value of the slot REPORT."""

    step: StepNode
    outcome: Outcome
    place: str


class Orchestrator(Protocol):
    """A production engine. `formats` are the workload formats that it can run, `default_compute` is given to steps that name none."""

    capabilities: frozenset[Capability]
    default_compute: Compute

    @property
    def formats(self) -> Sequence[str]:
        """The names of the workload formats."""

    def compile(self, deployment: Deployment) -> Mapping[str, Any]:
        """The engine's manifest as plain data. Pure; raises MissingCapabilityError, with step and line, for what cannot be expressed."""

    def report(self, report: Report) -> None:
        """In the task's container, by its supervisor, after the commit: write what the engine needs to go on."""

    def apply(self, manifest: Mapping[str, Any]) -> str:
        """Install the manifest; the name under which it can be triggered."""

    def trigger(self, name: str, parameters: Mapping[str, Any]) -> str:
        """Start a run; its id."""

    def status(self, name: str, run: str | None = None) -> Mapping[str, Any]:
        """What the engine says of a deployment or of one of its runs."""

    def delete(self, name: str) -> None:
        """Remove a deployment."""
