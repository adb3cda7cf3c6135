"""Inputs of tasks in the shapes that are easy to get wrong; random flows are in test_random_flows."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from headrace.graph.analysis import analyse
from headrace.graph.paths import inputs_of
from headrace_hookspecs import FlowGraph, NotFoundError, Outcome, StepNode, Switch


def graph(*nodes: StepNode) -> FlowGraph:
    return analyse(FlowGraph(name="F", steps={node.name: node for node in nodes}, start=nodes[0].name, end=nodes[-1].name))


class Records:
    """Answers from a table, and remembers what was asked."""

    def __init__(self, table: Mapping[str, Outcome] | None = None) -> None:
        self.table = table or {}
        self.asked: list[str] = []

    def __call__(self, step: str, task: str) -> Outcome | None:
        self.asked.append(f"{step}/{task}")
        return self.table.get(f"{step}/{task}")


def went(*targets: str, size: int | None = None) -> Outcome:
    return Outcome("succeeded", targets, size)


NESTED = graph(
    StepNode(name="start", kind="foreach", next=("outer",), foreach="xs"),
    StepNode(name="outer", kind="foreach", next=("inner",), foreach="ys"),
    StepNode(name="inner", kind="linear", next=("near",)),
    StepNode(name="near", kind="join", next=("far",), takes_inputs=True),
    StepNode(name="far", kind="join", next=("end",), takes_inputs=True),
    StepNode(name="end", kind="end"),
)

SWITCH_IN_FOREACH = graph(
    StepNode(name="start", kind="foreach", next=("pick",), foreach="xs"),
    StepNode(name="pick", kind="switch", next=("left", "right"), switch=Switch("k", (("l", "left"), ("r", "right")))),
    StepNode(name="left", kind="linear", next=("join",)),
    StepNode(name="right", kind="linear", next=("join",)),
    StepNode(name="join", kind="join", next=("end",), takes_inputs=True),
    StepNode(name="end", kind="end"),
)


def test_nothing_comes_before_the_start() -> None:
    assert list(inputs_of(NESTED, "start", (), None, Records())) == []


def test_a_child_of_a_nested_foreach_comes_from_the_split_of_its_own_branch() -> None:
    assert list(inputs_of(NESTED, "inner", (2, 5), None, Records())) == [("outer", "2")]


def test_joins_of_a_nested_foreach_take_their_own_level_in_index_order() -> None:
    records = Records({"start/0": went("outer", size=2), "outer/1": went("inner", size=3)})
    assert list(inputs_of(NESTED, "near", (1,), None, records)) == [("inner", "1.0"), ("inner", "1.1"), ("inner", "1.2")]
    assert list(inputs_of(NESTED, "far", (), None, records)) == [("near", "0"), ("near", "1")]


def test_inputs_of_a_wide_join_cost_one_question() -> None:
    records = Records({"start/0": went("outer", size=10_000)})
    inputs = inputs_of(NESTED, "far", (), None, records)
    assert [next(inputs), next(inputs)] == [("near", "0"), ("near", "1")]
    assert records.asked == ["start/0"]


def test_a_switch_inside_a_foreach_keeps_index_order() -> None:
    records = Records(
        {
            "start/0": went("pick", size=3),
            "right/0": went("join"),
            "left/1": went("join"),
            "right/2": went("join"),
        }
    )
    assert list(inputs_of(SWITCH_IN_FOREACH, "join", (), None, records)) == [("right", "0"), ("left", "1"), ("right", "2")]


def test_a_join_of_branches_takes_them_in_source_order_whatever_the_order_of_the_steps() -> None:
    split = graph(
        StepNode(name="start", kind="split", next=("b", "a")),
        StepNode(name="a", kind="linear", next=("join",)),
        StepNode(name="b", kind="switch", next=("b1", "b2"), switch=Switch("k", ((1, "b1"), (2, "b2")))),
        StepNode(name="b1", kind="linear", next=("join",)),
        StepNode(name="b2", kind="linear", next=("join",)),
        StepNode(name="join", kind="join", next=("end",), takes_inputs=True),
        StepNode(name="end", kind="end"),
    )
    assert split.steps["join"].predecessors == ("b1", "b2", "a")
    records = Records({"b2/0": went("join")})
    assert list(inputs_of(split, "join", (), None, records)) == [("b2", "0"), ("a", "0")]


LOOP = graph(
    StepNode(name="start", kind="linear", next=("loop",)),
    StepNode(name="loop", kind="switch", next=("loop", "end"), switch=Switch("more", ((True, "loop"), (False, "end")))),
    StepNode(name="end", kind="end"),
)


def test_a_loop_takes_its_own_last_visit() -> None:
    assert list(inputs_of(LOOP, "loop", (), 0, Records())) == [("start", "0")]
    assert list(inputs_of(LOOP, "loop", (), 7, Records())) == [("loop", "0-6")]


@pytest.mark.parametrize("visits", [1, 2, 3, 4, 5, 8, 9, 1000])
def test_what_follows_a_loop_takes_its_last_visit_and_asks_few_questions(visits: int) -> None:
    records = Records({f"loop/0-{visit}": went("loop" if visit + 1 < visits else "end") for visit in range(visits)})
    assert list(inputs_of(LOOP, "end", (), None, records)) == [("loop", f"0-{visits - 1}")]
    assert len(records.asked) <= 3 + 2 * visits.bit_length()


def test_a_gang_counts_like_a_foreach() -> None:
    gang = graph(
        StepNode(name="start", kind="foreach", next=("work",), num_parallel=True),
        StepNode(name="work", kind="linear", next=("join",)),
        StepNode(name="join", kind="join", next=("end",), takes_inputs=True),
        StepNode(name="end", kind="end"),
    )
    assert (gang.steps["work"].gang, gang.steps["work"].foreach_depth) == (True, 1)
    records = Records({"start/0": went("work", size=2)})
    assert list(inputs_of(gang, "join", (), None, records)) == [("work", "0"), ("work", "1")]


@pytest.mark.parametrize(("step", "indices"), [("join", ()), ("end", ())])
def test_a_missing_record_is_an_error_that_names_it(step: str, indices: tuple[int, ...]) -> None:
    target = SWITCH_IN_FOREACH if step == "join" else LOOP
    with pytest.raises(NotFoundError) as raised:
        list(inputs_of(target, step, indices, None, Records({"start/0": went("pick", size=1)})))
    assert raised.value.step == step
