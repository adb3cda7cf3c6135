from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import pytest
from decorating import DECORATED, Branch, Writer, add_hook, notes, with_env
from planning import FLOW, Bench, Launcher, Provider

from headrace.graph.codec import graph_from_json, graph_to_json
from headrace.plan.plan import for_run
from headrace_hookspecs import (
    Capability,
    DecoratorUse,
    Diagnostic,
    FlowGraph,
    GraphError,
    MissingCapabilityError,
    PlanContext,
    ResolvedEnvironment,
    RuntimeClosure,
    StepNode,
    Workload,
)

pytestmark = pytest.mark.usefixtures("decorators")

# ---- the sequence


def test_a_plain_flow_is_planned_for_the_configured_launcher(bench: Bench) -> None:
    plan = bench.plan()
    assert list(plan.graph.order) == ["start", "end"]
    assert dict(plan.launcher_of) == {"start": "plain", "end": "plain"}
    assert list(plan.launchers) == ["plain"]
    assert plan.graph.steps["start"].workload == Workload("process", {"env": {}})
    assert plan.diagnostics == ()


def test_the_stages_come_in_order_and_each_sees_what_came_before(bench: Bench) -> None:
    log: list[tuple[str, Any]] = []

    def transform(request: Any) -> FlowGraph:
        log.append(("transform", [use.name for use in request.graph.steps["start"].decorators]))
        start = attrs.evolve(request.graph.steps["start"], labels={"note": "hook;"})
        return attrs.evolve(request.graph, steps={**request.graph.steps, "start": start})

    def plan_flow(graph: FlowGraph, options: Mapping[str, Any], context: PlanContext) -> FlowGraph:
        log.append(("flow", (graph.steps["start"].labels["note"], dict(options), context.graph is graph)))
        start = attrs.evolve(graph.steps["start"], labels={"note": graph.steps["start"].labels["note"] + "flow;"})
        return attrs.evolve(graph, steps={**graph.steps, "start": start})

    def plan_step(step: StepNode, context: PlanContext) -> StepNode:
        log.append(("step", (step.labels["note"], context.target, context.deploying, bool(context.user), context.config["run"]["grace"])))
        return attrs.evolve(step, environment={"provider": "conda"}) if step.name == "start" else step

    class Environments:
        def resolve(self, step: StepNode, closure: RuntimeClosure) -> ResolvedEnvironment:
            log.append(("environment", (step.labels["note"], closure.python)))
            return ResolvedEnvironment("abc", {"pins": 1})

    class Rendering(Launcher):
        def render(self, step: StepNode) -> Workload:
            if step.name == "start":
                log.append(("render", step.environment))
            return Workload("process", {"of": step.name})

    def judge(request: Any) -> list[Diagnostic]:
        log.append(("check", ([step.workload.body for step in request.graph.steps.values()], request.target)))
        return [Diagnostic("warning", "careful")]

    add_hook(bench, "policy", "headrace_graph_transform", transform)
    add_hook(bench, "judge", "headrace_graph_check", judge)
    bench.add("headrace.environment", "conda", Provider(Environments))
    bench.add("headrace.launcher", "plain", Provider(lambda: Rendering(frozenset({Capability.ENVIRONMENT}))))
    Branch.act = staticmethod(plan_flow)
    Writer.act = staticmethod(plan_step)
    source = DECORATED.replace("class Small", "@branch\n    class Small").replace('@note(text="source")', "@writer()")
    plan = bench.plan(source, "note:text=with", options={"branch": "b"}, closure=lambda: RuntimeClosure("3.12", "any", ()))
    assert log == [
        ("transform", ["writer", "note"]),
        ("flow", ("hook;", {"branch": "b", "depth": 3, "fast": False}, True)),
        ("step", ("hook;flow;", "plain", False, True, 5.0)),
        ("environment", ("hook;flow;with/True;", "3.12")),
        ("render", {"provider": "conda", "id": "abc", "lock": {"pins": 1}}),
        ("check", ([{"of": "start"}, {"of": "end"}], "plain")),
    ]
    assert plan.diagnostics == (Diagnostic("warning", "careful"),)


def test_a_planned_graph_survives_the_run_record(bench: Bench) -> None:
    graph = bench.plan(DECORATED, "note:text=with,flag=false").graph
    assert graph_from_json(graph_to_json(graph)) == graph


