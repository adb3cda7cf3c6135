"""What reaches the first step is what was meant: through Argo's arguments, its variable and a pod's environment."""

import base64
import json

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace_argo.parameters import parameters_of
from headrace_hookspecs import FlowGraph, MissingCapabilityError, ParameterSpec, Source
from headrace_testkit.decorators import linear_graph

FLOW = """
def seven(context):
    return 7

class ParameterFlow(FlowSpec):
    text = Parameter("text", default="a, b")
    empty = Parameter("empty", default="")
    number = Parameter("number", default=3)
    share = Parameter("share", default=1e-05)
    flag = Parameter("flag", is_flag=True)
    data = Parameter("data", type=JSONType, default={"grüße": [1, None, "x"]})
    word = Parameter("word", type=JSONType, default='"quoted"')
    several = Parameter("several", default=[1, 2], multiple=True)
    parts = Parameter("parts", default=["a", "b"], separator=":")
    nothing = Parameter("nothing")
    computed = Parameter("computed", default=seven, type=int)
    needed = Parameter("needed", required=True, type=int, help="How many, as in {{this}}.")

    @step
    def start(self):
        self.next(self.end)

    @step
    def end(self):
        pass
"""


def test_arguments_are_spelled_as_on_the_command_line(deploy):
    assert deploy(FLOW).manifest["spec"]["arguments"]["parameters"] == [
        {"name": "text", "value": "a, b"},
        {"name": "empty", "value": ""},
        {"name": "number", "value": "3"},
        {"name": "share", "value": "1e-05"},
        {"name": "flag", "value": "false"},
        {"name": "data", "value": '{"grüße": [1, null, "x"]}'},
        {"name": "word", "value": '"quoted"'},
        {"name": "several", "value": '["1", "2"]'},
        {"name": "parts", "value": "a:b"},
        {"name": "nothing", "value": "null"},
        {"name": "computed", "value": "null"},
        {"name": "needed", "description": "How many, as in { {this}}."},
    ]


def test_a_task_reads_them_back_as_the_defaults_that_they_are(deploy, tmp_path):
    from headrace.dsl.load import load_flow
    from headrace.dsl.parameters import resolve_parameters
    from headrace_packaging.remote.child import _given

    done = deploy(FLOW)
    arguments = [{**each, "value": each.get("value", "5")} for each in done.manifest["spec"]["arguments"]["parameters"]]
    cls = load_flow(str(tmp_path / "project" / "flow.py")).cls
    assert resolve_parameters(cls, _given(done.deployment.graph, json.dumps(arguments)), {}) == {
        "text": "a, b",
        "empty": "",
        "number": 3,
        "share": 1e-05,
        "flag": False,
        "data": {"grüße": [1, None, "x"]},
        "word": "quoted",
        "several": [1, 2],
        "parts": ["a", "b"],
        "nothing": None,
        "computed": 7,
        "needed": 5,
    }


def test_only_the_first_step_is_told_and_only_if_there_is_something_to_tell(deploy, by_name, env, compiled):
    templates = by_name(deploy(FLOW).manifest)
    assert env(templates["start"])["HEADRACE_PARAMETERS"] == "{{=toBase64(workflow.parameters.json)}}"
    assert "HEADRACE_PARAMETERS" not in env(templates["end"])
    without = compiled(linear_graph())
    assert "arguments" not in without["spec"]
    assert "HEADRACE_PARAMETERS" not in env(by_name(without)["start"])


@given(st.lists(st.text() | st.sampled_from(["{{workflow.name}}", "$$(A)", '"', "\x7f\u200b"]), min_size=1))
def test_the_first_step_gets_values_as_they_are_from_what_argos_expression_makes(values):
    """`toBase64` of the JSON that Argo has of the arguments; nothing in it is for Argo or Kubernetes to read."""
    from headrace_packaging.remote.child import _given

    arguments = [{"name": f"p{number}", "value": value} for number, value in enumerate(values)]
    text = base64.b64encode(json.dumps(arguments, ensure_ascii=False).encode()).decode()
    assert not set("${") & set(text)
    specs = tuple(ParameterSpec(each["name"], each["name"], required=True) for each in arguments)
    assert _given(FlowGraph("Flow", {}, "start", "end", parameters=specs), text) == {each["name"]: each["value"] for each in arguments}


def spec(**changes):
    return attrs.evolve(ParameterSpec("alpha", "alpha", source=Source("flow.py", 4)), **changes)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"name": "json"}, "has a name that Argo keeps for itself"),
        ({"name": "Script"}, "has a name that Argo keeps for itself"),
        ({"name": "a.b"}, "has a name that Argo keeps for itself"),
        ({"kind": "config"}, "is of the kind 'config'"),
        ({"kind": "include"}, "is of the kind 'include'"),
    ],
)
def test_what_argo_does_not_take_is_refused_by_name_with_its_place(changes, what):
    with pytest.raises(MissingCapabilityError) as refused:
        parameters_of(FlowGraph("Flow", {}, "start", "end", parameters=(spec(**changes),)))
    assert refused.value.message == f"Parameter {changes.get('name', 'alpha')!r} {what}" + (
        ", which is not expressed for Argo yet." if "kind" in changes else "."
    )
    assert (refused.value.file, refused.value.line) == ("flow.py", 4)
    assert refused.value.remedy


@pytest.mark.parametrize("default", ["{{workflow.name}}", "{{=1+1}}", "{{item}}", "Hello {{ name }}"])
def test_a_default_that_argo_would_look_into_stays_in_the_flow(default):
    graph = FlowGraph("Flow", {}, "start", "end", parameters=(spec(default=default, has_default=True),))
    assert parameters_of(graph) == [{"name": "alpha", "value": "null"}]
