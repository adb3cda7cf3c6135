"""Properties of whole graphs, on random flows whose meaning is known from the tree that they were made of."""

from __future__ import annotations

import json
import linecache
import random
from typing import Any

import pytest
from attrs import evolve
from flowtrees import TREES, Block, Flow
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.graph.analysis import analyse
from headrace.graph.codec import graph_from_json, graph_to_json
from headrace.graph.lint import check, lint
from headrace.graph.paths import inputs_of
from headrace.run.state import RunState
from headrace_hookspecs import FlowGraph, GraphError, Outcome, Source, StepNode, Switch, task_id

PATIENT = settings(deadline=None)
"""Another process may have the processor."""

NAMES = st.sampled_from(["start", "a", "b", "c", "join", "end"])


@PATIENT
@given(TREES)
def test_valid_flows_have_no_problems(tree: tuple[Block, ...]) -> None:
    assert lint(analyse(Flow(tree).graph())) == []


@PATIENT
@given(TREES)
def test_analysis_knows_order_predecessors_and_depth(tree: tuple[Block, ...]) -> None:
    graph = analyse(Flow(tree).graph())
    place = {name: number for number, name in enumerate(graph.order)}
    assert sorted(graph.order) == sorted(graph.steps)
    assert graph.order[0] == "start"
    for name, node in graph.steps.items():
        for target in node.next:
            assert target == name or place[name] < place[target]
            assert target == name or name in graph.steps[target].predecessors
        assert name not in node.predecessors
        assert node.recursive == (name in node.next)
        assert node.foreach_depth == sum(graph.steps[split].kind == "foreach" for split in node.split_parents)
        if node.kind in ("split", "foreach"):
            assert node.matching_join is not None
            assert graph.steps[node.matching_join].closes == name
            assert graph.steps[node.matching_join].split_parents == node.split_parents
        else:
            assert node.matching_join is None
        assert (node.closes is not None) == (node.kind == "join")
    assert graph.steps["end"].split_parents == ()


@PATIENT
@given(TREES)
def test_analysis_changes_nothing_the_second_time(tree: tuple[Block, ...]) -> None:
    graph = analyse(Flow(tree).graph())
    assert analyse(graph) == graph


@PATIENT
@given(TREES)
def test_graphs_survive_json(tree: tuple[Block, ...]) -> None:
    graph = analyse(Flow(tree).graph())
    back = graph_from_json(json.loads(json.dumps(graph_to_json(graph))))
    assert back == graph
    assert list(back.steps) == list(graph.steps)


@PATIENT
@given(TREES, st.integers(0, 1000))
def test_inputs_are_the_tasks_that_came_before(tree: tuple[Block, ...], seed: int) -> None:
    flow = Flow(tree)
    graph = analyse(flow.graph())
    for step, indices, visit, inputs in flow.run(seed):
        found = list(inputs_of(graph, step, indices, visit, lambda name, task: flow.outcomes.get((name, task))))
        assert found == inputs, step


@PATIENT
@given(TREES)
def test_the_graph_of_the_source_is_the_graph(tree: tuple[Block, ...]) -> None:
    from headrace.dsl.build import build_graph

    flow = Flow(tree)
    name, text = "<random flow>", flow.source()
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    space: dict[str, Any] = {"__name__": __name__}
    exec(compile("from headrace import FlowSpec, step\n", "imports", "exec"), space)
    exec(compile(text, name, "exec"), space)
    built = build_graph(space["F"])
    assert _unplaced(built) == _unplaced(analyse(flow.graph()))


def _unplaced(graph: FlowGraph) -> FlowGraph:
    steps = {name: evolve(node, source=None, next_source=None) for name, node in graph.steps.items()}
    return evolve(graph, steps=steps, source=None)


