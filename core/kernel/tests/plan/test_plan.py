from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import pytest
from planning import FLOW, Bench, Launcher, Provider

from headrace.graph.codec import graph_from_json, graph_to_json
from headrace.plan.plan import for_run
from headrace_hookspecs import (
    Capability,
    Compute,
    ConfigError,
    DecoratorUse,
    Diagnostic,
    FlowDefinitionError,
    FlowGraph,
    GraphError,
    MissingCapabilityError,
    Option,
    PlanContext,
    PluginError,
    ResolvedEnvironment,
    RuntimeClosure,
    StepNode,
    UsageError,
    Workload,
    flow_decorator,
    hookimpl,
    step_decorator,
)

DECORATED = """
    from decorators_of_the_test import *
    from headrace import FlowSpec, step

    class Small(FlowSpec):
        @note(text="source")
        @step
        def start(self):
            self.next(self.end)

        @step
        def end(self):
            pass
"""


@attrs.frozen(kw_only=True)
class NoteConfig:
    text: str = ""
    flag: bool = True


class Note:
    """Writes what it was told into the step's labels."""

    def __init__(self, config: NoteConfig) -> None:
        self.config = config

    @staticmethod
    def config_class() -> type[NoteConfig]:
        return NoteConfig

    def plan(self, step: StepNode, context: PlanContext) -> StepNode:
        seen = step.labels.get("note", "") + f"{self.config.text}/{self.config.flag};"
        return attrs.evolve(step, labels={**step.labels, "note": seen})


class Writer:
    """A decorator without configuration whose `plan` is set by the test."""

    act: Any = None

    def plan(self, *arguments: Any) -> Any:
        return type(self).act(*arguments)


class Quiet:
    """A decorator without any method."""


class Branch(Writer):
    def options(self) -> tuple[Option, ...]:
        return (Option("branch"), Option("depth", "int", 3), Option("fast", "bool", False))


@pytest.fixture(autouse=True)
def _decorators(bench: Bench) -> None:
    bench.decorator(step_decorator("note", f"{__name__}:Note"))
    bench.decorator(step_decorator("writer", f"{__name__}:Writer"))
    bench.decorator(step_decorator("parallel", f"{__name__}:Quiet"))
    bench.decorator(step_decorator("many", f"{__name__}:Note", multiple=True))
    bench.decorator(flow_decorator("branch", f"{__name__}:Branch"))
    Writer.act = staticmethod(lambda step, context: step)
    Branch.act = staticmethod(lambda graph, options, context: graph)


def notes(graph: FlowGraph) -> dict[str, str | None]:
    return {name: step.labels.get("note") for name, step in graph.steps.items()}


def add_hook(bench: Bench, name: str, hook: str, function: Any) -> None:
    def method(self: Any, request: Any) -> Any:
        return function(request)

    bench.add("headrace.hooks", name, type("Plugin", (), {hook: hookimpl(method)})())


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


# ---- --with


def test_with_decorates_every_step_and_what_the_file_says_wins(bench: Bench) -> None:
    graph = bench.plan(DECORATED, "note:text=with", "note:text=later").graph
    assert notes(graph) == {"start": "source/True;", "end": "with/True;"}
    [use] = graph.steps["end"].decorators
    assert (use.origin, use.source, dict(use.config)) == ("--with", None, {"text": "with"})


def test_a_decorator_that_may_be_repeated_accumulates(bench: Bench) -> None:
    source = DECORATED.replace("@note", "@many")
    assert notes(bench.plan(source, "many:text=a", "many:text=b").graph) == {
        "start": "source/True;a/True;b/True;",
        "end": "a/True;b/True;",
    }


def test_false_means_false_all_the_way(bench: Bench) -> None:
    graph = bench.plan(FLOW, "note:flag=false").graph
    assert notes(graph) == {"start": "/False;", "end": "/False;"}
    assert dict(graph_from_json(graph_to_json(graph)).steps["start"].decorators[0].config) == {"flag": False}
    with pytest.raises(FlowDefinitionError) as caught:
        bench.plan(FLOW, "note:flag=False")
    assert caught.value.message == "@note (from --with): flag has to be true or false, not 'False'."


