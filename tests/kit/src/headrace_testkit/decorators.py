"""Conformance of step decorators: `StepDecoratorContract`, and the graph and the task that it tries them on.

Knows what the contract says of every decorator and nothing of what a single one is for; that is for its own tests.
"""

from __future__ import annotations

import copy
import inspect
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any, ClassVar, get_args

import attrs
import pytest

from headrace_hookspecs import (
    Absorbed,
    DecoratorUse,
    Failure,
    FailureKind,
    FlowGraph,
    GiveUp,
    HeadraceError,
    NotFoundError,
    Outcome,
    PlanContext,
    PluginError,
    Source,
    StepNode,
    TaskSpec,
    TaskView,
)
from headrace_hookspecs.decorators import CALLS, IS_STEP, PHASES

_WRITTEN_BY_DECORATORS = {
    *("resources", "compute", "workload", "image", "environment", "retry", "timeout", "absorb", "env", "secrets", "labels"),
    *("annotations", "decorators", "target"),
}

_OPTIONAL = {
    "plan": ("test_plan_writes_neutral_fields_only_and_changes_nothing_that_it_is_given", "test_the_planned_step_is_json"),
    "around": ("test_around_restores_what_it_changed",),
    "on_failure": ("test_on_failure_answers_as_the_contract_says",),
    "after": ("test_after_answers_nothing",),
}


def linear_graph(*steps: StepNode, name: str = "LinearFlow") -> FlowGraph:
    """A flow of one step after another: `start`, the given steps, `end`; edges and source are filled in."""
    names = ["start", *(step.name for step in steps), "end"]
    given = {step.name: step for step in steps}
    nodes = {}
    for index, each in enumerate(names):
        node = given.get(each) or StepNode(each, "end" if each == "end" else "linear")
        nodes[each] = attrs.evolve(
            node,
            next=node.next or tuple(names[index + 1 : index + 2]),
            predecessors=tuple(names[max(index - 1, 0) : index]),
            source=node.source or Source("flow.py", 10 * index + 10),
        )
    return FlowGraph(name=name, steps=nodes, start="start", end="end", order=tuple(names), source=Source("flow.py", 1))


class MemoryTask:
    """A TaskContext that keeps everything in dictionaries: `published`, `recorded`, `attached`, `redacted` and `artifacts`."""

    def __init__(self, graph: FlowGraph, step: StepNode, tempdir: str, attempt: int = 0) -> None:
        self.spec = TaskSpec(flow=graph.name, run="20260731-142501093-k3x9q7", step=step.name, attempt=attempt)
        self.graph = graph
        self.step = step
        self.tempdir = tempdir
        self.scratch: dict[str, Any] = {}
        self.artifacts: dict[str, Any] = {}
        self.published: dict[str, Any] = {}
        self.recorded: dict[str, Any] = {}
        self.redacted: list[str] = []
        self.attached: dict[tuple[str, str], tuple[bytes, Mapping[str, Any]]] = {}
        self.environ: dict[str, str] = {}

    def inputs(self) -> Iterator[TaskView]:
        """None."""
        return iter(())

    def artifact(self, name: str) -> Any:
        """The value in `artifacts`."""
        if name not in self.artifacts:
            raise NotFoundError(f"Step {self.step.name} has no artifact {name!r}.")
        return self.artifacts[name]

    def publish(self, name: str, value: Any) -> None:
        """Keep it in `published`."""
        if name in self.published:
            raise PluginError(f"current.{name} is taken.")
        self.published[name] = value

    def set_env(self, name: str, value: str) -> None:
        """Keep it in `environ`; the process's own environment is left alone."""
        self.environ[name] = value

    def redact(self, value: str) -> None:
        """Keep it in `redacted`."""
        self.redacted.append(value)

    def attach(self, kind: str, name: str, data: bytes, meta: Mapping[str, Any] | None = None) -> None:
        """Keep it in `attached`."""
        self.attached[kind, name] = (data, dict(meta or {}))

    def record(self, name: str, value: Any) -> None:
        """Keep it in `recorded`."""
        self.recorded[name] = value


