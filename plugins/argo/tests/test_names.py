import re

import attrs
from hypothesis import given
from hypothesis import strategies as st

from headrace_argo.names import names_of
from headrace_hookspecs import Absorb, FlowGraph, StepNode
from headrace_testkit.decorators import linear_graph


def names(*steps, **changes):
    return names_of(linear_graph(*(StepNode(step, "linear", **changes) for step in steps)))


def all_names(found):
    """Every template, and every task that is not called like one."""
    single = [found.flow, found.exit, found.ended]
    return [*found.templates.values(), *found.absorbing.values(), *found.loops.values(), *single]


def test_templates_are_called_like_their_steps():
    found = names("fit_model", "x2")
    assert found.templates == {"start": "start", "fit_model": "fit-model", "x2": "x2", "end": "end"}
    assert found.tasks == found.templates
    assert (found.flow, found.exit, found.ended) == ("flow", "exit", "record-end")


def test_a_task_is_not_called_like_a_function_of_argos_expressions():
    found = names("join", "split", "map", "joined")
    assert [found.templates[step] for step in ("join", "split", "map", "joined")] == ["join", "split", "map", "joined"]
    assert [found.tasks[step] for step in ("join", "split", "map", "joined")] == ["join-step", "split-step", "map-step", "joined"]


def test_steps_keep_their_names_and_everything_else_gives_way():
    found = names("flow", "exit", "fan", "fan_foreach", "fan_absorb", "join", "join_step", absorb=Absorb())
    assert [found.templates[step] for step in ("flow", "exit", "fan_foreach", "fan_absorb")] == [
        "flow",
        "exit",
        "fan-foreach",
        "fan-absorb",
    ]
    assert re.fullmatch(r"flow-template-[0-9a-f]{10}", found.flow)
    assert re.fullmatch(r"fan-absorb-[0-9a-f]{10}", found.absorbing["fan"])
    assert found.tasks["join_step"] == "join-step"
    assert re.fullmatch(r"join-step-[0-9a-f]{10}", found.tasks["join"])


@given(st.lists(st.from_regex(r"[a-z0-9][a-z0-9_]{0,127}", fullmatch=True), unique=True, max_size=8))
def test_names_are_labels_no_two_alike_and_the_same_each_time(steps):
    nodes = {step: StepNode(step, "foreach" if number % 2 else "linear", absorb=Absorb()) for number, step in enumerate(steps)}
    graph = FlowGraph("Flow", nodes, "start", "end", tuple(nodes))
    found = names_of(graph)
    for each in (all_names(found), [*found.tasks.values(), *found.absorbing.values(), *found.loops.values()]):
        assert len(set(each)) == len(each)
        assert all(re.fullmatch(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", name) for name in each)
    assert names_of(attrs.evolve(graph)) == found