def test_decorators_added_by_a_hook_are_planned_too(bench: Bench) -> None:
    def transform(request: Any) -> FlowGraph:
        steps = {
            name: attrs.evolve(step, decorators=(*step.decorators, DecoratorUse("note", {"text": "hook"}, origin="policy")))
            for name, step in request.graph.steps.items()
        }
        return attrs.evolve(request.graph, steps=steps)

    add_hook(bench, "policy", "headrace_graph_transform", transform)
    assert notes(bench.plan().graph) == {"start": "hook/True;", "end": "hook/True;"}


def test_a_hook_that_breaks_the_graph_is_named(bench: Bench) -> None:
    def transform(request: Any) -> FlowGraph:
        start = attrs.evolve(request.graph.steps["start"], next=("nowhere",))
        return attrs.evolve(request.graph, steps={**request.graph.steps, "start": start})

    add_hook(bench, "policy", "headrace_graph_transform", transform)
    with pytest.raises(GraphError) as caught:
        bench.plan()
    assert caught.value.remedy is not None
    assert caught.value.remedy.startswith("The plugin 'policy' made this of the graph.")


def test_an_edge_that_a_hook_adds_is_analysed_anew(bench: Bench) -> None:
    def transform(request: Any) -> FlowGraph:
        start = attrs.evolve(request.graph.steps["start"], next=("middle",))
        middle = attrs.evolve(start, name="middle", next=("end",))
        return attrs.evolve(request.graph, steps={"start": start, "middle": middle, "end": request.graph.steps["end"]})

    add_hook(bench, "policy", "headrace_graph_transform", transform)
    graph = bench.plan().graph
    assert (graph.order, graph.steps["end"].predecessors) == (("start", "middle", "end"), ("middle",))


def test_an_invalid_flow_is_refused_before_anything_else(bench: Bench) -> None:
    with pytest.raises(GraphError):
        bench.plan(FLOW.replace("self.next(self.end)", "self.next(self.nowhere)"), "unheard_of")


# ---- the last word


def test_an_error_of_a_policy_stops_and_all_errors_are_shown(bench: Bench) -> None:
    def judge(request: Any) -> list[Diagnostic]:
        start = request.graph.steps["start"]
        return [
            Diagnostic("warning", "careful"),
            Diagnostic("error", "No cost centre.", "acme-cost", "start", start.source, "Add a label."),
            Diagnostic("error", "Too big.", step="end"),
            Diagnostic("error", "Too late."),
        ]

    add_hook(bench, "judge", "headrace_graph_check", judge)
    with pytest.raises(GraphError) as caught:
        bench.plan()
    error = caught.value
    assert error.message == "No cost centre.\n  - Too big. (step end)\n  - Too late."
    assert (error.code, error.step, error.line, error.remedy) == ("acme-cost", "start", 7, "Add a label.")


# ---- what is known only when the run begins


def test_the_environment_of_tasks_is_asked_for_each_step_below_its_own(bench: Bench) -> None:
    Writer.act = staticmethod(with_env)
    add_hook(
        bench, "team", "headrace_task_environment", lambda request: {"A": "hook", "WHERE": f"{request.flow}/{request.run}/{request.step}"}
    )
    bench.add("headrace.launcher", "plain", Provider(lambda: Launcher(frozenset({Capability.ENVIRONMENT}))))
    plan = bench.plan(FLOW, "writer")
    assert bench.project is not None
    ready = for_run(plan, "7", bench.project.manager("scheduler"))
    expected = {"start": {"A": "hook", "WHERE": "Small/7/start"}, "end": {"A": "b", "WHERE": "Small/7/end"}}
    assert {name: dict(step.env) for name, step in ready.graph.steps.items()} == expected
    assert {name: step.workload.body["env"] for name, step in ready.graph.steps.items() if step.workload} == expected


def test_without_such_a_hook_the_plan_stays_as_it_is(bench: Bench) -> None:
    plan = bench.plan()
    assert bench.project is not None
    assert for_run(plan, "7", bench.project.manager("scheduler")) is plan


def test_a_launcher_that_knows_no_environment_is_refused_then(bench: Bench) -> None:
    add_hook(bench, "team", "headrace_task_environment", lambda request: {"TEAM": "ml"})
    plan = bench.plan()
    assert bench.project is not None
    with pytest.raises(MissingCapabilityError) as caught:
        for_run(plan, "7", bench.project.manager("scheduler"))
    assert caught.value.step == "start"
