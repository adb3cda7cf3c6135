"""What a flow class declares beside its steps, checked: parameters and decorators become data. Every refusal is a FlowDefinitionError with a line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from headrace_hookspecs.decorators import CALLS, DecoratorCall
from headrace_hookspecs.errors import FlowDefinitionError
from headrace_hookspecs.ir import DecoratorUse, ParameterSpec, Source

from .load import importable_name, resolve_global
from .parameters import JSONType, JSONTypeClass, Parameter, parameters_of
from .values import from_python, kind_of

RESERVED: Final = frozenset((
    "help", "json", "max_num_splits", "max_workers", "module", "option", "profile", "quiet", "run_id_file", "tag", "version", "with",
    "decospecs", "max_log_size", "namespace", "obj", "params", "run_id", "runner_attribute_file", "tags", "task_id", "user_namespace",
))  # fmt: skip
"""Names that mean something else where a run is started; `-` is `_` here."""

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
_KINDS: Final = {str: "str", int: "int", float: "float", bool: "bool"}
_OPTIONS: Final[Mapping[str, type | tuple[type, ...]]] = {
    **{"multiple": bool, "is_flag": bool, "hidden": bool, "required": bool},
    **{"separator": str, "envvar": str, "help": str, "show_default": (bool, str)},
}

_Fault = tuple[str, str, str]
"""What a declaration does wrong: the code, the problem, the remedy."""


def parameter_specs(cls: type) -> tuple[ParameterSpec, ...]:
    """The parameters of a flow in the order of definition, those of base classes first."""
    specs: dict[str, ParameterSpec] = {}
    for attribute, parameter in parameters_of(cls).items():
        fault = _fault(attribute, parameter)
        if fault is None:
            spec = _spec(attribute, parameter)
            same = specs.setdefault(_normal(spec.name), spec)
            if same is spec:
                continue
            fault = (
                "flow-parameter-duplicate",
                f"has the name of {same.attribute}, {same.name!r}",
                "Choose another; case, - and _ make no difference.",
            )
        raise _refused(parameter, fault)
    return tuple(specs.values())


def _normal(name: str) -> str:
    return name.lower().replace("-", "_")


def _fault(attribute: str, parameter: Parameter[Any]) -> _Fault | None:
    name, options, wanted, default = parameter.name, parameter.options, parameter.type, parameter.default
    if parameter.attribute != attribute:
        return (
            "flow-parameter-shared",
            f"is one object for two attributes, {parameter.attribute!r} and {attribute!r}",
            "Declare each of them.",
        )
    if not isinstance(name, str) or not _NAME.match(name):
        return "flow-parameter-name", "has no name that can be typed", "Use letters, digits, - and _, and no digit at the beginning."
    if _normal(name) in RESERVED:
        return "flow-parameter-reserved", "has a reserved name: it means something else where a run is started", "Give it another name."
    given = {"help": parameter.help, "required": parameter.required, "show_default": parameter.show_default, **options}
    for option, value in given.items():
        if option not in _OPTIONS:
            import difflib

            near = difflib.get_close_matches(option, [*_OPTIONS, "default", "type"], 1)
            remedy = f"Did you mean {near[0]}?" if near else f"It may have {', '.join(sorted(_OPTIONS))}."
            return "flow-parameter-option", f"has an option {option!r} that does not exist", remedy
        if value is not None and not isinstance(value, _OPTIONS[option]):
            return "flow-parameter-option", f"has {option}={value!r}", "Give a value of the right type; only the default may be a function."
    if options.get("multiple") and (options.get("separator") is not None or options.get("is_flag")):
        return "flow-parameter-option", "combines multiple with separator or is_flag", "Keep one of them."
    if options.get("separator") is not None and (wanted not in (None, str) or not options["separator"]):
        return (
            "flow-parameter-option",
            f"has separator={options['separator']!r}",
            "It is one or more characters, for a parameter of type str.",
        )
    if options.get("is_flag") and wanted not in (None, bool):
        return "flow-parameter-type", f"is a flag of type {wanted!r}", "A flag is a bool."
    if wanted is not None and not isinstance(wanted, JSONTypeClass) and (not isinstance(wanted, type) or wanted not in _KINDS):
        return "flow-parameter-type", f"has the type {getattr(wanted, '__name__', wanted)!r}", f"Use str, int, float, bool or {JSONType!r}."
    if wanted is None and default is not None and not callable(default) and kind_of(default) is None:
        return "flow-parameter-default", f"has a default of type {type(default).__name__}", f"Use a value that {JSONType!r} can hold."
    return None


def _spec(attribute: str, parameter: Parameter[Any]) -> ParameterSpec:
    options, default, kind = parameter.options, parameter.default, _kind(parameter)
    if options.get("is_flag") and default is None:
        default = False
    has_default, callable_default = default is not None, callable(default)
    multiple, separator = bool(options.get("multiple")), options.get("separator")
    try:
        if callable_default or default is None:
            default = None
        elif multiple:
            default = [from_python(kind, item) for item in default]
        else:
            default = from_python(kind, default if separator is None or isinstance(default, str) else separator.join(default))
    except (TypeError, ValueError) as error:
        raise _refused(
            parameter, ("flow-parameter-default", f"has a default that is not {kind}: {error}", "Correct the default or the type.")
        ) from None
    return ParameterSpec(
        name=parameter.name, attribute=attribute, kind="json" if kind == "json" else "plain", type=kind,
        default=default, has_default=has_default, callable_default=callable_default, required=bool(parameter.required) and not has_default,
        multiple=multiple, separator=separator, help=parameter.help, hidden=bool(options.get("hidden")),
        source=Source(parameter.file, parameter.line),
    )  # fmt: skip


def _kind(parameter: Parameter[Any]) -> str:
    """The declared type, else that of the default (of its elements, where there are several), else text."""
    default, wanted, options = parameter.default, parameter.type, parameter.options
    if wanted is not None or options.get("is_flag"):
        return "json" if isinstance(wanted, JSONTypeClass) else _KINDS[wanted or bool]
    if options.get("multiple") and isinstance(default, (list, tuple)):
        default = next(iter(default), None)
    return "str" if callable(default) or options.get("separator") is not None else kind_of(default) or "str"


def _refused(parameter: Parameter[Any], fault: _Fault) -> FlowDefinitionError:
    code, problem, remedy = fault
    where: dict[str, Any] = {"file": parameter.file, "line": parameter.line}
    return FlowDefinitionError(f"Parameter {parameter.name!r} {problem}.", remedy=remedy, code=code, **where)


def decorator_uses(owners: Iterable[Any]) -> tuple[DecoratorUse, ...]:
    """The decorators that were applied to these functions or classes, as data: in the order of the source, top first."""
    calls: list[DecoratorCall] = [call for owner in owners for call in reversed(owner.__dict__.get(CALLS, ()))]
    return tuple(
        DecoratorUse(
            call.name, {key: _plain(call, key, value) for key, value in call.kwargs.items()}, Source(call.file, call.line), call.origin
        )
        for call in calls
    )


def _plain(call: DecoratorCall, key: str, value: Any) -> Any:
    """A keyword argument as JSON; a function or class is a reference `module:qualname`, which is found again in a task."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(call, key, item) for item in value]
    if isinstance(value, Mapping) and all(isinstance(name, str) for name in value):
        return {name: _plain(call, key, item) for name, item in value.items()}
    try:
        resolve_global(value.__module__, value.__qualname__)
        return f"{importable_name(value.__module__)}:{value.__qualname__}"
    except (AttributeError, ImportError, TypeError):
        where: dict[str, Any] = {"file": call.file, "line": call.line, "code": "flow-decorator-value"}
        remedy = "Give numbers, text, lists, dicts with text keys, or a function from the top level of a module."
        raise FlowDefinitionError(f"@{call.name} has {key}={value!r}, which cannot be stored with a run.", remedy=remedy, **where) from None
