"""`self.next` while a step runs, against what its source says."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from headrace import FlowSpec, step
from headrace.dsl.build import build_graph
from headrace.dsl.transition import Transition, check_transition
from headrace_hookspecs.errors import InvalidTransitionError


class Flow(FlowSpec):
    @step
    def start(self) -> None:
        self.next(self.a, self.b)

    @step
    def a(self) -> None:
        self.next(self.each, foreach="xs")

    @step
    def b(self) -> None:
        self.next(self.node, num_parallel=2)

    @step
    def each(self) -> None:
        self.next({"x": self.loop, "y": self.each}, condition="kind")

    @step
    def loop(self) -> None:
        self.next(self.joined)

    @step
    def node(self) -> None:
        self.next(self.joined)

    @step
    def joined(self, inputs: Any) -> None:
        self.next(self.joined2)

    @step
    def joined2(self, inputs: Any) -> None:
        self.next(self.end)

    @step
    def end(self) -> None:
        pass

    def helper(self) -> None:
        pass


GRAPH = build_graph(Flow)


def call(name: str, *targets: Any, flow: FlowSpec | None = None, limit: int | None = None, **keywords: Any) -> Transition:
    flow = flow or Flow(use_cli=False)
    bound = [getattr(flow, target) if isinstance(target, str) else target for target in targets]
    return check_transition(flow, GRAPH.steps[name], bound, keywords, limit=limit)


def made(**artifacts: Any) -> Flow:
    flow = Flow(use_cli=False)
    for name, value in artifacts.items():
        setattr(flow, name, value)
    return flow


def refused(name: str, *targets: Any, **more: Any) -> InvalidTransitionError:
    with pytest.raises(InvalidTransitionError) as raised:
        call(name, *targets, **more)
    error = raised.value
    where = GRAPH.steps[name].next_source or GRAPH.steps[name].source
    assert where is not None
    assert (error.step, error.file, error.line) == (name, where.file, where.line)
    assert error.remedy
    return error


def test_what_the_source_says_is_accepted() -> None:
    assert call("loop", "joined") == Transition(("joined",))
    assert call("start", "a", "b") == Transition(("a", "b"))
    assert call("joined", "joined2") == Transition(("joined2",))
    assert call("b", "node", num_parallel=3) == Transition(("node",), None, 3)


def test_keywords_that_are_none_are_not_there() -> None:
    assert call("loop", "joined", foreach=None, condition=None) == Transition(("joined",))


class Column:
    """Iterates over its rows, though `[]` means something else."""

    def __iter__(self) -> Iterator[str]:
        return iter(["r0", "r1"])

    def __getitem__(self, name: str) -> str:
        return {"column": "c"}[name]


class OldSequence:
    """Has positions only."""

    def __getitem__(self, index: int) -> int:
        return [10, 20][index]


@pytest.mark.parametrize(
    ("value", "elements"),
    [
        ([3, 1], [3, 1]),
        ((3, 1), (3, 1)),
        (range(2), range(2)),
        ("ab", ["a", "b"]),
        ({"x": 1, "y": 2}, ["x", "y"]),
        ({5}, [5]),
        (Column(), ["r0", "r1"]),
        (OldSequence(), [10, 20]),
    ],
)
def test_elements_are_what_iteration_gives(value: Any, elements: Any) -> None:
    found = call("a", "each", flow=made(xs=value), foreach="xs")
    assert found == Transition(("each",), elements)


def test_lists_are_not_copied() -> None:
    value = [1, 2]
    assert call("a", "each", flow=made(xs=value), foreach="xs").elements is value


def test_an_iterator_is_read_once_and_no_further_than_the_limit() -> None:
    numbers = count()
    assert refused("a", "each", flow=made(xs=numbers), foreach="xs", limit=10).code == "invalid-foreach-width"
    assert next(numbers) == 11


def test_an_error_while_iterating_is_the_users_own() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise TypeError("mine")

    with pytest.raises(TypeError, match="mine"):
        call("a", "each", flow=made(xs=broken()), foreach="xs")


@pytest.mark.parametrize("value", [3, None, object()])
def test_a_foreach_needs_something_to_iterate_over(value: Any) -> None:
    assert "xs" in refused("a", "each", flow=made(xs=value), foreach="xs").message


@pytest.mark.parametrize("value", [[], (), {}, "", range(0)])
def test_a_foreach_needs_an_element(value: Any) -> None:
    assert refused("a", "each", flow=made(xs=value), foreach="xs").code == "invalid-foreach-empty"


def test_a_foreach_needs_its_artifact() -> None:
    assert "foreach='xs'" in refused("a", "each", foreach="xs").message
    assert "foreach=3" in refused("a", "each", foreach=3).message


@pytest.mark.parametrize("number", [0, -1, True, False, 1.5, "2", [2]])
def test_num_parallel_is_a_number_of_nodes(number: Any) -> None:
    assert "num_parallel" in refused("b", "node", num_parallel=number).message


def test_num_parallel_has_a_limit_too() -> None:
    assert refused("b", "node", num_parallel=9, limit=8).code == "invalid-foreach-width"


def cases(flow: Flow) -> dict[Any, Any]:
    return {"x": flow.loop, "y": flow.each}


def test_a_switch_goes_to_the_case_of_its_value() -> None:
    flow = made(kind="x")
    assert call("each", cases(flow), flow=flow, condition="kind") == Transition(("loop",))
    flow = made(kind="y")
    assert call("each", cases(flow), flow=flow, condition="kind") == Transition(("each",))


def test_a_value_without_a_case_is_an_error_that_names_value_and_cases() -> None:
    flow = made(kind="z")
    error = refused("each", cases(flow), flow=flow, condition="kind")
    assert error.code == "invalid-case"
    assert error.message == "Step 'each' has no case for self.kind = 'z'; its cases are 'x', 'y'."


@pytest.mark.parametrize(
    ("kind", "change"),
    [([1], {}), ("x", {"condition": 3}), ("x", {"condition": "missing"}), ("x", {"condition": None}), ("x", {"foreach": "xs"})],
)
def test_a_switch_needs_a_condition_that_can_be_a_case(kind: Any, change: dict[str, Any]) -> None:
    flow = made(kind=kind, xs=[1])
    refused("each", cases(flow), flow=flow, **{"condition": "kind", **change})


def test_a_switch_needs_one_dict_of_steps() -> None:
    flow = made(kind="x")
    refused("each", {}, flow=flow, condition="kind")
    refused("each", "loop", flow=flow, condition="kind")
    refused("each", cases(flow), "loop", flow=flow, condition="kind")
    refused("each", {"x": flow.helper}, flow=flow, condition="kind")


@pytest.mark.parametrize(
    ("name", "targets", "keywords"),
    [
        ("end", ("loop",), {}),
        ("loop", (), {}),
        ("loop", ("joined",), {"each": "xs"}),
        ("loop", ("helper",), {}),
        ("loop", (print,), {}),
        ("loop", (Flow.joined,), {}),
        ("loop", (Flow(use_cli=False).joined,), {}),
        ("loop", (3,), {}),
        ("start", ("a", "b"), {"foreach": "xs"}),
        ("a", ("each",), {"foreach": "xs", "num_parallel": 2}),
    ],
)
def test_what_is_no_transition_is_refused(name: str, targets: tuple[Any, ...], keywords: dict[str, Any]) -> None:
    refused(name, *targets, flow=made(xs=[1]), **keywords)


@pytest.mark.parametrize(
    ("name", "targets", "keywords"),
    [
        ("start", ("b", "a"), {}),
        ("start", ("a",), {}),
        ("loop", ("end",), {}),
        ("loop", ("joined",), {"foreach": "xs"}),
        ("a", ("each",), {}),
        ("a", ("each",), {"foreach": "ys"}),
        ("a", ("each",), {"num_parallel": 2}),
        ("b", ("node",), {"foreach": "xs"}),
        ("each", ("loop",), {}),
    ],
)
def test_what_the_source_does_not_say_is_refused(name: str, targets: tuple[Any, ...], keywords: dict[str, Any]) -> None:
    assert "source says" in refused(name, *targets, flow=made(xs=[1], ys=[2]), **keywords).message


def test_a_switch_may_not_leave_its_cases() -> None:
    flow = made(kind="x")
    assert "source says" in refused("each", {"x": flow.end}, flow=flow, condition="kind").message
