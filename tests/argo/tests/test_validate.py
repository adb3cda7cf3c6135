import copy

import pytest
from argo.problems import ManifestError
from argo.validate import problems_of, validate
from everything import AFTER, EVERYTHING, LOOP, MAIN, P_AFTER, P_LOOP, P_MAIN, P_WORK, WORK, changed
from handmade import container, dag, play, task, workflow


def test_a_manifest_with_everything_is_valid():
    assert problems_of(EVERYTHING) == []
    validate(EVERYTHING)


SHAPES = [
    ("spec/colour", "red", "spec.colour: is an unknown field"),
    ("metadata/generateName", "a-", "metadata.generateName: is an unknown field"),
    (f"{AFTER}/Depends", "a", f"{P_AFTER}.Depends: is an unknown field"),
    (f"{WORK}/container/workingDir", "/", f"{P_WORK}.container.workingDir: is an unknown field"),
    ("kind", "Workflow", "kind: has to be one of WorkflowTemplate, is 'Workflow'"),
    ("spec/entrypoint", None, "spec.entrypoint: is required"),
    ("spec/templates", [], "spec.templates: needs at least 1 item(s)"),
    ("spec/onExit", 3, "spec.onExit: has to be a string, is an integer"),
    ("spec/parallelism", "3", "spec.parallelism: has to be an integer, is a string"),
    ("spec/parallelism", True, "spec.parallelism: has to be an integer, is a boolean"),
    ("spec/podMetadata/labels", ["a"], "spec.podMetadata.labels: has to be a mapping, is a list"),
    (
        "spec/podGC/strategy",
        "Never",
        "spec.podGC.strategy: has to be one of OnPodCompletion, OnPodSuccess, OnWorkflowCompletion, OnWorkflowSuccess, is 'Never'",
    ),
    ("spec/volumes", [], "spec.volumes: is not in the interpreted subset: volumes belong to templates"),
    (f"{WORK}/synchronization", {}, f"{P_WORK}.synchronization: is not in the interpreted subset: no locks are held"),
    (f"{WORK}/podSpecPatch", "", f"{P_WORK}.podSpecPatch: is not in the interpreted subset: what a pod needs is in the template"),
    (f"{WORK}/sidecars", [], f"{P_WORK}.sidecars: is not in the interpreted subset: a task is one container"),
    (f"{WORK}/container/command", None, f"{P_WORK}.container.command: is required"),
    (f"{WORK}/container/args", "x", f"{P_WORK}.container.args: has to be a list, is a string"),
    (f"{WORK}/container/env/INDEX/value", 3, f"{P_WORK}.container.env[INDEX].value: has to be a string, is an integer"),
    (f"{WORK}/retryStrategy/limit", None, f"{P_WORK}.retryStrategy.limit: is required"),
    (
        f"{WORK}/retryStrategy/retryPolicy",
        "Never",
        f"{P_WORK}.retryStrategy.retryPolicy: has to be one of Always, OnFailure, OnError, OnTransientError, is 'Never'",
    ),
    (f"{WORK}/retryStrategy/backoff/duration", None, f"{P_WORK}.retryStrategy.backoff.duration: is required"),
    (f"{WORK}/affinity/x", {1}, "manifest.spec.templates[3].affinity.x: is no JSON value but set"),
    (f"{MAIN}/dag/failFast", "yes", f"{P_MAIN}.dag.failFast: has to be a boolean, is a string"),
    (f"{LOOP}/withSequence/by", 2, f"{P_LOOP}.withSequence.by: is an unknown field"),
]


@pytest.mark.parametrize(("path", "value", "problem"), SHAPES, ids=[case[0] for case in SHAPES])
def test_a_wrong_shape_is_named(path, value, problem):
    assert list(map(str, problems_of(changed(path, value)))) == [problem]


@pytest.mark.parametrize("name", ["join", "split", "in", "not", "filter"])
def test_a_word_of_the_expression_language_is_no_name_to_depend_on(name):
    manifest = workflow(dag("main", task(name), task("after", f"{name}.Succeeded")), container())
    (problem,) = problems_of(manifest)
    assert (problem.path, name in problem.message) == ("spec.templates[main].dag.tasks[after].depends", True)
    assert problems_of(workflow(dag("main", task(name)), container())) == []


def test_a_missing_exit_handler_is_named():
    found = list(map(str, problems_of(changed("spec/onExit", "nobody"))))
    assert found[0] == "spec.onExit: there is no template 'nobody'"


def test_extended_resources_are_whole_and_limited():
    manifest = copy.deepcopy(EVERYTHING)
    resources = next(each for each in manifest["spec"]["templates"] if each["name"] == "work")["container"]["resources"]
    resources["requests"]["nvidia.com/gpu"] = "0.5"
    path = f"{P_WORK}.container.resources.requests.nvidia.com/gpu"
    assert list(map(str, problems_of(manifest))) == [
        f"{path}: an extended resource is a whole number",
        f"{path}: an extended resource's request has to equal its limit",
    ]


def test_a_manifest_is_not_larger_than_etcd_takes():
    manifest = changed("spec/arguments/parameters/b/description", "x" * 1_500_000)
    (problem,) = problems_of(manifest)
    assert (problem.path, problem.message[-19:]) == ("manifest", ", more than 1500000")


def test_annotations_have_a_limit_of_their_own():
    assert [each.path for each in problems_of(changed("metadata/annotations", {"a": "x" * 262_144}))] == ["metadata.annotations"]


def test_nothing_runs_of_a_manifest_that_is_refused():
    started = []
    with pytest.raises(ManifestError) as caught:
        play(changed("spec/entrypoint", "nobody"), started.append, a="1")
    assert (started, len(caught.value.problems)) == ([], 1)


@pytest.mark.parametrize("manifest", [None, [], "x", {}, {"spec": {"templates": {}}}])
def test_what_is_no_manifest_at_all_is_refused_without_a_crash(manifest):
    assert problems_of(manifest)


def test_the_manifest_with_everything_runs():
    played = play(EVERYTHING, lambda pod: {"n": "[1]" if pod.node.endswith("single") else "2"} if pod.template == "make" else 0, a="1")
    assert played.result.phases()["after"] == "Succeeded"
    assert played.order[-1] == "onExit"
