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

RESERVED: Final = frozenset(
    (
        *("help", "json", "max-num-splits", "max-workers", "module", "option", "profile", "quiet", "run-id-file", "tag", "version", "with"),
        *(
            "decospecs",
            "max-log-size",
            "namespace",
            "obj",
            "params",
            "run-id",
            "runner-attribute-file",
            "tags",
            "task-id",
            "user-namespace",
        ),
    )
)
"""Names that mean something else where a run is started."""

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
_OPTIONS: Final = {"multiple": bool, "separator": str, "is_flag": bool, "hidden": bool, "envvar": str}
_KINDS: Final = {str: "str", int: "int", float: "float", bool: "bool"}


def parameter_specs(cls: type) -> tuple[ParameterSpec, ...]:
    """The parameters of a flow in the order of definition, those of base classes first."""
    specs: dict[str, ParameterSpec] = {}
    for attribute, parameter in parameters_of(cls).items():
        spec = _spec(attribute, parameter)
        same = specs.setdefault(_normal(spec.name), spec)
        if same is not spec:
            raise _refused(
                parameter,
                f"is declared twice: {same.attribute} is {same.name!r}, {attribute} is {spec.name!r}",
                "duplicate",
                "Give one of them another name; case, - and _ make no difference.",
            )
    return tuple(specs.values())


def _normal(name: str) -> str:
    return name.lower().replace("-", "_")


def _spec(attribute: str, parameter: Parameter[Any]) -> ParameterSpec:
    name, options = parameter.name, parameter.options
    if parameter.attribute != attribute:
        raise _refused(
            parameter, f"is one object for two attributes, {parameter.attribute!r} and {attribute!r}", "shared", "Declare each of them."
        )
    if not isinstance(name, str) or not _NAME.match(name):
        raise _refused(parameter, "has no name that can be typed", "name", "Use letters, digits, - and _, and no digit at the beginning.")
    if _normal(name) in {_normal(word) for word in RESERVED}:
        raise _refused(
            parameter, "has a reserved name: it means something else where a run is started", "reserved", "Give it another name."
        )
    _check_options(parameter)
    kind = _kind(parameter)
    multiple, separator = bool(options.get("multiple")), options.get("separator")
    if multiple and (separator is not None or options.get("is_flag")):
        raise _refused(parameter, "combines multiple with separator or is_flag", "option", "Keep one of them.")
    if separator is not None and (kind != "str" or not separator):
        raise _refused(
            parameter,
            f"has a separator {separator!r}, but its type is {kind}",
            "option",
            "Only text can be split, at one or more characters.",
        )
    callable_default = callable(parameter.default)
    default: Any = False if options.get("is_flag") and parameter.default is None else parameter.default
    has_default = default is not None
    try:
        if callable_default or not has_default:
            default = None
        elif multiple:
            default = [from_python(kind, item) for item in default]
        elif separator is not None and not isinstance(default, str):
            default = separator.join(default)
        else:
            default = from_python(kind, default)
    except (TypeError, ValueError) as error:
        raise _refused(parameter, f"has a default that is not {kind}: {error}", "default", "Correct the default or the type.") from None
    return ParameterSpec(
        name=name,
        attribute=attribute,
        kind="json" if kind == "json" else "plain",
        type=kind,
        default=default,
        has_default=has_default,
        callable_default=callable_default,
        required=bool(parameter.required) and not has_default,
        multiple=multiple,
        separator=separator,
        help=parameter.help,
        hidden=bool(options.get("hidden")),
        source=Source(parameter.file, parameter.line),
    )


def _check_options(parameter: Parameter[Any]) -> None:
    for option, value in parameter.options.items():
        if option not in _OPTIONS:
            import difflib

            near = difflib.get_close_matches(option, [*_OPTIONS, "default", "type", "help", "required", "show_default"], 1)
            remedy = f"Did you mean {near[0]}?" if near else f"It may have {', '.join(sorted(_OPTIONS))}."
            raise _refused(parameter, f"has an option {option!r} that does not exist", "option", remedy)
        if value is not None and not isinstance(value, _OPTIONS[option]):
            raise _refused(parameter, f"has {option}={value!r}", "option", f"It takes {_OPTIONS[option].__name__}.")
    for option, value, kind in (
        ("help", parameter.help, str),
        ("required", parameter.required, bool),
        ("show_default", parameter.show_default, (bool, str)),
    ):
        if value is not None and not isinstance(value, kind):
            raise _refused(parameter, f"has {option}={value!r}", "option", "Only the default may be a function; give the value itself.")


def _kind(parameter: Parameter[Any]) -> str:
    default, wanted = parameter.default, parameter.type
    if parameter.options.get("is_flag"):
        wanted = wanted or bool
        if wanted is not bool:
            raise _refused(parameter, f"is a flag of type {wanted!r}", "type", "A flag is a bool.")
    if isinstance(wanted, JSONTypeClass) or wanted is JSONTypeClass:
        return "json"
    if wanted is not None:
        if not isinstance(wanted, type) or wanted not in _KINDS:
            raise _refused(
                parameter, f"has the type {getattr(wanted, '__name__', wanted)!r}", "type", f"Use str, int, float, bool or {JSONType!r}."
            )
        return _KINDS[wanted]
    if default is None or callable(default) or parameter.options.get("separator") is not None:
        return "str"
    if parameter.options.get("multiple"):
        default = next(iter(default), "") if isinstance(default, (list, tuple)) else default
    kind = kind_of(default)
    if kind is None:
        raise _refused(parameter, f"has a default of type {type(default).__name__}", "default", f"Use a value that {JSONType!r} can hold.")
    return kind


def _refused(parameter: Parameter[Any], problem: str, word: str, remedy: str) -> FlowDefinitionError:
    return FlowDefinitionError(
        f"Parameter {parameter.name!r} {problem}.", file=parameter.file, line=parameter.line, remedy=remedy, code=f"flow-parameter-{word}"
    )


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
    """A keyword argument as JSON; a function or class is a reference `module:qualname`."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(call, key, item) for item in value]
    if isinstance(value, Mapping) and all(isinstance(name, str) for name in value):
        return {name: _plain(call, key, item) for name, item in value.items()}
    if isinstance(value, type) or callable(value):
        module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", "<")
        if isinstance(module, str) and "<" not in name and _resolves(module, name):
            return f"{importable_name(module)}:{name}"
        problem, remedy = "which no module has under its name", "Define it at the top level of a module."
    else:
        problem, remedy = (
            f"which is a {type(value).__name__}",
            "Give numbers, text, lists, dicts with text keys, or a function of a module.",
        )
    raise FlowDefinitionError(
        f"@{call.name} has {key}={value!r}, {problem}: it cannot be stored with a run.",
        file=call.file,
        line=call.line,
        remedy=remedy,
        code="flow-decorator-value",
    )


def _resolves(module: str, name: str) -> bool:
    try:
        resolve_global(module, name)
    except (AttributeError, ImportError):
        return False
    return True
