"""Parameters of a flow: how they are declared, and how the values of a run are found. Declarations are checked when the graph is built."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, NoReturn, TypeVar, overload

from headrace_hookspecs.errors import FlowDefinitionError, ParameterError

from .steps import members_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from headrace_hookspecs import ParameterSpec

T_co = TypeVar("T_co", covariant=True)
V = TypeVar("V")


class JSONTypeClass:
    """The type of `JSONType`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "JSONType"


JSONType: Final = JSONTypeClass()
"""`type=JSONType`: text is read as JSON, and any value that JSON can write is taken."""


class ParameterContext:
    """What a callable default is called with."""

    __slots__ = ("flow_name", "parameter_name", "user_name")

    def __init__(self, flow_name: str, parameter_name: str, user_name: str) -> None:
        self.flow_name = flow_name
        self.parameter_name = parameter_name
        self.user_name = user_name


class Parameter(Generic[T_co]):
    """An input of a flow: `alpha = Parameter("alpha", default=0.1)` in the class, `self.alpha` in a step, `--alpha 0.2` on the command line.

    `default`: a value, or a function of a ParameterContext that is called once when a run starts. `type`: str, int, float, bool or JSONType;
    without it the default's type, else str. `required`: no run starts without a value. Without default and value it is None. More options:
    `multiple` (may be repeated, a tuple), `separator` (one text, split into a list), `is_flag` (a bool that is False unless given), `hidden`
    (not in help), `envvar` (an environment variable to look at, besides `HEADRACE_PARAM_<NAME>`), `show_default` (whether help shows it).
    """

    @overload
    def __init__(self: Parameter[Any], name: str, default: Any = ..., *, type: JSONTypeClass, **options: Any) -> None: ...
    @overload
    def __init__(self: Parameter[Any], name: str, default: Any, type: JSONTypeClass, **options: Any) -> None: ...
    @overload
    def __init__(self: Parameter[bool], name: str, default: Any = ..., *, is_flag: Literal[True], **options: Any) -> None: ...
    @overload
    def __init__(
        self: Parameter[tuple[V, ...]], name: str, default: Any = ..., *, type: type[V], multiple: Literal[True], **options: Any
    ) -> None: ...
    @overload
    def __init__(self: Parameter[tuple[V, ...]], name: str, default: Sequence[V], *, multiple: Literal[True], **options: Any) -> None: ...
    @overload
    def __init__(self: Parameter[tuple[str, ...]], name: str, default: None = None, *, multiple: Literal[True], **options: Any) -> None: ...
    @overload
    def __init__(
        self: Parameter[list[str]], name: str, default: None = None, *, separator: str, required: Literal[True], **options: Any
    ) -> None: ...
    @overload
    def __init__(self: Parameter[list[str] | None], name: str, default: None = None, *, separator: str, **options: Any) -> None: ...
    @overload
    def __init__(self: Parameter[list[str]], name: str, default: object, *, separator: str, **options: Any) -> None: ...
    @overload
    def __init__(
        self: Parameter[V], name: str, default: None = None, *, type: type[V], required: Literal[True], **options: Any
    ) -> None: ...
    @overload
    def __init__(self: Parameter[V | None], name: str, default: None = None, *, type: type[V], **options: Any) -> None: ...
    @overload
    def __init__(self: Parameter[V], name: str, default: V | Callable[[ParameterContext], V], type: type[V], **options: Any) -> None: ...
    @overload
    def __init__(self: Parameter[str], name: str, default: None = None, *, required: Literal[True], **options: Any) -> None: ...
    @overload
    def __init__(self: Parameter[str | None], name: str, default: None = None, **options: Any) -> None: ...
    @overload
    def __init__(self: Parameter[str], name: str, default: Callable[[ParameterContext], str], **options: Any) -> None: ...
    @overload
    def __init__(self: Parameter[V], name: str, default: V, **options: Any) -> None: ...
    def __init__(
        self,
        name: str,
        default: Any = None,
        type: Any = None,
        help: str | None = None,
        required: bool | None = None,
        show_default: bool | None = None,
        **options: Any,
    ) -> None:
        caller = sys._getframe(1)
        self.name = name
        self.default = default
        self.type = type
        self.help = help
        self.required = required
        self.show_default = show_default
        self.options = options
        self.file, self.line = caller.f_code.co_filename, caller.f_lineno
        self.attribute = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.attribute = name

    @overload
    def __get__(self, instance: None, owner: type | None = None) -> Parameter[T_co]: ...
    @overload
    def __get__(self, instance: object, owner: type | None = None) -> T_co: ...
    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        state = getattr(instance, "_headrace", None)
        if state is None:
            raise FlowDefinitionError(f"Parameter {self.name!r} has a value only in a step that runs.", code="flow-outside-task")
        return state.parameters[self.attribute]

    def __set__(self, instance: Any, value: NoReturn) -> None:
        raise AttributeError(f"{self.attribute} is a parameter and cannot be assigned; give the artifact another name")


def parameters_of(cls: type) -> dict[str, Parameter[Any]]:
    """Attribute -> parameter, in the order of definition, those of base classes first."""
    return members_of(cls, lambda value: isinstance(value, Parameter))


