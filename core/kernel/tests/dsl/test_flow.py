"""What `self` answers, outside of a task and with a task's state behind it."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from headrace import FlowSpec, Parameter, step
from headrace_hookspecs.errors import FlowDefinitionError, SerializationError


class Mixed:
    @property
    def broken(self) -> int:
        return int(self.missing)  # type: ignore[attr-defined]

    @property
    def shout(self) -> str:
        return "!"

    @property
    def volume(self) -> int:
        return int(self.__dict__.get("_volume", 1))

    @volume.setter
    def volume(self, value: int) -> None:
        self.__dict__["_volume"] = value


class Flow(Mixed, FlowSpec):
    alpha = Parameter("alpha", default=0.5)
    constant = 3

    @step
    def start(self) -> None:
        self.next(self.end)

    @step
    def end(self) -> None:
        pass


class State:
    """A task's state on plain dicts; what was asked for is noted."""

    def __init__(self, inherited: dict[str, Any] | None = None) -> None:
        self.parameters = {"alpha": 0.25}
        self.index = 1
        self.input = "b"
        self.foreach_stack = [(1, 2, "b")]
        self.inherited = inherited or {}
        self.calls: list[Any] = []

    def load(self, name: str) -> Any:
        self.calls.append(("load", name))
        return self.inherited[name]

    def deleted(self, name: str) -> None:
        del self.inherited[name]

    def transition(self, targets: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        self.calls.append(("next", targets, keywords))

    def merge(self, flow: Any, inputs: Any, exclude: Any, include: Any) -> None:
        self.calls.append(("merge", flow, inputs, exclude, include))


@pytest.fixture
def flow() -> Flow:
    return Flow(use_cli=False)


@pytest.fixture
def running(flow: Flow) -> Flow:
    flow._headrace = State({"model": [1, 2]})
    return flow


def test_what_is_assigned_is_an_artifact_and_nothing_else_is(running: Flow) -> None:
    running.x = 1
    running._private = 2
    assert running.__dict__ == {"x": 1, "_private": 2}


def test_an_inherited_artifact_is_loaded_once_and_then_one_of_the_flow(running: Flow) -> None:
    running.model.append(3)
    assert running.model == [1, 2, 3]
    assert running.__dict__ == {"model": [1, 2, 3]}
    assert running._headrace.calls == [("load", "model")]


def test_an_unknown_artifact_is_an_attribute_error_that_names_flow_and_attribute(running: Flow, flow: Flow) -> None:
    for one in (running, Flow(use_cli=False)):
        with pytest.raises(AttributeError, match=r"^Flow Flow has no attribute 'y'$"):
            print(one.y)
        assert not hasattr(one, "y")


def test_a_property_that_fails_says_why(running: Flow) -> None:
    with pytest.raises(AttributeError, match="no attribute 'missing'"):
        print(running.broken)


def test_the_kernel_takes_no_private_names_but_one(running: Flow) -> None:
    own = {name for name in vars(FlowSpec) if not name.startswith("__")}
    assert {name for name in own if name.startswith("_")} == {"_headrace"}


def test_a_deleted_artifact_is_gone_for_good(running: Flow) -> None:
    running.x = 1
    del running.x
    del running.model
    assert running.__dict__ == {}
    assert not hasattr(running, "model")
    assert running._headrace.calls == [("load", "model")]
    with pytest.raises(AttributeError, match="no artifact 'model'"):
        del running.model


def test_deleting_what_was_loaded_deletes_it_below_too(running: Flow) -> None:
    assert running.model
    del running.model
    assert not hasattr(running, "model")


@pytest.mark.parametrize("name", ["alpha", "constant", "start", "next", "index", "input", "foreach_stack", "shout", "run"])
def test_what_the_class_has_cannot_be_assigned(name: str, running: Flow) -> None:
    with pytest.raises(AttributeError, match=name):
        setattr(running, name, 1)
    assert running.__dict__ == {}


def test_a_property_with_a_setter_can(running: Flow) -> None:
    running.volume = 11
    assert running.volume == 11


def test_names_of_the_metaclass_are_free(running: Flow) -> None:
    running.mro = "x"
    assert running.__dict__ == {"mro": "x"}


def test_a_parameter_is_itself_on_the_class_and_its_value_in_a_task(running: Flow) -> None:
    assert isinstance(Flow.alpha, Parameter)
    assert running.alpha == 0.25
    with pytest.raises(FlowDefinitionError) as raised:
        print(Flow(use_cli=False).alpha)
    assert raised.value.code == "flow-outside-task"


def test_position_in_a_foreach(running: Flow) -> None:
    assert (running.index, running.input, running.foreach_stack()) == (1, "b", [(1, 2, "b")])
    outside = Flow(use_cli=False)
    assert (outside.index, outside.input, outside.foreach_stack()) == (None, None, [])


def test_next_passes_on_what_was_said(running: Flow) -> None:
    running.next(running.end, foreach="xs", condition=None)
    assert running._headrace.calls == [("next", (running.end,), {"foreach": "xs"})]


def test_merge_passes_on_names_as_tuples(running: Flow) -> None:
    running.merge_artifacts("inputs", exclude=["a"])
    running.merge_artifacts("inputs", include={"b"})
    assert running._headrace.calls == [("merge", running, "inputs", ("a",), ()), ("merge", running, "inputs", (), ("b",))]


def test_merge_does_not_take_a_text_for_a_list(running: Flow) -> None:
    with pytest.raises(FlowDefinitionError) as raised:
        running.merge_artifacts("inputs", exclude="abc")
    assert raised.value.code == "flow-merge"


def test_transitions_outside_of_a_task_are_errors(flow: Flow) -> None:
    for act in (lambda: flow.next(flow.end), lambda: flow.merge_artifacts([])):
        with pytest.raises(FlowDefinitionError) as raised:
            act()
        assert raised.value.code == "flow-outside-task"


def test_a_flow_is_no_artifact(running: Flow) -> None:
    for act in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(SerializationError) as raised:
            act(running)
        assert raised.value.code == "artifact-is-flow"


def test_an_own_init_may_pass_its_arguments_on() -> None:
    class Own(Flow):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self.early = 1
            super().__init__(*args, **kwargs)

    assert Own(use_cli=False).__dict__ == {"early": 1}


def test_a_flow_made_in_a_running_task_is_a_plain_object() -> None:
    from headrace.task import current

    current.activate(object())
    try:
        assert Flow().__dict__ == {}
    finally:
        current.activate(None)