@PATIENT
@given(TREES, st.data())
def test_a_flow_that_was_spoilt_is_refused_for_what_was_spoilt(tree: tuple[Block, ...], data: st.DataObject) -> None:
    graph = Flow(tree).graph()
    victim = graph.steps[data.draw(st.sampled_from([name for name in graph.steps if name != "end"]), label="victim")]
    spoilt, code = data.draw(
        st.sampled_from(
            [
                (evolve(victim, kind="linear", next=()), "lint-next-missing"),
                (evolve(victim, next=(*victim.next[1:], "nowhere")), "lint-next-unknown"),
                (
                    evolve(victim, kind="switch", next=victim.next[:1], switch=Switch("x", ((1, victim.next[0]),))),
                    "lint-switch-cases",
                ),
                (
                    evolve(victim, kind="switch", next=("start", "end"), switch=Switch("x", ((1, "start"), (2, "end")))),
                    "lint-start-entered",
                ),
                (evolve(victim, kind="foreach", takes_inputs=True), "lint-join-splits"),
            ]
        ),
        label="spoilt",
    )
    found = lint(analyse(evolve(graph, steps={**graph.steps, victim.name: spoilt})))
    assert (code, victim.name, victim.source) in {(problem.code, problem.step, problem.source) for problem in found}
    assert all(problem.remedy for problem in found)


@PATIENT
@given(TREES, st.data(), st.integers(0, 1000))
def test_what_is_accepted_runs_to_its_end_whatever_is_chosen(tree: tuple[Block, ...], data: st.DataObject, seed: int) -> None:
    steps = dict(Flow(tree).graph().steps)
    for _ in range(data.draw(st.integers(0, 2), label="changes")):
        node = steps[data.draw(st.sampled_from([name for name in steps if name != "end"]), label="node")]
        place = data.draw(st.integers(0, len(node.next) - 1), label="place")
        other = data.draw(st.sampled_from(list(steps)), label="other")
        targets = tuple(dict.fromkeys((*node.next[:place], other, *node.next[place + 1 :])))
        switch = Switch("x", tuple(enumerate(targets))) if node.kind == "switch" else None
        steps[node.name] = evolve(node, next=targets, switch=switch)
    graph = analyse(FlowGraph(name="F", steps=steps, start="start", end="end"))
    if not lint(graph):
        _run(graph, random.Random(seed))


def _run(graph: FlowGraph, choice: random.Random) -> None:
    state = RunState(graph)
    outcomes: dict[tuple[str, str], Outcome] = {}
    while (ready := state.take()) is not None:
        node, task = graph.steps[ready.step], task_id(ready.indices, ready.visit)
        inputs = list(inputs_of(graph, ready.step, ready.indices, ready.visit, lambda name, id: outcomes.get((name, id))))
        assert ready.inputs is None or list(ready.inputs) == ["/".join(pair) for pair in inputs]
        targets, size = node.next, None
        if node.kind == "switch":
            again = ready.visit is not None and ready.visit < 3
            targets = (choice.choice([name for name in node.next if again or name != node.name]),)
        elif node.kind == "foreach":
            size = choice.choice((1, 2, 3))
        outcome = outcomes[ready.step, task] = Outcome("succeeded", targets, size)
        state.complete(ready.step, ready.indices, ready.visit, outcome)
    assert state.finished


NODES = st.builds(
    StepNode,
    name=NAMES,
    kind=st.sampled_from(["linear", "split", "foreach", "switch", "join", "end"]),
    next=st.lists(NAMES | st.just("nowhere"), max_size=3).map(tuple),
    switch=st.none() | st.just(Switch("x", ((1, "a"), (2, "b")))) | st.just(Switch("", ())),
    num_parallel=st.booleans(),
    takes_inputs=st.booleans(),
    source=st.just(Source("flow.py", 7)),
)


@PATIENT
@given(st.lists(NODES, max_size=6), NAMES, NAMES)
def test_nonsense_is_refused_and_nothing_else_happens(nodes: list[StepNode], start: str, end: str) -> None:
    steps = {node.name: node for node in nodes}
    _check_anything(FlowGraph(name="F", steps=steps, start=start, end=end, source=Source("flow.py", 1)))


def _check_anything(graph: FlowGraph) -> None:
    graph = analyse(graph)
    found = lint(graph)
    if found:
        with pytest.raises(GraphError) as raised:
            check(graph)
        assert (raised.value.code, raised.value.message, raised.value.file) == (found[0].code, found[0].message, "flow.py")
        assert all(problem.source is not None and problem.remedy and problem.code.startswith("lint-") for problem in found)
    else:
        check(graph)
        _run(graph, random.Random(0))
    assert graph_from_json(json.loads(json.dumps(graph_to_json(graph)))) == graph