def parameter_values(specs: Iterable[ParameterSpec], recorded: Mapping[str, Any]) -> dict[str, Any]:
    """Attribute -> value as steps see it, from the JSON that `resolve_parameters` gave. What was not recorded is None."""
    values = {spec.attribute: recorded.get(spec.attribute) for spec in specs}
    return {**values, **{spec.attribute: tuple(values[spec.attribute] or ()) for spec in specs if spec.multiple}}


def resolve_parameters(cls: type, given: Mapping[str, object], environ: Mapping[str, str]) -> dict[str, Any]:
    """Attribute -> JSON value for a new run: what was given, else the environment, else the default.

    `given` is by name (`-` and `_` are the same) or attribute; text is converted to the declared type. Raises ParameterError, or
    FlowDefinitionError for a wrong declaration. A callable default is called once, and only where it is needed.
    """
    from .declarations import parameter_specs

    specs, parameters = parameter_specs(cls), parameters_of(cls)
    chosen = _match(cls.__name__, specs, given)
    return {spec.attribute: _resolve(cls.__name__, spec, parameters[spec.attribute], chosen, environ) for spec in specs}


def _resolve(flow: str, spec: ParameterSpec, parameter: Parameter[Any], chosen: Mapping[str, object], environ: Mapping[str, str]) -> Any:
    variables = (f"HEADRACE_PARAM_{spec.name.upper().replace('-', '_')}", parameter.options.get("envvar"))
    variable = next((name for name in variables if name and name in environ), None)
    if spec.attribute in chosen:
        return _convert(spec, chosen[spec.attribute], "")
    if variable is not None:
        return _convert(spec, environ[variable].split() if spec.multiple else environ[variable], f" (from {variable})")
    if spec.callable_default:
        return _computed(flow, spec, parameter, environ)
    if spec.has_default:
        return _convert(spec, spec.default, "")
    if spec.required:
        remedy = f"Give it with --{spec.name} VALUE, or as the environment variable {variables[0]}."
        raise ParameterError(f"Parameter {spec.name!r} needs a value.", remedy=remedy, code="parameter-missing")
    return [] if spec.multiple else None


def _match(flow: str, specs: Sequence[ParameterSpec], given: Mapping[str, object]) -> dict[str, object]:
    """Attribute -> given value. A name goes before an attribute of the same spelling."""
    names = {spec.attribute: spec.attribute for spec in specs}
    names.update({spec.name.replace("-", "_"): spec.attribute for spec in specs})
    chosen: dict[str, object] = {}
    for name, value in given.items():
        attribute = names.get(name.replace("-", "_"))
        if attribute is None:
            import difflib

            known = [spec.name for spec in specs]
            near = " or ".join(difflib.get_close_matches(name, known, 3))
            remedy = f"Did you mean {near}?" if near else f"It has: {', '.join(known) or 'no parameters'}."
            raise ParameterError(f"Flow {flow} has no parameter {name!r}.", remedy=remedy, code="parameter-unknown")
        if attribute in chosen:
            raise ParameterError(f"Parameter {name!r} is given twice.", remedy="Give it once.", code="parameter-twice")
        chosen[attribute] = value
    return chosen


def _convert(spec: ParameterSpec, value: object, where: str) -> Any:
    from .values import from_python

    try:
        if value is None and spec.type != "json" and not (spec.required or spec.has_default or spec.multiple):
            return None
        if spec.separator is not None and not isinstance(value, (list, tuple)):
            value = from_python("str", value).split(spec.separator) if value != "" else []
        if not spec.multiple and spec.separator is None:
            return from_python(spec.type, value)
        if not isinstance(value, (list, tuple)):
            raise ValueError(f"{value!r} is not a list of values")
        return [from_python(spec.type, item) for item in value]
    except ValueError as error:
        raise ParameterError(f"Parameter {spec.name!r}{where}: {error}.", remedy=f"Its type is {spec.type}.") from None


def _computed(flow: str, spec: ParameterSpec, parameter: Parameter[Any], environ: Mapping[str, str]) -> Any:
    from .tracebacks import user_traceback

    user = next((environ[name] for name in ("HEADRACE_USER", "SUDO_USER", "USERNAME", "USER", "LOGNAME") if environ.get(name)), "unknown")
    try:
        value = parameter.default(ParameterContext(flow, spec.name, user))
        if not isinstance(value, str) or spec.type in ("str", "json"):
            return _convert(spec, value, " (its computed default)")
        problem = f"it gave the text {value!r}, where the type is {spec.type}."
    except ParameterError as error:
        problem = error.message
    except Exception as error:  # noqa: BLE001 - whatever the user's function raises is the user's to read
        problem = f"\n{user_traceback(error).rstrip()}"
    where: dict[str, Any] = {"file": parameter.file, "line": parameter.line, "code": "parameter-default"}
    remedy = f"Correct the function, or give --{spec.name} VALUE."
    raise ParameterError(f"The default of parameter {spec.name!r} could not be computed: {problem}", remedy=remedy, **where)
