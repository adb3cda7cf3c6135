"""Deployments to try orchestrators on: a flow with everything that an engine can be asked for, and every way to change one thing in it.

Knows the classes of the contract and no engine.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final, NamedTuple

import attrs

from headrace_hookspecs import (
    Absorb,
    Capability,
    Compute,
    DecoratorUse,
    Deployment,
    ExitHook,
    FlowGraph,
    Notification,
    ParameterSpec,
    Project,
    Resources,
    RetryPolicy,
    Schedule,
    Source,
    StepNode,
    Switch,
    TaskTemplate,
    Timeout,
    Trigger,
    Workload,
)

SAMPLES: Final[Mapping[str, Any]] = {
    "FlowGraph.concurrency": 7,
    "FlowGraph.configs": {"colour": "blue"},
    "FlowGraph.decorators": (DecoratorUse("pace"),),
    "FlowGraph.exit_hooks": (ExitHook("flow:tell", "failure"),),
    "FlowGraph.notifications": (Notification("mail", "failure"),),
    "FlowGraph.project": Project("fish", "main"),
    "FlowGraph.schedule": Schedule("0 4 * * *"),
    "FlowGraph.triggers": (Trigger("event", "arrived"),),
    "ParameterSpec.kind": "config",
    "ParameterSpec.separator": ",",
    "ParameterSpec.type": "json",
    "RetryPolicy.growth": {"memory": 2.0},
    "RetryPolicy.on": ("lost",),
    "StepNode.absorb": Absorb("failure"),
    "StepNode.closes": "start",
    "StepNode.compute": Compute("elsewhere"),
    "StepNode.decorators": (DecoratorUse("pace"),),
    "StepNode.environment": {"provider": "pypi"},
    "StepNode.foreach": "others",
    "StepNode.image": "other:2",
    "StepNode.kind": "switch",
    "StepNode.matching_join": "end",
    "StepNode.resources": Resources(cpu=2.0),
    "StepNode.retry": RetryPolicy(times=1),
    "StepNode.secrets": ({"name": "warehouse"},),
    "StepNode.switch": Switch("mood", (("good", "end"), ("bad", "end"))),
    "StepNode.timeout": Timeout(30.0),
    "TaskTemplate.slots": (),
}
"""Other values, by class and field, where the general rules of `changes` would give none that means something."""


class Change(NamedTuple):
    """One thing that is different: `field` as in `StepNode.retry`, where in the deployment, and the deployment."""

    field: str
    where: str
    deployment: Deployment


def rich_graph(capabilities: Collection[Capability], workload: Callable[[StepNode], Workload]) -> FlowGraph:
    """A flow that needs all of `capabilities` that a graph can need, and no others; each step has its workload.

    start -> (left -> end of it, right) -> join -> end; with foreach, left fans out over `work`, and that over `inner` where loops nest.
    """
    can = frozenset(capabilities)
    retry = (
        RetryPolicy(times=3, wait=10.0, backoff=2.0, max_wait=35.0, on=("oom",)) if Capability.RETRY_WAIT in can else RetryPolicy(times=3)
    )
    steps = [
        StepNode("start", "split", next=("left", "right"), matching_join="join"),
        *_left(can),
        StepNode(
            "right",
            "linear",
            next=("join",),
            predecessors=("start",),
            split_parents=("start",),
            retry=retry,
            timeout=Timeout(60.0, 5.0) if Capability.HARD_TIMEOUT in can else None,
            absorb=Absorb("failure") if Capability.ABSORB in can else None,
        ),
        StepNode("join", "join", next=("end",), takes_inputs=True, predecessors=("gather", "right"), closes="start"),
        StepNode("end", "end", predecessors=("join",)),
    ]
    placed = [attrs.evolve(step, source=Source("flow.py", 10 * number + 10)) for number, step in enumerate(steps)]
    nodes = {step.name: attrs.evolve(step, workload=workload(step)) for step in placed}
    parameters = (ParameterSpec("alpha", "alpha", default="x", has_default=True, help="How much.", source=Source("flow.py", 4)),)
    return FlowGraph("RichFlow", nodes, "start", "end", tuple(nodes), parameters=parameters, doc="Everything.", source=Source("flow.py", 1))


def _left(can: frozenset[Capability]) -> list[StepNode]:
    if Capability.FOREACH not in can:
        return [StepNode("left", "linear", next=("gather",), split_parents=("start",)), _gather("left")]
    left = StepNode("left", "foreach", next=("work",), foreach="items", split_parents=("start",), matching_join="gather")
    inside: dict[str, Any] = {"split_parents": ("start", "left"), "foreach_depth": 1}
    if Capability.NESTED_FOREACH not in can:
        return [left, StepNode("work", "linear", next=("gather",), predecessors=("left",), **inside), _gather("work", "join", "left")]
    return [
        left,
        StepNode("work", "foreach", next=("inner",), foreach="parts", predecessors=("left",), matching_join="collect", **inside),
        StepNode("inner", "linear", next=("collect",), predecessors=("work",), split_parents=("start", "left", "work"), foreach_depth=2),
        StepNode("collect", "join", next=("gather",), takes_inputs=True, predecessors=("inner",), closes="work", **inside),
        _gather("collect", "join", "left"),
    ]


def _gather(before: str, kind: Any = "linear", closes: str | None = None) -> StepNode:
    return StepNode(
        "gather",
        kind,
        next=("join",),
        takes_inputs=kind == "join",
        predecessors=(before,),
        split_parents=("start",),
        closes=closes,
    )


def deployment_of(graph: FlowGraph) -> Deployment:
    """A deployment of the graph; each step's task has a variable `MARK` of its own, `mark-of-STEP`, and the exit `mark-of-exit`."""
    command = ("start-the-task", "--of", "the-step")
    return Deployment(
        name="rich-flow",
        id="0123456789abcdef0123",
        graph=graph,
        package="a" * 64,
        image="registry.example.com/rich:1",
        config={"datastore": {"name": "shared"}},
        plugins=({"group": "headrace.datastore", "name": "shared"},),
        templates={step: TaskTemplate(command, {"HEADRACE_STEP": step, "MARK": f"mark-of-{step}"}) for step in graph.order},
        exit=TaskTemplate(command, {"HEADRACE_MODE": "hook", "MARK": "mark-of-exit"}, ("RUN", "STATUS")),
        tags=("nightly",),
    )


