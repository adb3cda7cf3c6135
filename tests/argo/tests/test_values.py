"""What users type, on its way into a pod."""

import base64
import datetime
import json

import pytest
from argo import tags
from argo.gotext import go_json, quote
from argo.nodes import Phase
from argo.problems import ManifestError, TemplateError
from argo.submission import Submission, workflow_variables
from handmade import container, dag, parameters, play, task, workflow
from hypothesis import example, given
from hypothesis import strategies as st

PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp"), include_characters="\n\r\t\b\f")).filter(
    lambda text: "{{" not in text
)
NASTY = [
    '"',
    "'",
    "\\",
    '\\"',
    "\n\r\t",
    "}}",
    "{",
    "{ {",
    "$(HOME)",
    "$$",
    "`id`",
    "%d",
    "<&>",
    "\u2028",
    "é\u0301",
    "🦜",
    "",
    " ",
    "a" * 5000,
]


def passed(value, reference):
    work = container("work", "{{inputs.parameters.x}}", inputs=parameters(x=None))
    main = dag("main", task("a", arguments=parameters(x=reference)))
    return play(workflow(main, work, arguments=parameters(v=None)), v=value)


@given(PLAIN)
@example(" ".join(NASTY))
def test_a_value_without_tags_and_control_characters_arrives_as_it_was_typed(value):
    assert passed(value, "{{workflow.parameters.v}}").args == [[value]]


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")))
@example("{{workflow.name}} {{=1+1}} {{ \x7f\x01\v")
def test_any_value_arrives_through_base64(value):
    played = passed(value, "{{=toBase64(workflow.parameters.v)}}")
    assert base64.b64decode(played.args[0][0]).decode() == value


@pytest.mark.parametrize(
    ("value", "arrives"), [("{{workflow.name}}", "hello-1"), ("{{=1 + 1}}", "2"), ("{{unknown}}", "{{unknown}}"), ("a}}b", "a}}b")]
)
def test_a_value_that_looks_like_a_tag_is_replaced_by_a_later_pass_as_argo_does(value, arrives):
    assert passed(value, "{{workflow.parameters.v}}").args == [[arrives]]


@pytest.mark.parametrize("value", ["{{", "\x01", "\v", "\x7f", "\U000e0001"])
def test_a_value_that_argo_cannot_put_into_json_is_an_error_of_the_template(value):
    played = passed(value, "{{workflow.parameters.v}}")
    assert (played.result.phase, played.order) == (Phase.ERROR, [])


def test_all_parameters_are_one_json_list_typed_ones_first():
    declared = [{"name": "a", "value": "1", "description": "<d>"}, {"name": "b"}, {"name": "c", "value": "x", "enum": ["x", "y"]}]
    manifest = workflow(container("main", "{{workflow.parameters.json}}"), arguments={"parameters": declared})
    text = play(manifest, b='"\\').args[0][0]
    assert json.loads(text) == [{"name": "b", "value": '"\\'}, declared[0], declared[2]]
    assert "\\u003cd\\u003e" in text


def test_what_a_workflow_knows_of_itself():
    spec = workflow(container("main"), priority=5, serviceAccountName="robot")["spec"]
    created = datetime.datetime(2024, 2, 29, 3, 4, 5, tzinfo=datetime.timezone(datetime.timedelta(hours=1)))
    known = workflow_variables(spec, Submission("hello-1", namespace="team", created=created, uid="u-1"))
    stamps = {name.rpartition(".")[2]: known.pop(name) for name in list(known) if name.startswith("workflow.creationTimestamp.")}
    assert known == {
        "workflow.name": "hello-1",
        "workflow.namespace": "team",
        "workflow.uid": "u-1",
        "workflow.serviceAccountName": "robot",
        "workflow.mainEntrypoint": "main",
        "workflow.creationTimestamp": "2024-02-29T02:04:05Z",
        "workflow.priority": "5",
    }
    some = {"Y": "2024", "m": "02", "d": "29", "H": "02", "s": "1709172245", "RFC3339": "2024-02-29T02:04:05Z", "Z": "UTC", "A": "Thursday"}
    assert {name: stamps[name] for name in some} == some


