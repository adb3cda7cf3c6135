import pytest
from attrs import evolve

from headrace_hookspecs import Absorb, DecoratorUse, FlowDefinitionError, ParameterSpec, PlanContext, Source, StepNode
from headrace_resilience.catching import Catch, CatchConfig
from headrace_testkit.decorators import linear_graph


def plan(node, origin="source", parameters=(), **kwargs):
    node = evolve(node, decorators=(DecoratorUse("catch", kwargs, Source("flow.py", 17), origin),))
    graph = evolve(linear_graph(node), parameters=parameters)
    return Catch(CatchConfig(**kwargs)).plan(graph.steps[node.name], PlanContext(graph, "inline", False, {}, "ada"))


@pytest.mark.parametrize("kind", ["linear", "split", "join"])
def test_a_failure_is_absorbed_into_the_artifact(kind):
    assert plan(StepNode("work", kind), var="failure").absorb == Absorb("failure", print_exception=True)


def test_without_a_variable_the_record_keeps_the_failure():
    assert plan(StepNode("work", "linear"), print_exception=False).absorb == Absorb(None, print_exception=False)


@pytest.mark.parametrize("kind", ["foreach", "switch"])
def test_above_a_step_that_decides_how_the_flow_goes_on_it_is_refused_with_the_place(kind):
    with pytest.raises(FlowDefinitionError) as caught:
        plan(StepNode("fan", kind))
    error = caught.value
    assert (error.code, error.file, error.line, error.step) == ("decorator-misplaced", "flow.py", 17, "fan")
    assert f"{kind} step 'fan'" in error.message


@pytest.mark.parametrize("kind", ["foreach", "switch"])
def test_with_catch_leaves_such_a_step_alone(kind):
    assert plan(StepNode("fan", kind), origin="--with").absorb is None


def test_with_catch_reaches_all_other_steps():
    assert plan(StepNode("work", "linear"), origin="--with").absorb == Absorb()


def test_the_artifact_may_not_hide_a_parameter():
    with pytest.raises(FlowDefinitionError) as caught:
        plan(StepNode("work", "linear"), parameters=(ParameterSpec("alpha-rate", "alpha"),), var="alpha")
    assert (caught.value.line, caught.value.message) == (17, "@catch(var='alpha'): the flow has a parameter of that name.")


def test_the_artifact_may_not_hide_a_step():
    with pytest.raises(FlowDefinitionError) as caught:
        plan(StepNode("work", "linear"), var="start")
    assert (caught.value.line, caught.value.message) == (17, "@catch(var='start'): the flow has a step of that name.")
