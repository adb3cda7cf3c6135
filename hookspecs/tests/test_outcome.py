import json
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from headrace_hookspecs import Failure, FailureKind, Outcome, Status

FAILURES = st.builds(
    Failure,
    kind=st.sampled_from(get_args(FailureKind)),
    message=st.text(),
    type=st.text(),
    traceback=st.text(),
    exit_code=st.none() | st.integers(1, 255),
    signal=st.none() | st.integers(1, 64),
    give_up=st.booleans(),
    bases=st.lists(st.text(), max_size=3).map(tuple),
)
OUTCOMES = st.builds(
    Outcome,
    status=st.sampled_from(get_args(Status)),
    next=st.lists(st.text(), max_size=3).map(tuple),
    size=st.none() | st.integers(0, 10**6),
    failure=st.none() | FAILURES,
)


@given(FAILURES)
def test_a_failure_survives_json(failure):
    assert Failure.from_json(json.loads(json.dumps(failure.to_json()))) == failure


@given(OUTCOMES)
def test_an_outcome_survives_json(outcome):
    assert Outcome.from_json(json.loads(json.dumps(outcome.to_json()))) == outcome


def test_an_exit_code_of_zero_is_not_lost():
    assert Failure("exit", exit_code=0).to_json() == {"kind": "exit", "exit_code": 0}


def test_fields_of_a_later_version_are_ignored():
    assert Failure.from_json({"kind": "oom", "cgroup": "x"}) == Failure("oom")
    assert Outcome.from_json({"status": "succeeded", "next": ["end"], "mood": "good"}) == Outcome("succeeded", ("end",))


def test_a_commit_stands_behind_a_success_and_an_absorbed_failure_only():
    assert {status for status in get_args(Status) if Outcome(status).committed} == {"succeeded", "absorbed"}


def test_a_failure_reads_as_its_traceback_else_as_its_message():
    assert str(Failure("exception", "boom", traceback="Traceback …")) == "Traceback …"
    assert str(Failure("lost", "the machine is gone")) == "the machine is gone"
