from headrace_hookspecs import Capability, Resources, StepNode, Workload
from headrace_hookspecs.formats import process_workload


def test_a_process_gets_environment_and_the_resources_that_were_asked_for():
    step = StepNode("fit", "linear", env={"MODE": "fast"}, resources=Resources(cpu=0.5, memory=2048))
    assert process_workload(step) == Workload("process", {"env": {"MODE": "fast"}, "resources": {"cpu": 0.5, "memory": 2048}})


def test_a_process_of_a_step_that_asks_for_nothing():
    assert process_workload(StepNode("fit", "linear")) == Workload("process", {"env": {}})


def test_a_workload_shares_nothing_with_its_step():
    env = {"MODE": "fast"}
    workload = process_workload(StepNode("fit", "linear", env=env))
    env["MODE"] = "slow"
    assert workload.body["env"] == {"MODE": "fast"}


def test_capabilities_read_as_their_words():
    assert [str(each) for each in Capability] == [each.value for each in Capability]
    assert [each.name for each in Capability] == [each.value.upper().replace("-", "_") for each in Capability]
    assert Capability("gang") is Capability.GANG
