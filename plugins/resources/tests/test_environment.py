import pytest

from headrace_hookspecs import FlowDefinitionError, PlanContext, StepNode
from headrace_hookspecs.formats import process_workload
from headrace_resources.variables import Environment, EnvironmentConfig
from headrace_testkit.decorators import linear_graph


def plan(step, variables):
    graph = linear_graph(step)
    return Environment(EnvironmentConfig(vars=variables)).plan(graph.steps["work"], PlanContext(graph, "inline", False, {}, "ada"))


def test_values_become_text():
    written = plan(StepNode("work", "linear"), {"OMP_NUM_THREADS": 1, "RATE": 0.5, "DEBUG": True, "EMPTY": ""}).env
    assert written == {"OMP_NUM_THREADS": "1", "RATE": "0.5", "DEBUG": "True", "EMPTY": ""}


def test_other_variables_of_the_step_are_kept_and_its_own_values_win():
    assert plan(StepNode("work", "linear", env={"TEAM": "ml", "MODE": "slow"}), {"MODE": "fast"}).env == {"TEAM": "ml", "MODE": "fast"}


def test_launchers_read_them_from_the_workload():
    assert process_workload(plan(StepNode("work", "linear"), {"MODE": "fast"})).body == {"env": {"MODE": "fast"}}


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        (["A=1"], "@environment: vars=['A=1'] is no mapping."),
        ({"1A": "x"}, "@environment: '1A' is no name of an environment variable."),
        ({"HEADRACE_RUN": "x"}, "@environment: HEADRACE_RUN is set for every task by the one who starts it."),
        ({"TOKEN": None}, "@environment: TOKEN has no value."),
        ({"TOKEN": "a\0b"}, "@environment: the value of TOKEN holds a zero byte, which no environment variable can."),
    ],
)
def test_what_cannot_be_set_is_refused_by_name(variables, message):
    with pytest.raises(FlowDefinitionError) as caught:
        EnvironmentConfig(vars=variables)
    assert (caught.value.code, caught.value.message) == ("decorator-invalid", message)
