import json
import random

import pytest
from argo.nodes import Phase
from argo.runner import Ended, Lost, RunnerError, VirtualClock
from handmade import by_task, container, dag, files, parameters, play, task, workflow


def test_one_container_is_a_workflow():
    played = play(workflow(container("main", "hello")), lambda pod: Ended(0, {}, "said hello"))
    assert (played.result.phase, played.result.message, played.seconds) == (Phase.SUCCEEDED, "", 1.0)
    root = played.result.root
    assert (root.name, root.type, root.pod, root.exit_code, root.log) == ("hello-1", "Pod", "hello-1", 0, "said hello")


def test_a_container_that_fails_fails_the_workflow():
    played = play(workflow(container("main")), lambda pod: 3)
    assert (played.result.phase, played.result.message, played.result.root.exit_code) == (Phase.FAILED, "Error (exit code 3)", 3)


def diamond(**more):
    tasks = [task("top"), task("left", "top.Succeeded"), task("right", "top.Succeeded"), task("end", "left.Succeeded && right.Succeeded")]
    return workflow(dag("main", *tasks, **more), container())


def test_the_sides_of_a_diamond_run_at_the_same_time():
    played = play(diamond())
    assert played.order == ["top", "left", "right", "end"]
    assert (played.seconds, played.runner.most) == (3.0, 2)
    assert played.result.phases() == dict.fromkeys(["top", "left", "right", "end"], "Succeeded")


def test_what_is_ready_can_start_in_any_order(seed):
    played = play(diamond(), order=random.Random(seed))
    assert sorted(played.order[1:3]) == ["left", "right"]
    assert [played.order[0], played.order[3]] == ["top", "end"]


def test_outputs_are_handed_on_by_parameters():
    maker = container("make", outputs=files("size", colour="red"))
    user = container("work", "{{inputs.parameters.size}}", "{{inputs.parameters.colour}}", inputs=parameters(size=None, colour="blue"))
    given = parameters(size="{{tasks.a.outputs.parameters.size}}", colour="{{tasks.a.outputs.parameters.colour}}")
    tasks = [task("a", template="make"), task("b", "a.Succeeded", arguments=given), task("c", arguments=parameters(size="1"))]
    played = play(workflow(dag("main", *tasks), maker, user), by_task(a={"size": "12\n\n"}))
    assert dict(zip(played.order, played.args, strict=True)) == {"a": [], "b": ["12\n", "red"], "c": ["1", "blue"]}


def test_an_output_that_was_not_written_is_an_error():
    played = play(workflow(container("main", outputs=files("size"))))
    assert (played.result.phase, played.result.message) == (Phase.ERROR, "outputs.parameters.size: there is no file /tmp/size")


def test_a_dag_hands_on_the_outputs_of_its_tasks():
    inner = dag("inner", task("a", template="make"))
    inner["outputs"] = {"parameters": [{"name": "n", "valueFrom": {"parameter": "{{tasks.a.outputs.parameters.n}}"}}]}
    inner["outputs"]["parameters"].append({"name": "more", "valueFrom": {"expression": "asInt(tasks.a.outputs.parameters.n) + 1"}})
    last = task("b", "d.Succeeded", arguments=parameters(n="{{tasks.d.outputs.parameters.n}}{{tasks.d.outputs.parameters.more}}"))
    main = dag("main", task("d", template="inner"), last)
    work = container("work", "{{inputs.parameters.n}}", inputs=parameters(n=None))
    played = play(workflow(main, inner, container("make", outputs=files("n")), work), by_task(a={"n": "4"}))
    assert played.args == [[], ["45"]]
    assert played.result.node("d").outputs == {"n": "4", "more": "5"}


def test_a_dag_output_may_have_a_default_for_a_task_that_did_not_run():
    inner = dag("inner", task("a", template="make", when="1 == 2"))
    inner["outputs"] = {"parameters": [{"name": "n", "valueFrom": {"parameter": "{{tasks.a.outputs.parameters.n}}", "default": "none"}}]}
    played = play(workflow(dag("main", task("d", template="inner")), inner, container("make", outputs=files("n"))))
    assert played.result.node("d").outputs == {"n": "none"}
    del inner["outputs"]["parameters"][0]["valueFrom"]["default"]
    played = play(workflow(dag("main", task("d", template="inner")), inner, container("make", outputs=files("n"))))
    assert played.result.node("d").phase is Phase.ERROR


