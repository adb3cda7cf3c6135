from __future__ import annotations

from typing import Any

import pytest
from decorating import DECORATED, Branch, Writer, notes
from planning import FLOW, Bench

from headrace.graph.codec import graph_from_json, graph_to_json
from headrace_hookspecs import FlowDefinitionError, PlanContext, PluginError, StepNode, UsageError

pytestmark = pytest.mark.usefixtures("decorators")

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
