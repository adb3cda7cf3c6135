"""The DAGs of a workflow: one for the flow, one for the body of each foreach, which its loop runs once for each element. Pure.

A step belongs to the DAG of the innermost foreach that is open while it runs. What follows a task waits for it, or for the task that
absorbs its loss; what follows a foreach waits for the whole loop.
"""

from __future__ import annotations

from typing import Any

from headrace_hookspecs import FlowGraph, StepNode

from . import variables
from .names import Names
from .refusal import refuse


def dag_templates(graph: FlowGraph, names: Names) -> list[dict[str, Any]]:
    """The flow's DAG first, then the bodies in the order of their foreach steps."""
    scopes = [None, *(step for step in graph.order if graph.steps[step].kind == "foreach")]
    return [_dag(graph, names, scope) for scope in scopes]


def exit_template(names: Names) -> dict[str, Any]:
    """What runs at the end of a workflow: nothing, unless it failed."""
    task = {"name": names.ended, "template": names.ended, "when": f"{variables.STATUS} != Succeeded"}
    return {"name": names.exit, "dag": {"tasks": [task]}}


def _dag(graph: FlowGraph, names: Names, scope: str | None) -> dict[str, Any]:
    before = _before(graph)
    tasks: list[dict[str, Any]] = []
    for name in graph.order:
        step = graph.steps[name]
        if scope_of(graph, step) != scope:
            continue
        waits = [_done(graph, names, step, other) for other in before[name]]
        depends = " && ".join(dict.fromkeys(each for each in waits if each))
        task = names.tasks[name]
        index = variables.INDEX if scope else None
        tasks.append(_task(task, names.templates[name], depends, index))
        if name in names.absorbing:
            absorbing = names.absorbing[name]
            tasks.append(_task(absorbing, absorbing, f"{task}.Failed || {task}.Errored", index))
        if step.kind == "foreach":
            loop = names.loops[name]
            inner = f"{variables.INDEX}.{variables.ITEM}" if scope else variables.ITEM
            tasks.append({**_task(loop, loop, f"{task}.Succeeded", inner), "withSequence": {"count": variables.size_of(task)}})
    if scope is None:
        return {"name": names.flow, "dag": {"tasks": tasks}}
    return {"name": names.loops[scope], "inputs": {"parameters": [{"name": "index"}]}, "dag": {"tasks": tasks}}


def _task(name: str, template: str, depends: str, index: str | None) -> dict[str, Any]:
    task: dict[str, Any] = {"name": name, "template": template}
    if depends:
        task["depends"] = depends
    if index is not None:
        task["arguments"] = {"parameters": [{"name": "index", "value": index}]}
    return task


def _done(graph: FlowGraph, names: Names, step: StepNode, before: str) -> str:
    """What has to be true of the step `before` for `step` to start; empty where it starts with its DAG."""
    own, other = scope_of(graph, step), scope_of(graph, graph.steps[before])
    if own == other:
        task = names.tasks[before]
        absorbing = names.absorbing.get(before)
        return f"{task}.Succeeded" if absorbing is None else f"({task}.Succeeded || {absorbing}.Succeeded)"
    if own == before:
        return ""
    if other is not None and scope_of(graph, graph.steps[other]) == own:
        return f"{names.loops[other]}.Succeeded"
    raise refuse(step, f"follows {before}, which is inside of another foreach", "Please report it, with the flow.")


def _before(graph: FlowGraph) -> dict[str, list[str]]:
    """The predecessors of each step, in the order of the flow."""
    found: dict[str, list[str]] = {name: [] for name in graph.order}
    for name in graph.order:
        for target in graph.steps[name].next:
            if target not in found:
                raise refuse(graph.steps[name], f"goes on to {target}, which is no step", "Please report it, with the flow.")
            found[target].append(name)
    return found


def scope_of(graph: FlowGraph, step: StepNode) -> str | None:
    """The innermost foreach that is open while the step runs, to whose body the step belongs; None for those of the flow itself."""
    for split in reversed(step.split_parents):
        if split not in graph.steps:
            raise refuse(step, f"is inside of {split}, which is no step", "Please report it, with the flow.")
        if graph.steps[split].kind == "foreach":
            return split
    return None
