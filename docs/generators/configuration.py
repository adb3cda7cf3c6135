"""Prints the reference page of the configuration: the kernel's keys, and the section of each plugin of this repository that has one."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Any, Literal, cast, get_args, get_origin

import attrs

from headrace.plan.schema import KEYS

INTRODUCTION = """# Configuration

Keys stand in `headrace.toml`, or in `pyproject.toml` below `[tool.headrace]`. `datastore.name` is the key `name` of the table `[datastore]`. For one
call a key is set with `-o datastore.name=files`, for a shell with `HEADRACE_DATASTORE__NAME=files`. `flow config show` prints every value and where
it comes from.

This page is made by `make docs` from the code.
"""
SECTION_OF_GROUP = {"headrace.datastore": "datastore", "headrace.launcher": "launcher", "headrace.metadata": "metadata"}


def main() -> None:
    """Print the page."""
    print(INTRODUCTION)
    print("## Of the kernel\n\n| key | type | default | |\n|---|---|---|---|")
    for name, key in KEYS.items():
        default = "" if "default:" in key.help else f"`{json.dumps(key.default)}`"
        print(f"| `{name}` | {type_name(key.type)} | {default} | {cell(key.help)} |")
    for section, config in sections():
        print(f"\n## [{section}]\n\n{meaning(config)}\n\n| key | type | default |\n|---|---|---|")
        for name, type_, default in settings(config, section):
            print(f"| `{name}` | {type_} | {default} |")
    for config in shared():
        print(f"\n## {config.__name__}\n\n{meaning(config)}\n\n| key | type | default |\n|---|---|---|")
        for name, type_, default in settings(config):
            print(f"| `{name}` | {type_} | {default} |")


def sections() -> Iterator[tuple[str, type[Any]]]:
    """(section, attrs class) of every plugin here that has something to configure, by name."""
    for group, kind in sorted(SECTION_OF_GROUP.items()):
        for point in sorted(entry_points(group=group)):
            config = point.load().config_class()
            if config is not None:
                yield f"{kind}.{point.name}", config


def settings(config: type[Any], section: str = "") -> Iterator[tuple[str, str, str]]:
    """Name, type and default of each key; a table that has a page section of its own is referred to."""
    attrs.resolve_types(config)
    for field in attrs.fields(config):
        name = f"{section}.{field.name}" if section else field.name
        if attrs.has(cast(Any, field.type)):
            kind = cast(Any, field.type).__name__
            yield name, f"table: [{kind}](#{kind.lower()})", ""
            continue
        default = field.default.factory() if isinstance(field.default, attrs.Factory) else field.default  # type: ignore[arg-type]
        yield name, type_name(field.type), "required" if default is attrs.NOTHING else f"`{json.dumps(default)}`"


def shared() -> list[type[Any]]:
    """The tables that keys of plugins consist of, by name."""
    found = {field.type for _, config in sections() for field in attrs.fields(config) if attrs.has(cast(Any, field.type))}
    return sorted(cast("set[type[Any]]", found), key=lambda config: config.__name__)


def meaning(config: type[Any]) -> str:
    """The docstring, each key that it explains in a paragraph of its own."""
    return (inspect.getdoc(config) or "").replace("\n`", "\n\n`").replace("\n\n\n", "\n\n")


def type_name(annotation: Any) -> str:
    """The type as TOML users say it; an annotation may be a string."""
    if get_origin(annotation) is Literal:
        return "one of " + ", ".join(f"`{json.dumps(value)}`" for value in get_args(annotation))
    name = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    return {"Mapping": "table", "Sequence": "list", "str": "text", "bool": "true or false", "int": "whole number", "float": "number"}.get(
        name, cell(str(annotation))
    )


def cell(value: str) -> str:
    """Text that a table takes."""
    return " ".join(value.split()).replace("|", "or").replace("<", "&lt;")


if __name__ == "__main__":
    main()
