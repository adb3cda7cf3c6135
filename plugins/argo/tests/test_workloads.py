"""A pod's fields: each is in the template, or refused by its name."""

import json
from importlib.resources import files

import attrs
import pytest

from headrace_hookspecs import MissingCapabilityError, StepNode, Workload
from headrace_testkit.decorators import linear_graph
from headrace_testkit.deployments import deployment_of

_API = files("kubernetes_validate") / "kubernetes-json-schema" / "v1.37.0-local"
_SAMPLES = {"object": {"some": "thing"}, "array": [{"name": "thing"}], "integer": 3, "boolean": True, "string": "thing"}


def properties(name):
    """Field -> a value of its type, for a class of the Kubernetes API."""
    schema = json.loads((_API / f"{name}.json").read_text(encoding="utf-8"))["properties"]
    found = {}
    for field, about in schema.items():
        kind = about.get("type", "object")
        found[field] = _SAMPLES[kind if isinstance(kind, str) else kind[0]]
    return found


def body(spec=None, container=None, metadata=None):
    made = {"spec": {"containers": [{"name": "main", **(container or {})}], **(spec or {})}}
    return {**made, "metadata": metadata} if metadata else made


def with_body(content):
    return linear_graph(StepNode("train", "linear", workload=Workload("k8s/PodTemplateSpec", content)))


def outcome(compiled, content):
    """`shown` if the manifest is another than that of a bare pod, `ignored`, or the message of the refusal, which has to be complete."""
    refused = None
    try:
        shown = compiled(with_body(content)) != compiled(with_body(body()))
    except MissingCapabilityError as error:
        refused = error
    if refused is None:
        return "shown" if shown else "ignored"
    assert (refused.step, refused.file, refused.line) == ("train", "flow.py", 20)
    assert refused.remedy
    return refused.message


SHOWN = {
    "activeDeadlineSeconds", "affinity", "automountServiceAccountToken", "hostAliases", "imagePullSecrets", "initContainers", "nodeSelector",
    "priorityClassName", "schedulerName", "securityContext", "serviceAccountName", "tolerations", "volumes",
}  # fmt: skip


@pytest.mark.parametrize(("field", "value"), [pair for pair in properties("podspec-v1").items() if pair[0] != "containers"])
def test_a_field_of_a_pod_is_shown_or_refused_by_name(compiled, field, value):
    found = outcome(compiled, body(spec={field: value}))
    assert found == "shown" if field in SHOWN else f"spec.{field}" in found


@pytest.mark.parametrize(("field", "value"), properties("container-v1").items())
def test_a_field_of_the_tasks_container_is_shown_or_refused_by_name(compiled, field, value):
    found = outcome(compiled, body(container={field: value}))
    if field == "name":
        assert found == "ignored"  # Argo calls the container main, whatever its name
    else:
        assert found == "shown" or field in found
    assert (found == "shown") == (field not in ("name", "command", "args", "restartPolicy", "restartPolicyRules"))


@pytest.mark.parametrize(("field", "value"), properties("objectmeta-meta-v1").items())
def test_a_field_of_a_pods_metadata_is_shown_or_refused_by_name(compiled, field, value):
    found = outcome(compiled, body(metadata={field: value}))
    assert found == "shown" if field in ("labels", "annotations") else field in found


def test_anything_beside_metadata_and_spec_is_refused(compiled):
    assert "has kind in its workload" in outcome(compiled, {**body(), "kind": "Pod"})


