"""What Argo, or this version of the plugin, does not express: refused by name, with the step and its place, before anything is written."""

from __future__ import annotations

from typing import Final

from headrace_hookspecs import Deployment, FlowGraph, MissingCapabilityError, Source, StepNode

_KINDS: Final = ("linear", "split", "foreach", "join", "end")


def refuse(where: StepNode | FlowGraph, what: str, remedy: str) -> MissingCapabilityError:
    """The error; `what` continues the sentence that starts with the step or the flow."""
    step = where.name if isinstance(where, StepNode) else None
    source: Source | None = where.source
    return MissingCapabilityError(
        f"{'Flow' if step is None else 'Step'} {where.name} {what}.",
        step=step,
        file=source.file if source else None,
        line=source.line if source else None,
        remedy=remedy,
    )


def check(deployment: Deployment) -> None:
    """Raise MissingCapabilityError for the first thing that a WorkflowTemplate cannot say."""
    graph = deployment.graph
    _check_flow(graph)
    for name in graph.order:
        step = graph.steps[name]
        if step.name != name or name not in deployment.templates:
            raise refuse(step, f"is {name} in the flow's order, or nothing says how to start it", "Please report it, with the flow.")
        _check_step(step)


def _check_flow(graph: FlowGraph) -> None:
    for found, what in (
        (graph.schedule, "starts by a schedule"),
        (graph.triggers, "starts on events"),
        (graph.exit_hooks, "has hooks for its end"),
        (graph.notifications, "notifies of its end"),
        (graph.project, "belongs to a project"),
        (graph.concurrency, "limits its concurrency"),
    ):
        if found:
            raise refuse(graph, f"{what}, which is not expressed for Argo yet", "Leave it out.")
    if sorted(graph.order) != sorted(graph.steps) or not {graph.start, graph.end} <= set(graph.steps):
        raise refuse(graph, "has an order that is not that of its steps", "Please report it, with the flow.")


def _check_step(step: StepNode) -> None:
    for found, what in (
        (step.kind not in _KINDS or step.switch, "chooses the next step at run time"),
        (step.recursive, "can come again"),
        (step.gang or step.num_parallel, "starts or is several nodes at once"),
        (step.secrets, "asks for secrets"),
        (step.environment, "asks for packages of its own"),
        (step.target, f"has settings for {', '.join(step.target)}"),
    ):
        if found:
            raise refuse(step, f"{what}, which is not expressed for Argo yet", "Change the step, or run the flow from here: `flow run`.")
    if step.absorb is not None and step.kind == "foreach":
        raise refuse(
            step, "catches its failure, and without its result there is no telling what it fans out over", "Catch in another step."
        )
