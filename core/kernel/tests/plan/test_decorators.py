from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import attrs
import pytest

from headrace.host.index import Index
from headrace.host.registry import Registry
from headrace.plan.decorators import build_decorators, flow_options, normal
from headrace_hookspecs import (
    DecoratorUse,
    FlowDefinitionError,
    FlowGraph,
    HeadraceError,
    Option,
    PluginError,
    Source,
    StepNode,
    flow_decorator,
    step_decorator,
)

HERE = Source("/flows/flow.py", 17)


class Size(Enum):
    SMALL = "small"
    LARGE = "large"


@attrs.frozen(kw_only=True)
class PauseConfig:
    seconds: float = 1.0
    on: tuple[str, ...] = ()
    labels: Mapping[str, int] = attrs.field(factory=dict)
    size: Size = Size.SMALL
    folder: Path | None = None
    tags: frozenset[str] = frozenset()
    hook: str | None = None
    factor: int = attrs.field(default=1, converter=lambda value: int(value) * 10 if isinstance(value, str) else value)

    def __attrs_post_init__(self) -> None:
        if self.seconds < 0:
            raise FlowDefinitionError("@pause: seconds is negative.", code="pause-negative")
        if self.seconds > 100:
            raise ValueError("seconds is more than 100")


class Pause:
    name = "pause"

    def __init__(self, config: PauseConfig) -> None:
        self.config = config

    @staticmethod
    def config_class() -> type[PauseConfig]:
        return PauseConfig


class Bare:
    name = "bare"


class Branch:
    name = "branch"

    def options(self) -> tuple[Option, ...]:
        return (Option("branch", "str", None, "The branch."),)


@pytest.fixture
def registry() -> Registry:
    registry = Registry(Index(()))
    for name, cls in [("pause", Pause), ("bare", Bare)]:
        registry.register("headrace.decorator", name, step_decorator(name, f"{__name__}:{cls.__name__}"))
    registry.register("headrace.decorator", "branch", flow_decorator("branch", f"{__name__}:Branch"))
    registry.register("headrace.decorator", "direct", Bare)
    registry.register("headrace.decorator", "gone", step_decorator("gone", "no_such_module_at_all:Gone"))
    return registry


def graph_of(*uses: DecoratorUse, flow: tuple[DecoratorUse, ...] = ()) -> FlowGraph:
    steps = {"fit": StepNode("fit", "linear", decorators=uses), "end": StepNode("end", "end")}
    return FlowGraph("F", steps, "fit", "end", decorators=flow)


def normalised(registry: Registry, **kwargs: Any) -> Mapping[str, Any]:
    [use] = normal(graph_of(DecoratorUse("pause", kwargs, HERE)), registry).steps["fit"].decorators
    assert (use.name, use.source, use.origin) == ("pause", HERE, "source")
    return use.config


def refusal(registry: Registry, use: DecoratorUse) -> HeadraceError:
    with pytest.raises(HeadraceError) as caught:
        normal(graph_of(use), registry)
    return caught.value


def top_level() -> None: ...


def test_a_configuration_is_recorded_as_json_without_its_defaults(registry: Registry) -> None:
    recorded = normalised(
        registry,
        seconds=2,
        on=["a", "b"],
        labels={"x": 1},
        size=Size.LARGE,
        folder=Path("/tmp"),
        tags=["t", "s"],
        factor="3",
    )
    assert recorded == {
        "seconds": 2.0, "on": ["a", "b"], "labels": {"x": 1}, "size": "large", "folder": "/tmp", "tags": ["s", "t"], "factor": 30,
    }  # fmt: skip
    assert normalised(registry) == {}
    assert normalised(registry, seconds=1, labels={}, tags=[], size="small") == {}


def test_a_function_is_recorded_as_a_reference(registry: Registry) -> None:
    assert normalised(registry, hook=top_level) == {"hook": f"{__name__}:top_level"}
    error = refusal(registry, DecoratorUse("pause", {"hook": lambda: None}, HERE))
    assert (error.code, error.file, error.line, error.step) == ("decorator-invalid", "/flows/flow.py", 17, "fit")
    assert "cannot be found again by its name" in error.message


