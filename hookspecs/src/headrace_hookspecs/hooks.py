"""The eight hooks: what runs for everyone. Each takes exactly one frozen object, so that a signature never changes.

An implementation is a function of that name marked with `hookimpl`, in an object named by an entry point of the group `headrace.hooks` (or in
a chosen provider). Such an object says in `headrace_processes` where it lives: a set out of `author`, `scheduler`, `task`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import pluggy
from attrs import frozen

from .diagnostics import Diagnostic
from .ir import FlowGraph

if TYPE_CHECKING:
    from .events import Event
    from .outcome import Outcome
    from .task import TaskContext

PROJECT: Final = "headrace"
hookspec: Final = pluggy.HookspecMarker(PROJECT)
hookimpl: Final = pluggy.HookimplMarker(PROJECT)

POLICY: Final = frozenset(
    {
        "headrace_config_defaults",
        "headrace_graph_transform",
        "headrace_graph_check",
        "headrace_package_files",
        "headrace_task_environment",
    }
)
"""Hooks whose failure stops the run."""

OBSERVER: Final = frozenset({"headrace_on_event", "headrace_doctor"})
"""Hooks whose failure is logged once and isolated; after three the plugin is off for the rest of the process."""


@frozen
class ConfigDefaultsRequest:
    """`project` is the absolute project folder, `profile` the chosen profile or None, `environ` the process environment."""

    project: str
    profile: str | None
    environ: Mapping[str, str]


@frozen
class GraphTransformRequest:
    """`graph` is the plan so far; `deploying` tells a deployment from a local run; `config` is resolved and without secrets."""

    graph: FlowGraph
    deploying: bool
    config: Mapping[str, Any]


@frozen
class GraphCheckRequest:
    """The final graph, all workloads rendered, and the name of the launcher or orchestrator that will run it."""

    graph: FlowGraph
    target: str
    deploying: bool
    config: Mapping[str, Any]


@frozen
class PackageFilesRequest:
    """The graph whose code is packaged and the folder that archive paths are relative to."""

    graph: FlowGraph
    root: str


@frozen
class TaskEnvironmentRequest:
    """The run and the step whose tasks are about to be started."""

    flow: str
    run: str
    step: str
    graph: FlowGraph


@frozen
class DoctorRequest:
    """`online` allows calls to remote services; `config` is resolved and without secrets."""

    project: str
    config: Mapping[str, Any]
    online: bool


@frozen
class ExecuteRequest:
    """The attempt that is about to run its user code."""

    task: TaskContext


@hookspec
def headrace_config_defaults(request: ConfigDefaultsRequest) -> Mapping[str, Any] | None:
    """Contribute default configuration, below every file, variable and option.

    When: while configuration is read, before any provider is chosen. Process: author, scheduler.
    Returns: a nested mapping shaped like `headrace.toml`, or None. All answers are merged; two plugins that set one key are an error
    naming both. An exception stops the command.

    Example::

        @hookimpl
        def headrace_config_defaults(request):
            return {"datastore": {"name": "s3", "s3": {"root": "s3://acme-flows"}}}
    """


@hookspec
def headrace_graph_transform(request: GraphTransformRequest) -> FlowGraph | None:
    """Change the plan: add labels, a default image, a retry.

    When: once a plan, after decorators were collected (as data) and mutators ran, before decorators plan. Process: author.
    Returns: a new graph (`attrs.evolve`), or None for no change. Implementations are folded in plugin order; the result of each is
    linted again. An exception stops the command.

    Example::

        @hookimpl
        def headrace_graph_transform(request):
            steps = {n: evolve(s, labels={**s.labels, "team": "ml"}) for n, s in request.graph.steps.items()}
            return evolve(request.graph, steps=steps)
    """


@hookspec
def headrace_graph_check(request: GraphCheckRequest) -> Iterable[Diagnostic] | None:
    """Judge the final plan: a policy that refuses, or advice.

    When: last act of a plan, workloads rendered. Process: author.
    Returns: diagnostics, or None. Any error among them stops the command after all were shown; so does an exception.

    Example::

        @hookimpl
        def headrace_graph_check(request):
            for step in request.graph.steps.values():
                if step.resources and step.resources.gpu and "cost-centre" not in step.labels:
                    yield Diagnostic("error", "GPU steps need a cost centre", step=step.name, source=step.source)
    """


@hookspec
def headrace_package_files(request: PackageFilesRequest) -> Mapping[str, bytes] | None:
    """Add files to the code package.

    When: a package is built because a step leaves the machine. Process: author.
    Returns: archive path (relative, `/`) -> content, or None. One path from two plugins is an error naming both; an exception stops.

    Example::

        @hookimpl
        def headrace_package_files(request):
            return {"acme/VERSION": b"2026.7\\n"}
    """


@hookspec
def headrace_task_environment(request: TaskEnvironmentRequest) -> Mapping[str, str] | None:
    """Add environment variables to the tasks of a step.

    When: once a step, before its first task is launched or compiled. Process: author, scheduler.
    Returns: name -> value, or None; merged below what the step's own decorators say. One name from two plugins with different values is an
    error naming both; an exception stops the run.

    Example::

        @hookimpl
        def headrace_task_environment(request):
            return {"TEAM": "ml", "FLOW_NAME": request.flow}
    """


@hookspec(firstresult=True)
def headrace_task_execute(request: ExecuteRequest) -> Outcome:  # type: ignore[empty-body]  # a specification has no body
    """Wrap the execution of user code. `wrapper=True` implementations only; anything else is refused when the plugin is registered.

    When: in every attempt, around decorators and step function. Process: task.
    Returns: what `yield` gave, the kernel's own Outcome, never None. A wrapper may replace an exception by another, not remove it.
    An exception fails the attempt.

    Example::

        @hookimpl(wrapper=True)
        def headrace_task_execute(request):
            with tracer.span(request.task.spec.pathspec):
                return (yield)
    """


@hookspec
def headrace_on_event(event: Event) -> None:
    """Be told what happens in a run: for metrics, audit, notifications.

    When: as it happens, on a thread that never delays the run. Process: scheduler (`author` for a deployment).
    Returns: nothing. An exception is logged once, the third switches the plugin off; the run goes on.

    Example::

        @hookimpl
        def headrace_on_event(event):
            if event.kind == "run-ended" and event.data["state"] == "failed":
                post(f"{event.flow}/{event.run} failed")
    """


@hookspec
def headrace_doctor(request: DoctorRequest) -> Iterable[Diagnostic] | None:
    """Say what is wrong, or right, with this installation as far as the plugin can tell.

    When: `flow doctor`. Process: author.
    Returns: diagnostics, or None. An exception is shown as a finding about the plugin itself.

    Example::

        @hookimpl
        def headrace_doctor(request):
            return [Diagnostic("info", f"acme defaults {VERSION}", code="acme-version")]
    """


def processes_of(plugin: object) -> Sequence[str]:
    """Where a hooks plugin says that it lives; without a word of its own: author and scheduler."""
    return sorted(getattr(plugin, "headrace_processes", ("author", "scheduler")))