def handled(work):
    """A step that may fail, a handler for it, and a join of both ways."""
    join = task("last", "work.Succeeded || handler.Succeeded")
    tasks = [task("work"), task("handler", "work.Failed || work.Errored"), join]
    return play(workflow(dag("main", *tasks), container()), by_task(work=work))


@pytest.mark.parametrize(
    ("work", "phases"),
    [
        (0, {"work": "Succeeded", "handler": "Omitted", "last": "Succeeded"}),
        (1, {"work": "Failed", "handler": "Succeeded", "last": "Succeeded"}),
        (Lost(), {"work": "Error", "handler": "Succeeded", "last": "Succeeded"}),
    ],
)
def test_a_handled_failure_does_not_fail_the_workflow(work, phases):
    played = handled(work)
    assert (played.result.phase, played.result.phases()) == (Phase.SUCCEEDED, phases)


def test_a_failed_handler_fails_the_workflow():
    tasks = [task("work"), task("handler", "work.Failed"), task("last", "work.Succeeded || handler.Succeeded")]
    played = play(workflow(dag("main", *tasks), container()), by_task(work=1, handler=1))
    assert played.result.phase is Phase.FAILED
    assert played.result.phases() == {"work": "Failed", "handler": "Failed", "last": "Omitted"}


def test_what_follows_a_failure_is_omitted_and_inherits_it():
    tasks = [task("a"), task("b", "a.Succeeded"), task("c", "b.Succeeded")]
    played = play(workflow(dag("main", *tasks), container()), by_task(a=1))
    assert (played.result.phase, played.result.phases()) == (Phase.FAILED, {"a": "Failed", "b": "Omitted", "c": "Omitted"})
    assert played.result.node("b").message == "omitted: depends condition not met"


def two_branches(**more):
    tasks = [task("bad"), task("slow"), task("later", "slow.Succeeded")]
    seconds = {"bad": 1, "slow": 3, "later": 1}
    manifest = workflow(dag("main", *tasks, **more), container())
    return play(manifest, by_task(bad=1), lasts=lambda pod: seconds[pod.node.rpartition(".")[2]])


def test_fail_fast_starts_nothing_more_and_lets_what_runs_end():
    played = two_branches()
    assert (played.result.phase, played.result.phases(), played.seconds) == (Phase.FAILED, {"bad": "Failed", "slow": "Succeeded"}, 3.0)


def test_without_fail_fast_the_other_branches_run_to_their_end():
    played = two_branches(fail_fast=False)
    assert (played.result.phase, played.seconds) == (Phase.FAILED, 4.0)
    assert played.result.phases() == {"bad": "Failed", "slow": "Succeeded", "later": "Succeeded"}


@pytest.mark.parametrize(
    ("when", "phase"), [("{{tasks.a.outputs.parameters.n}} == 3", "Succeeded"), ("{{tasks.a.status}} != Succeeded", "Skipped")]
)
def test_a_task_whose_when_is_false_is_skipped_and_a_bare_dependency_goes_on(when, phase):
    tasks = [task("a", template="make"), task("b", "a.Succeeded", when=when), task("c", "b"), task("d", "b.Succeeded")]
    played = play(workflow(dag("main", *tasks), container(), container("make", outputs=files("n"))), by_task(a={"n": "3"}))
    assert played.result.phase is Phase.SUCCEEDED
    assert played.result.phases() == {
        "a": "Succeeded",
        "b": phase,
        "c": "Succeeded",
        "d": "Succeeded" if phase == "Succeeded" else "Omitted",
    }


def test_what_a_task_that_did_not_run_would_have_written_cannot_be_used():
    given = parameters(n="{{tasks.a.outputs.parameters.n}}")
    tasks = [task("a", template="make", when="1 == 2"), task("b", "a", arguments=given)]
    work = container("work", "{{inputs.parameters.n}}", inputs=parameters(n=None))
    played = play(workflow(dag("main", *tasks), work, container("make", outputs=files("n"))))
    assert (played.result.phase, played.result.node("b").message) == (Phase.ERROR, "failed to resolve {{tasks.a.outputs.parameters.n}}")


def test_what_a_failed_task_wrote_cannot_be_used_unless_an_expression_asks_first():
    maker, work = container("make", outputs=files("n")), container("work", "{{inputs.parameters.n}}", inputs=parameters(n=None))
    asked = "{{=tasks.a.status == 'Succeeded' ? tasks.a.outputs.parameters.n : 'none'}}"
    for value, expected in (("{{tasks.a.outputs.parameters.n}}", "Error"), (asked, "Succeeded")):
        tasks = [task("a", template="make"), task("b", "a.Succeeded || a.Failed", arguments=parameters(n=value))]
        played = play(workflow(dag("main", *tasks), work, maker), by_task(a=Ended(1, {"n": "4"})))
        assert played.result.node("b").phase.value == expected
    assert played.args[-1] == ["none"]


