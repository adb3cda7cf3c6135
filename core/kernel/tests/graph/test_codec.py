"""The graph as JSON, beyond what random flows show."""

from __future__ import annotations

import json
from typing import Any

import pytest
from attrs import evolve

from headrace.graph.codec import graph_from_json, graph_to_json
from headrace_hookspecs import (
    Absorb,
    Compute,
    CorruptDataError,
    DecoratorUse,
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
    StoreError,
    Switch,
    Timeout,
    Trigger,
    Workload,
)

FULL_STEP = StepNode(
    name="train",
    kind="switch",
    next=("train", "end"),
    foreach="xs",
    switch=Switch("kind", ((True, "train"), (None, "end"), (-1.5, "end"), ("ü", "end"))),
    num_parallel=True,
    gang=True,
    recursive=True,
    takes_inputs=True,
    predecessors=("start",),
    split_parents=("start",),
    foreach_depth=1,
    matching_join="j",
    closes="start",
    source=Source("a.py", 3),
    next_source=Source("b.py", 9),
    doc="What it does.",
    resources=Resources(cpu=1.5, memory=100, disk=0, gpu=1, shared_memory=5, extended={"tpu": "2"}),
    compute=Compute("kubernetes", {"namespace": "ml"}),
    workload=Workload("process", {"env": {"A": "b"}}),
    image="img:1",
    environment={"provider": "pypi"},
    retry=RetryPolicy(times=3, wait=1.0, backoff=2.0, max_wait=60.0, jitter=0.1, on=("oom", "builtins.ValueError"), growth={"memory": 2.0}),
    timeout=Timeout(10.0, 1.0),
    absorb=Absorb("error", False),
    env={"A": "b"},
    secrets=({"source": "env"},),
    labels={"team": "ml"},
    annotations={"x": "y"},
    decorators=(DecoratorUse("retry", {"times": 3, "on": ["oom"]}, Source("a.py", 2), "--with"), DecoratorUse("catch")),
    target={"argo": {"x": 1}},
)

FULL = FlowGraph(
    name="F",
    steps={"train": FULL_STEP, "end": StepNode(name="end", kind="end")},
    start="train",
    end="end",
    order=("train", "end"),
    parameters=(
        ParameterSpec("alpha", "a", type="float", default=0.5, has_default=True, help="h", source=Source("a.py", 1)),
        ParameterSpec("b", "b", kind="json", type="json", callable_default=True, required=True, hidden=True),
        ParameterSpec("c", "c", multiple=True, default=["x"], has_default=True),
        ParameterSpec("d", "d", separator=",", default="x,y", has_default=True),
    ),
    configs={"c": {"x": [1, 2]}},
    decorators=(DecoratorUse("project", {"name": "p"}, Source("a.py", 1)),),
    doc="A flow.",
    source=Source("a.py", 1),
    schedule=Schedule("0 3 * * *", "Europe/Berlin"),
    triggers=(Trigger("event", "e", {"alpha": "payload"}), Trigger("flow", "Other", project="p", branch="b", options={"o": 1})),
    exit_hooks=(ExitHook("m:f", "failure", {"o": 1}),),
    notifications=(Notification("mail", "success", {"to": "me"}),),
    project=Project("p", "b", True),
    concurrency=2,
    tags=("x", "y"),
)


def test_every_field_survives() -> None:
    for node in (FULL, FULL_STEP):
        defaults = [field.name for field in type(node).__attrs_attrs__ if getattr(node, field.name) in (None, (), {}, "", False, 0)]
        assert defaults == [], "the test needs a value for each field"
    assert graph_from_json(json.loads(json.dumps(graph_to_json(FULL)))) == FULL


def test_what_is_default_is_left_out_and_files_are_named_once() -> None:
    node = StepNode(name="only", kind="end", source=Source("/a/flow.py", 4))
    graph = FlowGraph(name="F", steps={"only": node}, start="only", end="only", order=("only",), source=Source("/a/flow.py", 1))
    assert graph_to_json(graph) == {
        "ir_version": 1,
        "files": ["/a/flow.py"],
        "name": "F",
        "steps": {"only": {"kind": "end", "source": [0, 4]}},
        "start": "only",
        "end": "only",
        "order": ["only"],
        "source": [0, 1],
    }


def test_equal_graphs_give_equal_bytes() -> None:
    again = evolve(FULL, steps={name: evolve(node) for name, node in FULL.steps.items()})
    assert json.dumps(graph_to_json(again)) == json.dumps(graph_to_json(FULL))


def test_fields_of_a_later_version_are_ignored() -> None:
    data: dict[str, Any] = graph_to_json(FULL)
    data["mood"] = "good"
    data["steps"]["train"]["mood"] = {"x": 1}
    data["parameters"][0]["mood"] = 1
    assert graph_from_json(data) == FULL


def test_a_later_format_is_refused() -> None:
    with pytest.raises(StoreError) as raised:
        graph_from_json({**graph_to_json(FULL), "ir_version": 2})
    assert raised.value.code == "store-too-new"


@pytest.mark.parametrize(
    "damage",
    [
        {"steps": None},
        {"files": []},
        {"steps": {"a": {}}},
        {"steps": {"a": {"kind": "end", "source": "x"}}},
        {"decorators": [3]},
        {"schedule": [1]},
        {"name": ...},
    ],
)
def test_damaged_json_is_named_as_such(damage: dict[str, Any]) -> None:
    data = {**graph_to_json(FULL), **damage}
    data = {name: value for name, value in data.items() if value is not ...}
    with pytest.raises(CorruptDataError):
        graph_from_json(data)


def test_a_plain_graph_needs_no_classes_of_production() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from headrace_hookspecs import FlowGraph, StepNode; from headrace.graph.codec import graph_to_json, graph_from_json\n"
        "g = FlowGraph(name='F', steps={'a': StepNode(name='a', kind='end')}, start='a', end='a')\n"
        "assert graph_from_json(graph_to_json(g)) == g\n"
        "assert 'headrace_hookspecs.production' not in sys.modules and 'pluggy' not in sys.modules and 'cattrs' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