def changes(deployment: Deployment, leave: Collection[str] = ()) -> Iterator[Change]:
    """The deployment with one field changed, for every field of every attrs object in it; below those in `leave` nothing is changed."""
    for field, where, changed in _changes(deployment, "", leave):
        yield Change(field, where, changed)


def _changes(value: Any, path: str, leave: Collection[str]) -> Iterator[tuple[str, str, Any]]:
    """Of an attrs object: each field changed, and each object in it changed."""
    for field in attrs.fields(type(value)):
        name, item = f"{type(value).__name__}.{field.name}", getattr(value, field.name)
        where = f"{path}.{field.name}".lstrip(".")
        inner = list(_inside(item, where, leave)) if name not in leave else []
        if inner:
            yield from ((at, below, attrs.evolve(value, **{field.name: changed})) for at, below, changed in inner)
        else:
            yield name, where, attrs.evolve(value, **{field.name: _other(name, item)})


def _inside(item: Any, path: str, leave: Collection[str]) -> Iterator[tuple[str, str, Any]]:
    if attrs.has(type(item)):
        yield from _changes(item, path, leave)
    elif isinstance(item, Mapping):
        for key, each in item.items():
            for at, below, changed in _inside(each, f"{path}[{key}]", leave):
                yield at, below, {**item, key: changed}
    elif isinstance(item, tuple):
        for number, each in enumerate(item):
            for at, below, changed in _inside(each, f"{path}[{number}]", leave):
                yield at, below, (*item[:number], changed, *item[number + 1 :])


def _other(name: str, item: Any) -> Any:
    """Another value for the field `name`, of the same kind."""
    if name in SAMPLES and SAMPLES[name] != item:
        return SAMPLES[name]
    if isinstance(item, bool):
        return not item
    if isinstance(item, (int, float)):
        return item + 1
    if isinstance(item, str) or item is None:
        return f"{item or ''}x"
    if isinstance(item, Source):
        return Source(item.file, item.line + 1)
    if isinstance(item, tuple):
        return (*item, "x")
    if isinstance(item, Mapping):
        return {**item, "x": "y"}
    raise TypeError(f"{name} holds a {type(item).__name__}: say in SAMPLES what else it could hold")