def test_a_status_and_an_exit_code_are_known_to_what_comes_after():
    given = parameters(text="{{tasks.a.status}} {{tasks.a.exitCode}}")
    tasks = [task("a"), task("b", "a.Failed", template="tell", arguments=given)]
    tell = container("tell", "{{inputs.parameters.text}}", inputs=parameters(text=None))
    played = play(workflow(dag("main", *tasks), container(), tell), by_task(a=7))
    assert played.args[-1] == ["Failed 7"]


@pytest.mark.parametrize("most", [1, 2, 5])
def test_no_more_pods_run_than_the_workflow_allows(most):
    manifest = workflow(dag("main", task("a", withSequence={"count": 5})), container(), parallelism=most)
    played = play(manifest)
    assert (played.runner.most, len(played.order), played.seconds) == (most, 5, float(-(-5 // most)))


def test_a_pod_past_its_deadline_is_stopped_and_has_failed():
    manifest = workflow(container("main", activeDeadlineSeconds=10))
    played = play(manifest, lasts=100)
    assert (played.result.phase, played.seconds, played.runner.stopped) == (Phase.FAILED, 10.0, ["hello-1"])
    assert played.result.message == "Pod was active on the node longer than the specified deadline"
    assert play(manifest, lasts=9).result.phase is Phase.SUCCEEDED


def test_a_timeout_has_a_unit_and_stops_a_pod_too():
    played = play(workflow(container("main", timeout="1m30s")), lasts=100)
    assert (played.result.phase, played.seconds) == (Phase.FAILED, 90.0)


def test_a_workflow_past_its_deadline_stops_what_runs_and_starts_nothing_more():
    tasks = [task("a"), task("b", "a.Succeeded"), task("c", "b.Succeeded")]
    manifest = workflow(dag("main", *tasks), container(), container("bye"), activeDeadlineSeconds=15, onExit="bye")
    played = play(manifest, lasts=10)
    assert (played.result.phase, played.seconds) == (Phase.FAILED, 25.0)
    assert (played.result.phases(), played.order) == ({"a": "Succeeded", "b": "Failed"}, ["a", "b", "onExit"])


def test_an_exit_handler_knows_how_the_workflow_ended():
    bye = container("bye", "{{workflow.status}}", "{{workflow.failures}}")
    played = play(workflow(dag("main", task("a")), container(), bye, onExit="bye"), by_task(a=2))
    status, failures = played.args[-1]
    when = "2023-11-14T22:13:21Z"
    whole = {"displayName": "hello-1", "message": "", "templateName": "main", "phase": "Failed", "podName": "hello-1", "finishedAt": when}
    pod = played.result.node("a").pod
    one = {
        "displayName": "a",
        "message": "Error (exit code 2)",
        "templateName": "work",
        "phase": "Failed",
        "podName": pod,
        "finishedAt": when,
    }
    assert (status, json.loads(json.loads(failures))) == ("Failed", [whole, one])
    assert played.result.phase is Phase.FAILED


def test_a_failed_exit_handler_fails_a_workflow_that_had_succeeded():
    manifest = workflow(dag("main", task("a")), container(), container("bye"), onExit="bye")
    played = play(manifest, lambda pod: 4 if pod.template == "bye" else 0)
    assert (played.result.phase, played.result.message, played.result.root.phase) == (Phase.FAILED, "Error (exit code 4)", Phase.SUCCEEDED)


def test_a_template_may_call_itself():
    last = task("again", "step.Succeeded", template="loop", when="{{tasks.step.outputs.parameters.more}} == yes")
    loop = dag("loop", task("step", template="make"), last)
    steps = iter(["yes", "yes", "no"])
    played = play(
        workflow(dag("main", task("a", template="loop")), loop, container("make", outputs=files("more"))), lambda pod: {"more": next(steps)}
    )
    assert played.result.phase is Phase.SUCCEEDED
    assert played.order == ["a.step", "a.again.step", "a.again.again.step"]


def test_in_virtual_time_nothing_waits_for_ever():
    with pytest.raises(RunnerError, match="for ever"):
        VirtualClock().wait(None)