def test_the_metadata_of_workflow_and_pods_hold_variables():
    manifest = workflow(
        container(
            "main", "{{workflow.annotations.run}}", metadata={"labels": {"try": "{{retries}}", "a": "own"}}, retryStrategy={"limit": 1}
        ),
        workflowMetadata={"annotations": {"run": "argo-{{workflow.name}}"}},
        podMetadata={"labels": {"a": "all", "b": "{{workflow.name}}"}, "annotations": {"c": "d"}},
    )
    (pod,) = play(manifest).runner.started
    assert (pod.args, dict(pod.labels), dict(pod.annotations)) == (
        ("argo-hello-1",),
        {"a": "own", "b": "hello-1", "try": "0"},
        {"c": "d"},
    )


def test_a_label_that_a_value_makes_invalid_is_an_error_of_the_pod():
    manifest = workflow(
        container("main", metadata={"labels": {"who": "{{workflow.parameters.who}}"}}),
        arguments=parameters(who=None),
    )
    assert play(manifest, who="me").result.phase is Phase.SUCCEEDED
    played = play(manifest, who="not me")
    assert (played.result.phase, played.result.message) == (
        Phase.ERROR,
        "the cluster refuses the pod: metadata.labels.who: 'not me' is no value of a label",
    )


@pytest.mark.parametrize(
    ("name", "typed", "problems"),
    [
        ("hello-1", {}, ["parameters.a: has no value and none was submitted"]),
        ("hello-1", {"a": "1", "z": "1"}, ["parameters.z: is not declared in spec.arguments.parameters"]),
        ("hello-1", {"a": 1}, ["parameters.a: has to be text"]),
        ("hello-1", {"a": "1", "b": "w"}, ["parameters.b: 'w' is not one of ['x', 'y']"]),
        ("Hello", {"a": "1"}, ["metadata.name: 'Hello' is no name of a workflow"]),
    ],
)
def test_what_cannot_be_submitted(name, typed, problems):
    declared = [{"name": "a"}, {"name": "b", "value": "x", "enum": ["x", "y"]}]
    with pytest.raises(ManifestError) as caught:
        workflow_variables(workflow(container("main"), arguments={"parameters": declared})["spec"], Submission(name, typed))
    assert list(map(str, caught.value.problems)) == problems


@given(st.text(st.characters(codec="utf-8")))
def test_quoted_text_is_json_but_for_what_go_writes_otherwise(value):
    strange = any(
        (char < " " and char not in "\b\f\n\r\t") or char == "\x7f" or (char > "\uffff" and not char.isprintable()) for char in value
    )
    try:
        assert json.loads(f'"{quote(value)}"') == value
        assert not strange
    except json.JSONDecodeError:
        assert strange


def test_json_is_written_as_go_writes_it():
    assert go_json({"a": ["<é&>", 1, None], "b": "\u2028"}) == '{"a":["\\u003cé\\u0026\\u003e",1,null],"b":"\\u2028"}'


def test_an_inner_tag_is_resolved_first():
    values = {"inputs.parameters.which": "a", "inputs.parameters.a": "found"}
    once = tags.substitute("{{inputs.parameters.{{inputs.parameters.which}}}}", values)
    assert (once, tags.substitute(once, values)) == ("{{inputs.parameters.a}}", "found")


def test_what_is_not_known_stays_and_an_open_tag_is_an_error():
    assert tags.substitute({"a": ["{{x}} {{=y + 1}} {{z}}"]}, {"z": "1"}) == {"a": ["{{x}} {{=y + 1}} 1"]}
    with pytest.raises(TemplateError, match="opened and not closed"):
        tags.substitute("{{x", {})
