import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace_argo.policies import deadline, retry_strategy
from headrace_hookspecs import Failure, MissingCapabilityError, RetryPolicy, Source, StepNode, Timeout, decide


def strategy(**policy):
    return retry_strategy(StepNode("train", "linear", retry=RetryPolicy(**policy), source=Source("flow.py", 7)))


def waits(found, times):
    """Seconds before each retry, as Argo computes them: duration * factor ** n, at most cap."""
    backoff = {name: float(value.rstrip("s")) for name, value in found.get("backoff", {"duration": "0s"}).items()}
    each = [backoff["duration"] * backoff.get("factor", 1) ** number for number in range(times)]
    return [min(wait, backoff.get("cap", wait)) for wait in each]


def test_no_retry_is_no_strategy():
    assert retry_strategy(StepNode("train", "linear")) is None
    assert strategy(times=0, wait=5.0, jitter=0.5) is None


@pytest.mark.parametrize(
    ("policy", "backoff"),
    [
        ({"times": 3}, None),
        ({"times": 3, "wait": 30.0}, {"duration": "30s"}),
        ({"times": 3, "wait": 0.5}, {"duration": "0.5s"}),
        ({"times": 3, "wait": 1e-05}, {"duration": "0.00001s"}),
        ({"times": 3, "wait": 120.0, "backoff": 2.0}, {"duration": "120s", "factor": "2"}),
        ({"times": 3, "wait": 120.0, "backoff": 2.0, "max_wait": 300.0}, {"duration": "120s", "factor": "2", "cap": "300s"}),
        ({"times": 1, "wait": 120.0, "backoff": 1.5}, {"duration": "120s"}),
        ({"times": 3, "wait": 120.0, "backoff": 9.0, "max_wait": 120.0}, {"duration": "120s"}),
        ({"times": 3, "wait": 500.0, "max_wait": 120.0}, {"duration": "120s"}),
        ({"times": 99, "wait": 10.0, "backoff": 1e300}, {"duration": "10s", "factor": "360", "cap": "3600s"}),
    ],
)
def test_waits_in_argos_terms(policy, backoff):
    assert strategy(**policy).get("backoff") == backoff


@given(st.integers(1, 12), st.floats(0.01, 500), st.integers(1, 5), st.floats(0.01, 4000))
def test_argo_waits_as_long_as_the_scheduler_would(times, wait, backoff, most):
    policy = RetryPolicy(times=times, wait=wait, backoff=float(backoff), max_wait=most)
    failure = Failure("exception")
    expected = [decide(failure, policy, [failure] * number).delay for number in range(times)]
    assert waits(retry_strategy(StepNode("train", "linear", retry=policy)), times) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("on", "tried"),
    [
        ((), {"0", "1", "137", "143", "-1"}),
        (("lost",), {"0", "1", "137", "143", "-1"}),
        (("builtins.ValueError", "lost"), {"0", "1", "137", "143", "-1"}),
        (("timeout",), {"1"}),
        (("oom", "builtins.ValueError"), {"1", "137"}),
    ],
)
def test_after_which_ends_of_a_pod_another_is_started(on, tried):
    """`1` is a failure that the task would retry, `202` one that it would not; all else is a pod that ended without its task's word."""
    expression = strategy(times=2, on=on)["expression"]
    python = expression.replace("||", "or").replace("lastRetry.exitCode", "code")
    assert {code for code in ("0", "1", "137", "143", "202", "-1") if eval(python, {"code": code})} == tried


@pytest.mark.parametrize(
    ("policy", "what"),
    [
        ({"wait": 10.0, "jitter": 0.1}, "varies the wait"),
        ({"growth": {"memory": 2.0}}, "asks for more with each attempt"),
        ({"wait": 10.0, "backoff": 1.5}, "waits 1.5 times as long"),
        ({"wait": 10.0, "backoff": 0.5}, "waits 0.5 times as long"),
    ],
)
def test_what_argo_cannot_is_refused_with_step_and_line(policy, what):
    with pytest.raises(MissingCapabilityError) as refused:
        strategy(times=3, **policy)
    assert refused.value.message.startswith(f"Step train {what}")
    assert (refused.value.step, refused.value.file, refused.value.line) == ("train", "flow.py", 7)
    assert refused.value.remedy


def test_a_pod_has_time_beyond_the_timeout_to_start_and_to_store():
    step = StepNode("train", "linear", timeout=Timeout(60.2, 5.0))
    assert [deadline(step, 600.0), deadline(step, 0.0), deadline(StepNode("train", "linear"), 600.0)] == [666, 66, None]
