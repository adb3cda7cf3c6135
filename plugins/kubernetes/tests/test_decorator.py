import attrs
import pytest

from headrace_hookspecs import Compute, FlowDefinitionError, PlanContext, Resources, StepNode
from headrace_kubernetes.decorating import Kubernetes
from headrace_kubernetes.settings import KubernetesSettings
from headrace_testkit.decorators import linear_graph


def plan(step=None, before=None, **settings):
    graph = linear_graph(before or step or StepNode("work", "linear"))
    found = step or graph.steps["work"]
    return Kubernetes(KubernetesSettings(**settings)).plan(found, PlanContext(graph, "argo", True, {}, "ada"))


def test_it_writes_where_the_step_runs_and_what_it_asks_for():
    planned = plan(cpu=2, memory="8G", image="ml/train:7", node_selector="disk=ssd", secrets="a,b")
    assert planned.compute == Compute("kubernetes", {"image": "ml/train:7", "node_selector": {"disk": "ssd"}, "secrets": ["a", "b"]})
    assert planned.resources == Resources(cpu=2.0, memory=8192)


def test_bare_it_asks_for_nothing():
    planned = plan()
    assert (planned.compute, planned.resources) == (Compute("kubernetes"), Resources())


def test_of_its_own_and_others_requests_the_larger_counts():
    step = StepNode("work", "linear", resources=Resources(cpu=1.0, memory=4096, extended={"acme.com/tpu": "1"}))
    planned = plan(step, cpu=0.5, memory=8192, gpu=1, extended_resources={"acme.com/nic": 2})
    assert planned.resources == Resources(cpu=1.0, memory=8192, gpu=1, extended={"acme.com/tpu": "1", "acme.com/nic": "2"})


def test_it_replaces_the_engines_default_and_its_own():
    step = StepNode("work", "linear", compute=Compute("batch"))
    assert plan(step, image="a:1").compute == Compute("kubernetes", {"image": "a:1"})
    own = StepNode("work", "linear", compute=Compute("kubernetes"))
    assert plan(own, image="a:1").compute == Compute("kubernetes", {"image": "a:1"})


def test_two_decorators_that_say_where_a_step_runs_are_one_too_many():
    bare = StepNode("work", "linear")
    with pytest.raises(FlowDefinitionError) as refused:
        plan(attrs.evolve(bare, compute=Compute("batch")), before=bare)
    assert (refused.value.code, refused.value.remedy) == ("decorator-conflict", "Keep one of the two.")
    assert "'batch'" in refused.value.message
