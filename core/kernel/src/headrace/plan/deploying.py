"""What a flow needs of the engine that takes it away, and where the engine cannot: one message with steps and lines, before anything is compiled."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from headrace_hookspecs.capabilities import Capability
from headrace_hookspecs.errors import MissingCapabilityError
from headrace_hookspecs.ir import FlowGraph, StepNode
from headrace_hookspecs.orchestrator import Orchestrator


def place(graph: FlowGraph, engine: Orchestrator) -> FlowGraph:
    """The graph with the engine's own compute for every step that names none."""
    steps = {name: step if step.compute else attrs.evolve(step, compute=engine.default_compute) for name, step in graph.steps.items()}
    return attrs.evolve(graph, steps=steps)


def check_engine(graph: FlowGraph, engine: Orchestrator, name: str) -> None:
    """Raise MissingCapabilityError for all that `graph`, with its workloads rendered, needs and the engine called `name` cannot."""
    lines = []
    for step, need, why in _needs(graph):
        if need not in engine.capabilities:
            lines.append((step, f"{why}, which needs the capability {need}"))
    for step in graph.steps.values():
        if step.workload is not None and step.workload.format not in engine.formats:
            provider = step.compute.provider if step.compute else "?"
            lines.append(
                (step, f"runs on {provider!r}, a workload of the format {step.workload.format}; it takes {', '.join(engine.formats)}")
            )
        lines += [(step, f"has settings for {other!r} alone") for other in step.target if other != name]
    if not lines:
        return
    first = next((step for step, _ in lines if step is not None), None)
    where = first.source if first is not None else graph.source
    raise MissingCapabilityError(
        f"{name!r} cannot run this flow:\n" + "\n".join(f"  - {_named(step)}{text}{_at(step)}" for step, text in lines),
        step=None if first is None else first.name,
        file=where.file if where else None,
        line=where.line if where else None,
        remedy="Change these steps, or deploy to another: `flow plugins` lists what is installed.",
    )


def _needs(graph: FlowGraph) -> Iterator[tuple[StepNode | None, Capability, str]]:
    for step in graph.steps.values():
        if step.kind == "foreach":
            nested = step.foreach_depth > 0
            yield step, Capability.NESTED_FOREACH if nested else Capability.FOREACH, "fans out"
        if step.kind == "switch":
            yield step, Capability.SWITCH, "chooses the next step at run time"
        if step.recursive:
            yield step, Capability.RECURSION, "can come again"
        if step.gang:
            yield step, Capability.GANG, "runs as several nodes at once"
        if step.absorb is not None:
            yield step, Capability.ABSORB, "catches its failure"
        if step.timeout is not None:
            yield step, Capability.HARD_TIMEOUT, "has a timeout"
        if step.secrets:
            yield step, Capability.SECRETS, "asks for secrets"
        if step.retry is not None and step.retry.times:
            if step.retry.wait:
                yield step, Capability.RETRY_WAIT, "waits between attempts"
            if step.retry.wait and step.retry.jitter:
                yield step, Capability.RETRY_JITTER, "varies the wait between attempts"
            if step.retry.growth:
                yield step, Capability.RETRY_GROWTH, "asks for more resources with each attempt"
    for found, need, why in (
        (graph.schedule, Capability.SCHEDULE, "starts by a schedule"),
        (graph.triggers, Capability.TRIGGER, "starts on events"),
        (graph.exit_hooks or graph.notifications, Capability.EXIT_HOOK, "has something to do at its end"),
    ):
        if found:
            yield None, need, why


def _named(step: StepNode | None) -> str:
    return "the flow " if step is None else f"step {step.name} "


def _at(step: StepNode | None) -> str:
    return f" ({step.source.file}:{step.source.line})" if step is not None and step.source else ""