def test_configured_decorators_come_after_those_of_the_command_line(bench: Bench) -> None:
    bench.options.append('run.with=["note:text=config", "many:text=config"]')
    assert notes(bench.plan(FLOW, "note:text=with").graph) == {"start": "with/True;config/True;", "end": "with/True;config/True;"}


@pytest.mark.parametrize(
    ("spec", "kind", "code"),
    [("branch", UsageError, "with-invalid"), ("note:text", UsageError, "with-invalid"), ("not", PluginError, "plugin-unknown")],
)
def test_a_spec_that_makes_no_sense_is_refused(bench: Bench, spec: str, kind: type[Exception], code: str) -> None:
    with pytest.raises(kind) as caught:
        bench.plan(FLOW, spec)
    assert caught.value.code == code  # type: ignore[attr-defined]


# ---- flow decorators


def test_options_are_converted_and_checked(bench: Bench) -> None:
    seen: list[dict[str, Any]] = []
    Branch.act = staticmethod(lambda graph, options, context: (seen.append(dict(options)), graph)[1])
    source = FLOW.replace("class Small", "@branch\n    class Small")
    bench.plan(source, options={"depth": 7, "fast": True, "branch": None})
    assert seen == [{"branch": None, "depth": 7, "fast": True}]
    with pytest.raises(UsageError) as caught:
        bench.plan(source, options={"depth": "x"})
    assert caught.value.message == "--depth has to be an integer, not 'x'."
    with pytest.raises(UsageError) as caught:
        bench.plan(source, options={"brunch": "x"})
    assert (caught.value.message, caught.value.remedy) == (
        "The flow has no option --brunch.",
        "Did you mean 'branch'? Known: branch, depth, fast.",
    )


@pytest.mark.parametrize(
    ("answer", "cause"),
    [(None, "TypeError: plan answered NoneType instead of StepNode"), (1 / 3, "TypeError: plan answered float instead of StepNode")],
)
def test_a_decorator_whose_plan_fails_is_named_with_the_users_line(bench: Bench, answer: Any, cause: str) -> None:
    Writer.act = staticmethod(lambda step, context: answer)
    with pytest.raises(PluginError) as caught:
        bench.plan(DECORATED.replace('@note(text="source")', "@writer()"))
    assert (caught.value.message, caught.value.step) == (f"@writer failed: {cause}", "start")
    assert caught.value.where == f"{bench.folder / 'flow.py'}:6"


def test_an_error_of_a_decorator_gets_the_users_line(bench: Bench) -> None:
    def refuse(step: StepNode, context: PlanContext) -> StepNode:
        raise FlowDefinitionError("@writer: not here.", code="decorator-misplaced")

    Writer.act = staticmethod(refuse)
    with pytest.raises(FlowDefinitionError) as caught:
        bench.plan(DECORATED.replace('@note(text="source")', "@writer()"))
    assert (caught.value.code, caught.value.step, caught.value.line) == ("decorator-misplaced", "start", 6)


def test_a_bad_keyword_in_the_flow_file_names_file_and_line(bench: Bench) -> None:
    with pytest.raises(FlowDefinitionError) as caught:
        bench.plan(DECORATED.replace("text=", "txt="))
    assert caught.value.where == f"{bench.folder / 'flow.py'}:6"
    assert (caught.value.step, caught.value.message) == ("start", "@note: txt is unknown.")


# ---- launchers and capabilities


def compute_on(*names: str) -> Any:
    return staticmethod(
        lambda step, context: attrs.evolve(step, compute=Compute(names[0], {"size": 1})) if step.name in names[1:] else step
    )


def test_a_step_runs_where_its_compute_field_says(bench: Bench) -> None:
    Writer.act = compute_on("cluster", "start")
    provider = bench.add("headrace.launcher", "cluster", Provider(Launcher))
    given: dict[str, Any] = {"plain": (mine := Launcher())}
    plan = bench.plan(FLOW, "writer", launchers=given)
    assert dict(plan.launcher_of) == {"start": "cluster", "end": "plain"}
    assert plan.launchers is given
    assert given["plain"] is mine
    assert len(provider.seen) == 1
    [(config, context)] = provider.seen
    assert (config, context.project, context.flow) == (None, str(bench.folder), "Small")


def test_only_launchers_that_a_step_uses_are_made(bench: Bench) -> None:
    Writer.act = compute_on("cluster", "start", "end")
    bench.add("headrace.launcher", "cluster", Provider(Launcher))
    plan = bench.plan(FLOW, "writer")
    assert list(plan.launchers) == ["cluster"]
    assert bench.plugins["headrace.launcher", "plain"].seen == []


