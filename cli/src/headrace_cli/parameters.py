"""Parameters of a flow and options of its decorators as options of a command. Their values travel on as they were typed: the kernel converts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from headrace.dsl.parameters import Parameter
    from headrace_hookspecs import Option, ParameterSpec

GIVEN: Final = "headrace.parameters"
CHOSEN: Final = "headrace.flow_options"
"""Keys of `ctx.meta` under which the values that were typed are found, by parameter or option name."""

_METAVAR: Final = {"str": "TEXT", "int": "INTEGER", "float": "FLOAT", "bool": "BOOL", "json": "JSON"}


class FlowOption(click.Option):
    """An option that the flow itself brings; `title` is the heading that it is listed under."""

    def __init__(self, title: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = title


def parameter_options(flow: str, declared: Iterable[tuple[ParameterSpec, Parameter[Any]]]) -> list[click.Option]:
    """An option `--NAME` for each parameter, in definition order."""
    return [_parameter(f"Parameters of {flow}", number, spec, parameter) for number, (spec, parameter) in enumerate(declared)]


def decorator_options(title: str, options: Sequence[Option]) -> list[click.Option]:
    """An option for each that a flow decorator declares."""
    return [
        FlowOption(
            title,
            [f"--{option.name}", f"flow_option_{option.name.replace('-', '_')}"],
            type={"str": str, "int": int, "float": float, "bool": bool}[option.type],
            default=option.default,
            show_default=option.default is not None,
            help=option.help,
            expose_value=False,
            callback=_keep(CHOSEN, option.name),
        )
        for option in options
    ]


def named_options(names: Iterable[str]) -> list[click.Option]:
    """Options of which only the names are known: for completion."""
    return [FlowOption("", [f"--{name}", f"parameter_{i}"], expose_value=False) for i, name in enumerate(names)]


def _parameter(title: str, number: int, spec: ParameterSpec, parameter: Parameter[Any]) -> click.Option:
    is_flag = bool(parameter.options.get("is_flag"))
    notes = []
    if isinstance(parameter.show_default, str):
        notes.append(f"default: {parameter.show_default}")
    elif spec.callable_default:
        notes.append("default: computed at the start")
    elif spec.has_default and parameter.show_default is not False and not is_flag:
        notes.append(f"default: {_shown(spec)}")
    if spec.required:
        notes.append("required")
    if spec.multiple:
        notes.append("may be repeated")
    if spec.separator:
        notes.append(f"several, separated by {spec.separator!r}")
    note = f"[{'; '.join(notes)}]" if notes else ""
    return FlowOption(
        title,
        [f"--{spec.name}", f"parameter_{number}"],
        metavar=None if is_flag else _METAVAR[spec.type],
        is_flag=is_flag,
        multiple=spec.multiple,
        hidden=spec.hidden,
        help=f"{spec.help or ''}  {note}".strip(),
        expose_value=False,
        callback=_keep(GIVEN, spec.name),
    )


def _shown(spec: ParameterSpec) -> str:
    if spec.type == "json" and not isinstance(spec.default, str):
        import json

        return json.dumps(spec.default)
    return str(spec.default)


def _keep(key: str, name: str) -> Any:
    def callback(ctx: click.Context, param: click.Parameter, value: Any) -> None:
        if param.name is not None and ctx.get_parameter_source(param.name) is ParameterSource.COMMANDLINE:
            ctx.meta.setdefault(key, {})[name] = value

    return callback
