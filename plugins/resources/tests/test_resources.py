import math

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from headrace_hookspecs import FlowDefinitionError, PlanContext, StepNode
from headrace_hookspecs import Resources as ResourcesField
from headrace_hookspecs.formats import process_workload
from headrace_resources.demand import Resources, ResourcesConfig
from headrace_testkit.decorators import linear_graph

UNITS = {"K": 1 / 1024, "M": 1, "G": 1024, "T": 1024**2}


def plan(step=None, **kwargs):
    graph = linear_graph(step or StepNode("work", "linear"))
    return Resources(ResourcesConfig(**kwargs)).plan(graph.steps["work"], PlanContext(graph, "inline", False, {}, "ada"))


def test_bare_it_asks_for_one_core_and_four_gibibytes():
    assert plan().resources == ResourcesField(cpu=1.0, memory=4096)


def test_numbers_may_be_text():
    written = plan(cpu="0.5", gpu="2", disk="10240", memory="8192", shared_memory="64").resources
    assert written == ResourcesField(cpu=0.5, gpu=2, disk=10240, memory=8192, shared_memory=64)


def test_none_leaves_a_quantity_to_the_provider():
    assert plan(cpu=None, memory=None).resources == ResourcesField()


@given(
    st.integers(1, 10**6), st.sampled_from(sorted(UNITS)), st.sampled_from(["", "i", "B", "iB"]), st.sampled_from(["", " "]), st.booleans()
)
def test_units_are_steps_of_1024_and_sizes_are_rounded_up_to_whole_mebibytes(amount, unit, suffix, space, lower):
    text = f"{amount}{space}{unit}{suffix}"
    assert ResourcesConfig(memory=text.lower() if lower else text).memory == math.ceil(amount * UNITS[unit])


@given(st.none() | st.integers(1, 99), st.none() | st.integers(1, 99), st.none() | st.integers(1, 99))
def test_of_two_requests_the_larger_counts_whichever_comes_first(before, mine, disk):
    asked = StepNode("work", "linear", resources=ResourcesField(cpu=before, memory=before, disk=disk, extended={"acme/tpu": "1"}))
    larger = max((each for each in (before, mine) if each is not None), default=None)
    expected = ResourcesField(cpu=larger, memory=larger, disk=disk, extended={"acme/tpu": "1"})
    assert plan(asked, cpu=mine, memory=mine).resources == expected
    other = StepNode("work", "linear", resources=ResourcesField(cpu=mine, memory=mine, disk=disk, extended={"acme/tpu": "1"}))
    assert plan(other, cpu=before, memory=before).resources == expected


def test_a_bad_value_says_what_to_write():
    with pytest.raises(FlowDefinitionError) as caught:
        plan(memory="8X")
    assert (caught.value.code, caught.value.message) == ("decorator-invalid", "@resources: memory='8X' is no size.")
    assert caught.value.remedy == 'Write memory in MiB, or with a unit: memory=8192, memory="8G".'


def test_a_process_on_this_machine_is_told_what_was_asked_for():
    step = evolve(plan(memory="2G", gpu=0), env={})
    assert process_workload(step).body == {"env": {}, "resources": {"cpu": 1.0, "memory": 2048, "gpu": 0}}