class StepDecoratorContract:
    """What every step decorator promises. A test module subclasses it once for each decorator::

        class TestPause(StepDecoratorContract):
            handle = headrace_pause.pause
            accepted = ({"seconds": 2}, {"seconds": "1m"})
            refused = ({"seconds": -1}, {"seconds": "soon"})

    `accepted` are keyword arguments as a flow file or `--with` gives them, `refused` those with which the decorator's configuration or
    its `plan` raises a HeadraceError. `node` may be overridden where a plain linear step is no good example.
    """

    handle: ClassVar[Any]
    accepted: ClassVar[Sequence[Mapping[str, Any]]] = ({},)
    refused: ClassVar[Sequence[Mapping[str, Any]]] = ()

    def __init_subclass__(cls) -> None:
        """Leave out the tests of the optional methods that this decorator does without."""
        if "handle" in vars(cls):
            implementation = cls.handle.implementation()
            for method, tests in _OPTIONAL.items():
                for test in tests if not hasattr(implementation, method) else ():
                    setattr(cls, test, None)

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """One test for each set of keyword arguments."""
        for name in ("accepted", "refused"):
            if name + "_kwargs" in metafunc.fixturenames:
                metafunc.parametrize(name + "_kwargs", getattr(self, name), ids=repr)

    def node(self) -> StepNode:
        """The step that the decorator is tried on."""
        return StepNode("work", "linear", takes_inputs=False)

    # the handle in a flow file

    def test_it_is_found_by_its_name(self) -> None:
        from importlib.metadata import entry_points

        found = [entry.load() for entry in entry_points(group="headrace.decorator") if entry.name == self.handle.name]
        assert found == [self.handle]

    def test_its_implementation_agrees_with_the_handle(self) -> None:
        implementation = self.handle.implementation()
        assert (implementation.name, implementation.multiple) == (self.handle.name, self.handle.multiple)
        assert implementation.phase in PHASES
        assert (self.handle.__doc__ or "").strip()

    @pytest.mark.parametrize("bare", [True, False])
    def test_applying_it_keeps_the_function_and_records_the_call(self, bare: bool) -> None:
        def work() -> None: ...

        setattr(work, IS_STEP, True)
        kwargs = {} if bare else dict(self.accepted[0])
        line = inspect.currentframe().f_lineno + 1  # type: ignore[union-attr]
        result = self.handle(work) if bare else self.handle(**kwargs)(work)
        assert result is work
        assert [tuple(call) for call in getattr(work, CALLS)] == [(self.handle.name, kwargs, __file__, line, "source")]

    # the configuration

    def test_the_configuration_is_frozen_and_has_keywords_only(self) -> None:
        cls = self.config_class()
        assert attrs.has(cls)
        assert [field.name for field in attrs.fields(cls) if not field.kw_only] == []
        config = cls(**self.accepted[0])
        for field in attrs.fields(cls):
            with pytest.raises(attrs.exceptions.FrozenInstanceError):
                setattr(config, field.name, None)

    def test_the_configuration_says_what_each_keyword_means(self) -> None:
        cls = self.config_class()
        text = inspect.getdoc(cls) or ""
        assert [field.name for field in attrs.fields(cls) if f"`{field.name}`" not in text] == []

    def test_what_editors_show_is_the_configuration(self, accepted_kwargs: Mapping[str, Any]) -> None:
        signature = inspect.signature(self.handle)
        cls = self.config_class()
        assert list(signature.parameters) == [field.name for field in attrs.fields(cls)]
        shown = {name: each.default for name, each in signature.parameters.items() if each.default is not each.empty}
        assert cls(**{**shown, **accepted_kwargs}) == cls(**accepted_kwargs)

    def test_an_unknown_keyword_is_refused_by_name(self) -> None:
        with pytest.raises(TypeError, match="no_such_keyword"):
            self.config_class()(**{**self.accepted[0], "no_such_keyword": 1})

    def test_the_configuration_survives_json(self, accepted_kwargs: Mapping[str, Any]) -> None:
        config = self.config_class()(**accepted_kwargs)
        assert self.config_class()(**json.loads(json.dumps(attrs.asdict(config)))) == config

    def test_a_bad_value_is_refused_with_a_remedy(self, refused_kwargs: Mapping[str, Any]) -> None:
        with pytest.raises(HeadraceError) as caught:
            self.plan(refused_kwargs)
        assert f"@{self.handle.name}" in caught.value.message
        assert caught.value.remedy

    # plan

    def test_plan_writes_neutral_fields_only_and_changes_nothing_that_it_is_given(self, accepted_kwargs: Mapping[str, Any]) -> None:
        step, context = self.situation(accepted_kwargs)
        step_before, context_before = copy.deepcopy((step, context))
        decorator = self.decorator(accepted_kwargs)
        planned = decorator.plan(step, context)
        assert (step, context) == (step_before, context_before)
        changed = {field.name for field in attrs.fields(StepNode) if getattr(planned, field.name) != getattr(step, field.name)}
        assert changed <= _WRITTEN_BY_DECORATORS
        assert decorator.plan(step, context) == planned
        assert self.decorator(accepted_kwargs).plan(step, context) == planned

    def test_the_planned_step_is_json(self, accepted_kwargs: Mapping[str, Any]) -> None:
        planned = self.plan(accepted_kwargs)
        assert json.loads(json.dumps(attrs.asdict(planned))) == _lists(attrs.asdict(planned))
        try:
            codec = import_module("headrace.graph.codec")
        except ImportError:
            return
        graph = linear_graph(planned)
        assert codec.graph_from_json(json.loads(json.dumps(codec.graph_to_json(graph)))) == graph

    # the task

    @pytest.mark.parametrize("failing", [False, True])
    def test_around_restores_what_it_changed(self, accepted_kwargs: Mapping[str, Any], failing: bool, tmp_path: os.PathLike[str]) -> None:
        decorator = self.decorator(accepted_kwargs)
        task = self.task(accepted_kwargs, tmp_path)
        before = _process_state()
        if failing:
            with pytest.raises(_UserError), decorator.around(task):
                raise _UserError
        else:
            with decorator.around(task):
                pass
        assert _process_state() == before

    @pytest.mark.parametrize("kind", get_args(FailureKind))
    def test_on_failure_answers_as_the_contract_says(self, kind: FailureKind, tmp_path: os.PathLike[str]) -> None:
        decorator = self.decorator(self.accepted[0])
        answer = decorator.on_failure(self.task(self.accepted[0], tmp_path), Failure(kind=kind, message="it broke"))
        assert answer is None or isinstance(answer, (GiveUp, Absorbed))

    @pytest.mark.parametrize("outcome", [Outcome("succeeded", ("end",)), Outcome("failed", failure=Failure("exception"))])
    def test_after_answers_nothing(self, outcome: Outcome, tmp_path: os.PathLike[str]) -> None:
        decorator = self.decorator(self.accepted[0])
        assert decorator.after(self.task(self.accepted[0], tmp_path), outcome) is None

    # what the tests above, and a subclass's own, share

    def config_class(self) -> Any:
        """The attrs class of the keyword arguments."""
        return self.handle.implementation().config_class()

    def decorator(self, kwargs: Mapping[str, Any]) -> Any:
        """A new implementation with these keyword arguments."""
        return self.handle.implementation()(self.config_class()(**kwargs))

    def situation(self, kwargs: Mapping[str, Any], node: StepNode | None = None, origin: str = "source") -> tuple[StepNode, PlanContext]:
        """What `plan` is called with: the decorated step, in a graph, and the context."""
        node = node or self.node()
        config = json.loads(json.dumps(attrs.asdict(self.config_class()(**kwargs))))
        use = DecoratorUse(self.handle.name, config, Source("flow.py", 17), origin)
        graph = linear_graph(attrs.evolve(node, decorators=(*node.decorators, use)))
        return graph.steps[node.name], PlanContext(graph=graph, target="inline", deploying=False, config={}, user="ada")

    def plan(self, kwargs: Mapping[str, Any], node: StepNode | None = None, origin: str = "source") -> StepNode:
        """The step after the decorator planned it."""
        step, context = self.situation(kwargs, node, origin)
        decorator = self.decorator(kwargs)
        planned: StepNode = decorator.plan(step, context) if hasattr(decorator, "plan") else step
        return planned

    def task(self, kwargs: Mapping[str, Any], tempdir: os.PathLike[str]) -> MemoryTask:
        """An attempt at the planned step."""
        planned = self.plan(kwargs)
        return MemoryTask(linear_graph(planned), planned, os.fspath(tempdir))


class _UserError(Exception):
    pass


def _lists(value: Any) -> Any:
    """The value as JSON gives it back: tuples are lists there."""
    if isinstance(value, dict):
        return {key: _lists(item) for key, item in value.items()}
    return [_lists(item) for item in value] if isinstance(value, (list, tuple)) else value


def _process_state() -> dict[str, Any]:
    """What belongs to the process and a decorator could leave changed."""
    handlers: dict[int, Callable[..., Any] | int | None] = {int(each): signal.getsignal(each) for each in signal.valid_signals()}
    return {
        "environ": dict(os.environ),
        "cwd": os.getcwd(),
        "sys.path": list(sys.path),
        "streams": (sys.stdout, sys.stderr, sys.stdin),
        "excepthook": sys.excepthook,
        "signal handlers": handlers,
        "timers": [signal.getitimer(each) for each in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)],
        "threads": sorted(thread.name for thread in threading.enumerate()),
    }
