"""From decorators as data to decorator objects: configuration checked against the decorator's own class, errors with the user's line.

Used when a flow is planned and again in each task process, where the same JSON makes an equal object.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FunctionType
from typing import Any, Final

import attrs

from headrace_hookspecs.decorators import DecoratorCall, FlowDecoratorHandle, Option, StepDecoratorHandle
from headrace_hookspecs.errors import FlowDefinitionError, HeadraceError, PluginError, UsageError
from headrace_hookspecs.ir import DecoratorUse, FlowGraph, StepNode

from ..host.registry import Registry

GROUP: Final = "headrace.decorator"


def build_decorators(step: StepNode, registry: Registry) -> list[Any]:
    """The objects behind the decorators of a planned step, in the order of `step.decorators`."""
    return [_build(use, registry, step.name) for use in step.decorators]


def build_flow_decorators(graph: FlowGraph, registry: Registry) -> list[Any]:
    """The objects behind the decorators of a planned flow, in the order of `graph.decorators`."""
    return [_build(use, registry, None) for use in graph.decorators]


def flow_options(graph: FlowGraph, registry: Registry) -> dict[str, tuple[Option, ...]]:
    """The command-line options of each flow decorator that has any, by the decorator's name. `graph` need not be planned."""
    made = {use.name: _build(_normal(use, registry, None), registry, None) for use in graph.decorators}
    return {name: tuple(one.options()) for name, one in made.items() if hasattr(one, "options")}


def attach(graph: FlowGraph, calls: Sequence[DecoratorCall], registry: Registry) -> FlowGraph:
    """The graph with the decorators of `calls` (from `--with`) on every step.

    What a step has in the flow file wins, and of several calls the first, unless the decorator may be attached more than once.
    """
    steps = dict(graph.steps)
    for call in calls:
        handle = registry.load(GROUP, call.name)
        if isinstance(handle, FlowDecoratorHandle):
            raise UsageError(
                f"--with {call.name}: @{call.name} is a decorator of flows, not of steps.",
                remedy="Put it above the class in the flow file.",
                code="with-invalid",
            )
        use = DecoratorUse(call.name, dict(call.kwargs), None, call.origin)
        for name, step in steps.items():
            if getattr(handle, "multiple", False) or all(other.name != call.name for other in step.decorators):
                steps[name] = attrs.evolve(step, decorators=(*step.decorators, use))
    return attrs.evolve(graph, steps=steps)


def normal(graph: FlowGraph, registry: Registry) -> FlowGraph:
    """The graph with every decorator's configuration checked and as JSON: what differs from the defaults, in the decorator's own terms."""
    steps = {
        name: attrs.evolve(step, decorators=tuple(_normal(use, registry, name) for use in step.decorators))
        for name, step in graph.steps.items()
    }
    return attrs.evolve(graph, steps=steps, decorators=tuple(_normal(use, registry, None) for use in graph.decorators))


@contextmanager
def blame(use: DecoratorUse, step: str | None) -> Iterator[None]:
    """Around a decorator's own code: an error gets the place where the user wrote the decorator."""
    file, line = (use.source.file, use.source.line) if use.source else (None, None)
    try:
        yield
    except HeadraceError as error:
        if error.file is None:
            error.file, error.line = file, line
        error.step = error.step or step
        raise
    except Exception as error:
        raise PluginError(
            f"@{use.name} failed: {type(error).__name__}: {error}", file=file, line=line, step=step, code="plugin-failed"
        ) from error


def _normal(use: DecoratorUse, registry: Registry, step: str | None) -> DecoratorUse:
    with blame(use, step):
        config = _configure(use, _implementation(use, registry), _refer(use.config))
        values = {}
        for field in attrs.fields(type(config)) if config is not None else ():
            value, default = getattr(config, field.name), field.default
            if isinstance(default, attrs.Factory) and not default.takes_self:  # type: ignore[arg-type]
                default = default.factory()
            if field.init and value != default:
                values[field.alias or field.name] = _json(use.name, value)
        return attrs.evolve(use, config=values)


def _build(use: DecoratorUse, registry: Registry, step: str | None) -> Any:
    with blame(use, step):
        cls = _implementation(use, registry)
        config = _configure(use, cls, use.config)
        return cls() if config is None else cls(config)


def _implementation(use: DecoratorUse, registry: Registry) -> Any:
    handle = registry.load(GROUP, use.name)
    if not isinstance(handle, (StepDecoratorHandle, FlowDecoratorHandle)):
        return handle
    try:
        return handle.implementation()
    except (ImportError, AttributeError) as error:
        origin = registry.entry(GROUP, use.name).distribution
        raise PluginError(f"@{use.name} cannot be imported from {origin}: {type(error).__name__}: {error}", code="plugin-import") from error


def _configure(use: DecoratorUse, cls: Any, values: Mapping[str, Any]) -> Any:
    """The decorator's configuration object, None where it takes none."""
    from .structure import structure, unknown

    config_class = cls.config_class() if hasattr(cls, "config_class") else None
    if config_class is None:
        config, problems = None, [unknown((key,), ()) for key in values]
    else:
        config, problems = structure(config_class, values)
    if problems:
        wrong = "; ".join(f"{'.'.join(problem.path)} {problem.message}".strip() for problem in problems)
        advice = " ".join(dict.fromkeys(problem.remedy for problem in problems if problem.remedy))
        given = "" if use.origin == "source" else f" (from {use.origin})"
        raise FlowDefinitionError(f"@{use.name}{given}: {wrong}.", remedy=advice or None, code="decorator-invalid")
    return config


def _refer(value: Any) -> Any:
    """The value with functions replaced by references `module:qualname`."""
    if isinstance(value, FunctionType):
        found: Any = sys.modules.get(value.__module__)
        for name in value.__qualname__.split("."):
            found = getattr(found, name, None)
        if found is not value:
            raise FlowDefinitionError(
                f"The function {value.__qualname__!r} cannot be found again by its name.",
                remedy="Define it at the top level of a module, without a decorator that hides it.",
                code="decorator-invalid",
            )
        from ..dsl.load import importable_name

        return f"{importable_name(value.__module__)}:{value.__qualname__}"
    if isinstance(value, Mapping):
        return {key: _refer(item) for key, item in value.items()}
    return type(value)(map(_refer, value)) if type(value) in (list, tuple) else value


def _json(name: str, value: Any) -> Any:
    from enum import Enum
    from os import PathLike, fspath

    if value is None or type(value) in (str, int, float, bool):
        return value
    if isinstance(value, Mapping):
        return {str(key): _json(name, item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json(name, item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(_json(name, item) for item in value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, PathLike):
        return fspath(value)
    if attrs.has(type(value)):
        return {field.alias or field.name: _json(name, getattr(value, field.name)) for field in attrs.fields(type(value)) if field.init}
    raise FlowDefinitionError(
        f"@{name}: {value!r} is no value that can be recorded.", remedy="Give plain values.", code="decorator-invalid"
    )