def test_fields_keep_their_values(compiled, by_name):
    spec = {
        "serviceAccountName": "flows",
        "tolerations": [{"operator": "Exists"}],
        "restartPolicy": "Never",
        "initContainers": [{"name": "fetch", "image": "fetch:1"}],
        "volumes": [{"name": "data", "emptyDir": {}}],
        "containers": [
            {"name": "task", "image": "own:1", "workingDir": "/w", "volumeMounts": [{"name": "data", "mountPath": "/data"}]},
            {"name": "proxy", "image": "proxy:1"},
        ],
    }
    graph = with_body({"metadata": {"labels": {"team": "ml"}, "annotations": {"why": "so"}}, "spec": spec})
    template = by_name(compiled(graph))["train"]
    command = template["container"].pop("command")
    variables = template["container"].pop("env")
    assert template == {
        "name": "train",
        "metadata": {"labels": {"team": "ml", "headrace.dev/step": "train"}, "annotations": {"why": "so", "headrace.dev/step": "train"}},
        "initContainers": [{"name": "fetch", "image": "fetch:1"}],
        "serviceAccountName": "flows",
        "tolerations": [{"operator": "Exists"}],
        "volumes": [{"name": "data", "emptyDir": {}}],
        "sidecars": [{"name": "proxy", "image": "proxy:1"}],
        "container": {"image": "own:1", "workingDir": "/w", "volumeMounts": [{"name": "data", "mountPath": "/data"}]},
    }
    assert command == ["start-the-task", "--of", "the-step"]
    assert [each["name"] for each in variables] == ["HEADRACE_STEP", "MARK", "HEADRACE_RUN"]


def test_variables_of_the_task_win_over_those_of_the_workload(compiled, by_name):
    own = [{"name": "MARK", "value": "mine"}, {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]
    variables = by_name(compiled(with_body(body(container={"env": own}))))["train"]["container"]["env"]
    assert [(each["name"], each.get("value")) for each in variables[:3]] == [
        ("MARK", "mark-of-train"),
        ("TOKEN", None),
        ("HEADRACE_STEP", "train"),
    ]
    assert variables[1] == own[1]


@pytest.mark.parametrize("name", ["main", "wait", "init"])
def test_containers_may_not_have_the_names_of_argos_own(compiled, name):
    assert f"a container {name!r}" in outcome(compiled, body(spec={"initContainers": [{"name": name}]}))


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (body(container={"env": [{"name": "A", "value": "{{ x }}"}]}), "spec.containers[0].env[0].value"),
        (body(metadata={"labels": {"{{x}}": "y"}}), "metadata.labels.{{x}}"),
    ],
)
def test_what_argo_would_take_for_a_variable_is_refused_with_its_place(compiled, content, place):
    assert f"has {{{{ in {place}," in outcome(compiled, content)


def test_a_pods_own_deadline_holds_if_it_is_the_shorter_one(compiled, by_name):
    from headrace_hookspecs import Timeout

    graph = with_body(body(spec={"activeDeadlineSeconds": 100}))
    assert by_name(compiled(graph))["train"]["activeDeadlineSeconds"] == 100
    timed = attrs.evolve(graph, steps={**graph.steps, "train": attrs.evolve(graph.steps["train"], timeout=Timeout(10.0, 5.0))})
    assert by_name(compiled(timed, {"startup": 20.5}))["train"]["activeDeadlineSeconds"] == 36
    assert by_name(compiled(timed))["train"]["activeDeadlineSeconds"] == 100


@pytest.mark.parametrize(("section", "wanted", "fine"), [("ml", "ml", True), ("ml", "other", False), ("", "other", False)])
def test_a_step_may_name_no_namespace_but_the_workflows(compiled, section, wanted, fine):
    graph = with_body(body(metadata={"namespace": wanted}))
    if fine:
        assert compiled(graph, {"namespace": section}) == compiled(with_body(body()), {"namespace": section})
    else:
        with pytest.raises(MissingCapabilityError, match="is for the namespace 'other'"):
            compiled(graph, {"namespace": section})


def test_pull_secrets_of_all_steps_are_the_workflows_each_once(compiled):
    one, two = {"name": "one"}, {"name": "two"}
    pods = [Workload("k8s/PodTemplateSpec", body(spec={"imagePullSecrets": secrets})) for secrets in ([one], [two, one])]
    graph = linear_graph(StepNode("train", "linear", workload=pods[0]), StepNode("test", "linear", workload=pods[1]))
    assert compiled(graph)["spec"]["imagePullSecrets"] == [one, two]


def test_without_any_image_a_step_is_refused(compiled):
    with pytest.raises(MissingCapabilityError) as refused:
        compiled(with_body(body(container={"image": "own:1"})), image=None)
    assert refused.value.step == "start"
    assert "--image" in refused.value.remedy
    assert deployment_of(with_body(body())).image