def test_what_was_recorded_builds_an_equal_decorator(registry: Registry) -> None:
    kwargs = {"seconds": 2, "on": ("a",), "labels": {"x": 1}, "size": "large", "folder": "/t", "tags": {"t"}, "factor": "3"}
    step = normal(graph_of(DecoratorUse("pause", kwargs), DecoratorUse("bare"), DecoratorUse("direct")), registry).steps["fit"]
    travelled = attrs.evolve(
        step, decorators=tuple(attrs.evolve(use, config=json.loads(json.dumps(dict(use.config)))) for use in step.decorators)
    )
    here, there = build_decorators(step, registry), build_decorators(travelled, registry)
    assert [type(one).__name__ for one in there] == ["Pause", "Bare", "Bare"]
    assert (
        here[0].config
        == there[0].config
        == PauseConfig(seconds=2, on=("a",), labels={"x": 1}, size=Size.LARGE, folder=Path("/t"), tags=frozenset("t"), factor=30)
    )


def test_an_unknown_keyword_names_the_place_and_the_nearest(registry: Registry) -> None:
    error = refusal(registry, DecoratorUse("pause", {"second": 3}, HERE))
    assert type(error) is FlowDefinitionError
    assert (error.code, error.file, error.line, error.step) == ("decorator-invalid", "/flows/flow.py", 17, "fit")
    assert error.message == "@pause: second is unknown."
    assert error.remedy == "Did you mean 'seconds'? Known: factor, folder, hook, labels, on, seconds, size, tags."


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"seconds": "soon"}, "@pause: seconds has to be a number, not 'soon'."),
        ({"seconds": True, "on": "x"}, "@pause: seconds has to be a number, not True; on has to be a list, not 'x'."),
        ({"size": "huge"}, "@pause: size has to be 'small' or 'large', not 'huge'."),
        ({"factor": "x"}, "@pause: invalid literal for int() with base 10: 'x'."),
        ({"seconds": 101}, "@pause: seconds is more than 100."),
    ],
)
def test_a_value_of_the_wrong_type_is_an_error_at_the_users_line(registry: Registry, kwargs: dict[str, Any], message: str) -> None:
    error = refusal(registry, DecoratorUse("pause", kwargs, HERE))
    assert (error.message, error.where, error.step) == (message, "/flows/flow.py:17", "fit")


def test_a_decorators_own_error_keeps_its_code_and_gets_the_place(registry: Registry) -> None:
    error = refusal(registry, DecoratorUse("pause", {"seconds": -1}, HERE))
    assert (error.code, error.message, error.where, error.step) == (
        "pause-negative", "@pause: seconds is negative.", "/flows/flow.py:17", "fit",
    )  # fmt: skip


def test_an_error_of_a_with_decorator_says_where_it_came_from(registry: Registry) -> None:
    error = refusal(registry, DecoratorUse("pause", {"second": 3}, None, "--with"))
    assert (error.message, error.where) == ("@pause (from --with): second is unknown.", "")


def test_a_decorator_without_configuration_takes_no_keywords(registry: Registry) -> None:
    error = refusal(registry, DecoratorUse("bare", {"x": 1}, HERE))
    assert (error.message, error.remedy) == ("@bare: x is unknown.", "Known: none.")


def test_a_decorator_that_cannot_be_imported_names_its_distribution(registry: Registry) -> None:
    error = refusal(registry, DecoratorUse("gone", {}, HERE))
    assert (type(error), error.code, error.where) == (PluginError, "plugin-import", "/flows/flow.py:17")
    assert error.message == ("@gone cannot be imported from this process: ModuleNotFoundError: No module named 'no_such_module_at_all'")


def test_an_unknown_decorator_answers_with_the_nearest(registry: Registry) -> None:
    error = refusal(registry, DecoratorUse("paus", {}, HERE))
    assert (error.code, error.message) == ("plugin-unknown", "There is no decorator 'paus'.")
    assert error.remedy == "Did you mean 'pause'? Installed: bare, branch, direct, gone, pause. Or: pip install headrace-plugin-paus"


def test_options_of_flow_decorators_are_known_before_planning(registry: Registry) -> None:
    graph = graph_of(flow=(DecoratorUse("branch"),))
    assert flow_options(graph, registry) == {"branch": (Option("branch", "str", None, "The branch."),)}
    assert flow_options(graph_of(), registry) == {}