def test_an_unknown_launcher_is_an_error_with_the_nearest(bench: Bench) -> None:
    bench.options = ["launcher.name=plan"]
    with pytest.raises(PluginError) as caught:
        bench.plan()
    assert caught.value.code == "plugin-unknown"
    assert caught.value.remedy is not None
    assert caught.value.remedy.startswith("Did you mean 'plain'?")


def test_a_launchers_section_is_checked_when_it_is_used(bench: Bench) -> None:
    bench.add("headrace.launcher", "sized", Provider(Launcher, NoteConfig))
    bench.options += ["launcher.sized.txt=x"]
    bench.plan()
    bench.options += ["launcher.name=sized"]
    with pytest.raises(ConfigError) as caught:
        bench.plan()
    assert "launcher.sized.txt is unknown (-o launcher.sized.txt). Did you mean 'text'?" in caught.value.message


def test_a_chosen_launchers_hooks_take_part_in_the_check(bench: Bench) -> None:
    class Judging(Provider):
        @hookimpl
        def headrace_graph_check(self, request: Any) -> list[Diagnostic]:
            return [Diagnostic("info", request.target)]

    bench.add("headrace.launcher", "judging", Judging(Launcher))
    Writer.act = compute_on("judging", "start")
    assert bench.plan(FLOW, "writer").diagnostics == (Diagnostic("info", "plain"),)


GANG = """
    from decorators_of_the_test import *
    from headrace import FlowSpec, step

    class Small(FlowSpec):
        @step
        def start(self):
            self.next(self.train, num_parallel=2)

        @parallel
        @step
        def train(self):
            self.next(self.join)

        @step
        def join(self, inputs):
            self.next(self.end)

        @step
        def end(self):
            pass
"""


def with_env(step: StepNode, context: PlanContext) -> StepNode:
    return attrs.evolve(step, env={"A": "b"}) if step.name == "end" else step


def test_all_that_the_launchers_cannot_do_is_one_error_with_lines(bench: Bench) -> None:
    Writer.act = staticmethod(with_env)
    with pytest.raises(MissingCapabilityError) as caught:
        bench.plan(GANG, "writer")
    error, file = caught.value, bench.folder / "flow.py"
    assert (error.code, error.where, error.step) == ("capability-missing", f"{file}:12", "train")
    assert error.message.splitlines() == [
        "The flow needs what its launchers cannot do:",
        "  - step train runs as several nodes at once (num_parallel), which needs the capability gang that the launcher 'plain' does not "
        f"have ({file}:12)",
        f"  - step end sets environment variables, which needs the capability environment that the launcher 'plain' does not have ({file}:20)",
    ]


def test_a_capable_launcher_takes_the_flow(bench: Bench) -> None:
    Writer.act = staticmethod(with_env)
    bench.add("headrace.launcher", "plain", Provider(lambda: Launcher(frozenset({Capability.GANG, Capability.ENVIRONMENT}))))
    assert bench.plan(GANG, "writer").graph.steps["train"].gang


def test_a_launcher_that_cannot_render_a_step_gets_the_place(bench: Bench) -> None:
    class Picky(Launcher):
        def render(self, step: StepNode) -> Workload:
            raise MissingCapabilityError("No disks here.")

    bench.add("headrace.launcher", "plain", Provider(Picky))
    with pytest.raises(MissingCapabilityError) as caught:
        bench.plan()
    assert (caught.value.message, caught.value.step, caught.value.line) == ("No disks here.", "start", 7)


@pytest.mark.parametrize(
    ("environment", "kind", "code"),
    [({"provider": "conda"}, MissingCapabilityError, "capability-missing"), ({"packages": []}, FlowDefinitionError, "environment-invalid")],
)
def test_an_environment_that_cannot_be_resolved_is_refused(bench: Bench, environment: Any, kind: type[Exception], code: str) -> None:
    Writer.act = staticmethod(lambda step, context: attrs.evolve(step, environment=environment))
    with pytest.raises(kind) as caught:
        bench.plan(FLOW, "writer")
    assert (caught.value.code, caught.value.step) == (code, "start")  # type: ignore[attr-defined]


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
