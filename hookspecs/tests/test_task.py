import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace_hookspecs import TaskSpec
from headrace_hookspecs.task import SLOTS

JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner), max_leaves=5)
FAILURES = st.lists(st.dictionaries(st.text(), JSON), max_size=3).map(tuple)
SPECS = st.builds(
    TaskSpec,
    flow=st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True),
    run=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,20}", fullmatch=True),
    step=st.from_regex(r"[a-z0-9][a-z0-9_]{0,20}", fullmatch=True),
    indices=st.lists(st.integers(0, 10**6), max_size=3).map(tuple),
    visit=st.none() | st.integers(0, 100),
    attempt=st.integers(0, 99),
    mode=st.sampled_from(["execute", "absorb", "hook"]),
    node=st.none() | st.integers(0, 100),
    inputs=st.none() | st.lists(st.sampled_from(["start/0", "fit/1.4", "loop/0-2"]), max_size=3).map(tuple),
    failures=FAILURES,
    limit=st.none() | st.integers(0, 10**6),
)


@given(SPECS)
def test_a_spec_survives_json(spec):
    assert TaskSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


@given(SPECS)
def test_a_spec_survives_the_environment(spec):
    slots = spec.to_slots()
    assert TaskSpec.from_slots({"PATH": "/bin", **slots}) == spec
    assert all(isinstance(value, str) and "\0" not in value for value in slots.values())


@given(SPECS)
def test_only_slots_are_written_to_the_environment(spec):
    known = {f"HEADRACE_{slot}" for slot in (*SLOTS, "FAILURES", "MAX_SPLITS")}
    assert spec.to_slots().keys() <= known


def test_an_engine_may_leave_out_what_has_a_default():
    spec = TaskSpec.from_slots({"HEADRACE_RUN": "TrainFlow/17", "HEADRACE_STEP": "fit"})
    assert spec == TaskSpec("TrainFlow", "17", "fit")
    assert TaskSpec.from_json({"flow": "TrainFlow", "run": "17", "step": "fit"}) == spec


def test_an_empty_slot_is_one_that_is_not_set():
    environ = {"HEADRACE_RUN": "TrainFlow/17", "HEADRACE_STEP": "fit", "HEADRACE_INDEX": "", "HEADRACE_VISIT": "", "HEADRACE_NODE": ""}
    assert TaskSpec.from_slots(environ) == TaskSpec("TrainFlow", "17", "fit")


@pytest.mark.parametrize(
    "slots",
    [
        {},
        {"HEADRACE_RUN": "TrainFlow/17"},
        {"HEADRACE_RUN": "TrainFlow", "HEADRACE_STEP": "fit"},
        {"HEADRACE_RUN": "TrainFlow/17", "HEADRACE_STEP": "fit", "HEADRACE_INDEX": "1..2"},
        {"HEADRACE_RUN": "TrainFlow/17", "HEADRACE_STEP": "fit", "HEADRACE_ATTEMPT": "first"},
        {"HEADRACE_RUN": "TrainFlow/17", "HEADRACE_STEP": "fit", "HEADRACE_INPUTS": "[start"},
    ],
)
def test_malformed_slots_are_an_error(slots):
    with pytest.raises((KeyError, ValueError)):
        TaskSpec.from_slots(slots)


def test_the_names_of_an_attempt():
    spec = TaskSpec("TrainFlow", "17", "fit", indices=(1, 4), visit=2, attempt=3)
    assert (spec.task, spec.key, spec.pathspec) == ("1.4-2", "fit/1.4-2/3", "TrainFlow/17/fit/1.4-2")
