from headrace_hookspecs import Capability, Resources, StepNode, Workload
from headrace_hookspecs.formats import larger_resources, pod_text, process_workload, task_container


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


def test_of_two_requests_the_larger_counts_for_each_resource():
    one = Resources(cpu=2.0, memory=1024, extended={"acme.com/tpu": "1", "acme.com/nic": "2"})
    other = Resources(cpu=0.5, memory=4096, gpu=1, extended={"acme.com/tpu": "4"})
    expected = Resources(cpu=2.0, memory=4096, gpu=1, extended={"acme.com/tpu": "4", "acme.com/nic": "2"})
    assert larger_resources(one, other) == expected
    assert larger_resources(None, one) == larger_resources(one, None) == one
    assert larger_resources(None, None) == Resources()


def test_the_task_runs_in_the_first_container():
    assert task_container({"spec": {"containers": [{"name": "main"}, {"name": "proxy"}]}}) == {"name": "main"}
    assert task_container({"spec": {"containers": []}}) == task_container({"spec": {}}) == task_container({}) == {}


def test_text_for_a_pod_is_what_the_pod_reads_it_as():
    assert [pod_text(text) for text in ("plain", "$(HOME)", "a$$b", "5$")] == ["plain", "$$(HOME)", "a$$$$b", "5$$"]
