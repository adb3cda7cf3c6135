import math

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from headrace_hookspecs import Decision, Failure, RetryPolicy, decide
from headrace_hookspecs.retrying import GIVE_UP, MAX_ATTEMPTS

FAILURES = st.builds(
    Failure,
    kind=st.sampled_from(["exception", "exit", "signal", "oom", "timeout", "lost"]),
    type=st.sampled_from(["", "builtins.ValueError", "acme.NotYet"]),
    bases=st.sampled_from([(), ("builtins.Exception",), ("builtins.OSError", "builtins.Exception")]),
)
POLICIES = st.builds(
    RetryPolicy,
    times=st.integers(0, 150),
    wait=st.floats(0, 1000),
    backoff=st.floats(1, 10),
    max_wait=st.floats(0, 5000),
    jitter=st.floats(0, 1),
    on=st.lists(st.sampled_from(["exception", "oom", "timeout", "builtins.OSError", "acme.NotYet"]), max_size=2).map(tuple),
)
HISTORIES = st.lists(FAILURES, max_size=120)
JITTER = st.floats(0, 1, exclude_max=True)


@given(FAILURES, HISTORIES, JITTER)
def test_without_a_policy_nothing_is_tried_again(failure, history, jitter):
    assert decide(failure, None, history, jitter) == GIVE_UP


@given(FAILURES, POLICIES, HISTORIES, JITTER)
def test_a_cancelled_attempt_and_one_that_gave_up_are_never_tried_again(failure, policy, history, jitter):
    assert decide(evolve(failure, kind="cancelled"), policy, history, jitter) == GIVE_UP
    assert decide(evolve(failure, give_up=True), policy, history, jitter) == GIVE_UP


@given(FAILURES, POLICIES)
def test_a_task_that_always_fails_is_tried_as_often_as_the_policy_says_and_no_more(failure, policy):
    policy = evolve(policy, on=())
    history = []
    while decide(failure, policy, history).action == "retry":
        history.append(failure)
    assert len(history) == min(policy.times, MAX_ATTEMPTS - 1)


@given(FAILURES, POLICIES, HISTORIES, JITTER)
def test_a_longer_history_never_turns_a_refusal_into_a_retry(failure, policy, history, jitter):
    if decide(failure, policy, history, jitter) == GIVE_UP:
        assert decide(failure, policy, [*history, failure], jitter) == GIVE_UP


@given(FAILURES, POLICIES, HISTORIES, JITTER)
def test_only_failures_that_the_policy_names_are_tried_again(failure, policy, history, jitter):
    named = not policy.on or {failure.kind, failure.type, *failure.bases} & set(policy.on)
    decision = decide(failure, policy, history, jitter)
    assert decision == (decide(failure, evolve(policy, on=()), history, jitter) if named else GIVE_UP)


@given(FAILURES, POLICIES, HISTORIES, JITTER)
def test_the_wait_grows_by_the_backoff_up_to_the_longest_give_or_take_the_jitter(failure, policy, history, jitter):
    decision = decide(failure, policy, history, jitter)
    if decision.action == "retry":
        middle = min(policy.wait * policy.backoff ** len(history), policy.max_wait)
        assert decide(failure, policy, history) == Decision("retry", middle)
        rounding = 2 * math.ulp(middle)  # that of 1 + jitter, and that of the product
        assert abs(decision.delay - middle) <= middle * policy.jitter + rounding
        assert decision.delay >= 0


def test_waits_without_jitter_are_exact():
    policy = RetryPolicy(times=5, wait=10.0, backoff=2.0, max_wait=60.0)
    failure = Failure("exception")
    assert [decide(failure, policy, [failure] * used) for used in range(6)] == [
        *(Decision("retry", delay) for delay in (10.0, 20.0, 40.0, 60.0, 60.0)),
        GIVE_UP,
    ]


def test_jitter_reaches_from_one_end_to_the_other():
    policy = RetryPolicy(times=1, wait=10.0, jitter=0.5)
    assert [decide(Failure("exit"), policy, [], jitter).delay for jitter in (0.0, 0.25, 0.5, 0.75)] == [5.0, 7.5, 10.0, 12.5]


def test_a_steep_backoff_ends_at_the_longest_wait():
    policy = RetryPolicy(times=99, wait=1.0, backoff=1e4, max_wait=60.0)
    assert decide(Failure("exit"), policy, [Failure("exit")] * 98) == Decision("retry", 60.0)
