import pytest
from argo.nodes import Node, Phase
from argo.problems import TemplateError
from argo.retries import Again, GiveUp, Wait, decide, seconds
from argo.runner import Ended, Lost
from handmade import by_task, container, dag, parameters, play, task, workflow


def retried(answers, **strategy):
    work = container("work", "{{retries}}", retryStrategy=strategy)
    return play(workflow(dag("main", task("a")), work), by_task(a=answers))


def attempts(played):
    return [(each.phase.value, each.exit_code) for each in played.result.node("a").attempts]


def test_a_failed_attempt_is_followed_by_another():
    played = retried([1, 2, 0], limit="3")
    assert attempts(played) == [("Failed", 1), ("Failed", 2), ("Succeeded", 0)]
    assert (played.args, played.order) == ([["0"], ["1"], ["2"]], ["a(0)", "a(1)", "a(2)"])
    assert played.result.phase is Phase.SUCCEEDED


def test_a_limit_counts_the_retries_and_not_the_first_attempt():
    played = retried([1, 1, 1], limit=2)
    assert (played.result.phase, played.result.node("a").message, len(attempts(played))) == (Phase.FAILED, "No more retries left", 3)
    assert len(attempts(retried([1], limit=0))) == 1


@pytest.mark.parametrize(
    ("policy", "ending", "tries"),
    [
        ({}, 1, 2),
        ({}, Lost(), 1),
        ({"retryPolicy": "OnFailure"}, Lost(), 1),
        ({"retryPolicy": "OnError"}, 1, 1),
        ({"retryPolicy": "OnError"}, Lost(), 2),
        ({"retryPolicy": "Always"}, 1, 2),
        ({"retryPolicy": "Always"}, Lost(), 2),
        ({"retryPolicy": "OnTransientError"}, 1, 1),
        ({"expression": "true"}, Lost(), 2),
        ({"expression": "true", "retryPolicy": "OnFailure"}, Lost(), 1),
    ],
)
def test_the_policy_says_what_is_retried(policy, ending, tries):
    played = retried([ending, 0], limit=1, **policy)
    assert len(attempts(played)) == tries


@pytest.mark.parametrize(
    ("expression", "codes", "tries"),
    [
        ("asInt(lastRetry.exitCode) >= 64", [70, 64, 63], 3),
        ("lastRetry.exitCode != '2'", [1, 2], 2),
        ("lastRetry.status == 'Failed' && lastRetry.message == 'Error (exit code 9)'", [9, 8], 2),
        ("asFloat(lastRetry.duration) < 1.5", [1, 1, 1, 1], 4),
    ],
)
def test_an_expression_sees_the_last_attempt(expression, codes, tries):
    played = retried(codes, limit=3, expression=expression)
    assert len(attempts(played)) == tries
    wanted = "No more retries left" if tries == 4 else "retryStrategy.expression evaluated to false"
    assert played.result.node("a").message == wanted


def test_an_exit_code_that_nobody_knows_is_minus_one():
    played = retried([Lost(), 1], limit=3, expression="asInt(lastRetry.exitCode) < 0")
    assert attempts(played) == [("Error", None), ("Failed", 1)]


def test_an_expression_that_is_no_condition_is_an_error():
    played = retried([1], limit=3, expression="asInt(lastRetry.exitCode)")
    assert played.result.node("a").phase is Phase.ERROR


@pytest.mark.parametrize(
    ("backoff", "starts"),
    [
        ({"duration": "10"}, [0, 11, 22, 33]),
        ({"duration": "1m", "factor": 2}, [0, 61, 182, 423]),
        ({"duration": "1m", "factor": "2", "cap": "90s"}, [0, 61, 152, 243]),
        ({"duration": "1m", "factor": 2, "maxDuration": "3m5s"}, [0, 61, 182]),
    ],
)
def test_attempts_wait_for_each_other(backoff, starts):
    played = retried([1, 1, 1, 1], limit=3, backoff=backoff)
    begun = [each.started - played.result.root.started for each in played.result.node("a").attempts]
    assert begun == starts
    wanted = "No more retries left" if len(starts) == 4 else "Backoff would exceed max duration limit"
    assert played.result.node("a").message == wanted


def test_an_attempt_knows_the_one_before():
    work = container(
        "work",
        "{{lastRetry.exitCode}} {{lastRetry.status}} {{lastRetry.duration}} {{lastRetry.message}}",
        "{{=asInt(retries) + 1}}",
        "{{pod.name}}",
    )
    played = play(workflow(dag("main", task("a")), {**work, "retryStrategy": {"limit": 2}}), by_task(a=[3, 0]))
    assert [args[:2] for args in played.args] == [["0  0 ", "1"], ["3 Failed 1 Error (exit code 3)", "2"]]
    assert [args[2] for args in played.args] == [pod.name for pod in played.runner.started] == [node.pod for node in played.result.pods()]


def test_a_deadline_holds_for_every_attempt():
    work = container("work", activeDeadlineSeconds="5", retryStrategy={"limit": 1})
    played = play(workflow(dag("main", task("a")), work), lasts=9)
    assert ([each.message[:14] for each in played.result.node("a").attempts], played.seconds) == (
        ["Pod was active", "Pod was active"],
        10.0,
    )


def test_limits_and_deadlines_may_come_from_inputs():
    work = container(
        "work",
        inputs=parameters(n=None),
        activeDeadlineSeconds="{{inputs.parameters.n}}",
        retryStrategy={"limit": "{{inputs.parameters.n}}"},
    )
    played = play(workflow(dag("main", task("a", arguments=parameters(n="2"))), work), lasts=9)
    assert (len(attempts(played)), played.seconds) == (3, 6.0)
    played = play(workflow(dag("main", task("a", arguments=parameters(n="x"))), work))
    assert played.result.phase is Phase.ERROR


def test_outputs_are_those_of_the_attempt_that_succeeded():
    work = container(
        "work", retryStrategy={"limit": 1}, outputs={"parameters": [{"name": "n", "valueFrom": {"path": "/n", "default": "d"}}]}
    )
    played = play(workflow(dag("main", task("a")), work), by_task(a=[Ended(1, {"n": "bad"}), {"n": "good"}]))
    assert [each.outputs for each in (played.result.node("a"), *played.result.node("a").attempts)] == [{"n": "good"}, {}, {"n": "good"}]


@pytest.mark.parametrize(("text", "number"), [("90", 90), (5, 5), ("1m30s", 90), ("2d", 172800), ("500ms", 0.5), ("1.5h", 5400)])
def test_durations(text, number):
    assert seconds(text) == number


@pytest.mark.parametrize("text", ["", "1 m", "m", "1w", "-1s", "1.5"])
def test_what_is_no_duration(text):
    with pytest.raises(ValueError, match="is no duration"):
        seconds(text)


def test_what_follows_is_a_function_of_strategy_attempts_and_time():
    last = Node("a(0)", "a(0)", "Pod", "t", Phase.FAILED, "why", started=10.0, finished=20.0)
    strategy = {"limit": 1, "backoff": {"duration": "100"}}
    assert decide(strategy, [last], 20.0, 1.0) == Wait(120.0)
    assert decide(strategy, [last], 20.0, 0.1) == Wait(30.0)
    assert decide(strategy, [last], 120.0, 1.0) == Again()
    assert decide(strategy, [last, last], 20.0, 1.0) == GiveUp("No more retries left")
    assert decide({"limit": 1, "retryPolicy": "OnError"}, [last], 20.0, 1.0) == GiveUp("why")
    with pytest.raises(TemplateError, match="is no number"):
        decide({"limit": "x"}, [last], 20.0, 1.0)
