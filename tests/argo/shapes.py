"""A small language for the shape of plain data, and the check of data against it. Knows no field of Argo.

A shape is a function from a value and its path to the problems found; an unknown field is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .problems import Problem

Shape = Callable[[Any, str], Iterator[Problem]]


def _kind(value: Any) -> str:
    names = {
        dict: "a mapping",
        list: "a list",
        str: "a string",
        bool: "a boolean",
        int: "an integer",
        float: "a number",
        type(None): "null",
    }
    return names.get(type(value), type(value).__name__)


def _scalar(wanted: str, *types: type) -> Shape:
    def shape(value: Any, path: str) -> Iterator[Problem]:
        if type(value) not in types:
            yield Problem(path, f"has to be {wanted}, is {_kind(value)}")

    return shape


text = _scalar("a string", str)
integer = _scalar("an integer", int)
boolean = _scalar("a boolean", bool)
integer_or_text = _scalar("an integer or a string", int, str)


def opaque(value: Any, path: str) -> Iterator[Problem]:
    """Any JSON value, as long as it is one."""
    if isinstance(value, dict):
        for key, each in value.items():
            if not isinstance(key, str):
                yield Problem(path, f"has the key {key!r}, which is no string")
            yield from opaque(each, f"{path}.{key}")
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from opaque(each, f"{path}[{index}]")
    elif not isinstance(value, str | int | float | bool | None):
        yield Problem(path, f"is no JSON value but {type(value).__name__}")


def refused(reason: str) -> Shape:
    """A field that Argo knows and the interpreter does not."""

    def shape(value: Any, path: str) -> Iterator[Problem]:
        yield Problem(path, f"is not in the interpreted subset: {reason}")

    return shape


def one_of(*words: str) -> Shape:
    """One of these strings."""

    def shape(value: Any, path: str) -> Iterator[Problem]:
        if value not in words:
            yield Problem(path, f"has to be one of {', '.join(words)}, is {value!r}")

    return shape


def list_of(item: Shape, least: int = 0) -> Shape:
    """A list; items that have a name are called by it in paths."""

    def shape(value: Any, path: str) -> Iterator[Problem]:
        if not isinstance(value, list):
            yield Problem(path, f"has to be a list, is {_kind(value)}")
            return
        if len(value) < least:
            yield Problem(path, f"needs at least {least} item(s)")
        for index, each in enumerate(value):
            name = each.get("name") if isinstance(each, dict) else None
            yield from item(each, f"{path}[{name if isinstance(name, str) else index}]")

    return shape


def map_of(item: Shape) -> Shape:
    """A mapping with free keys."""

    def shape(value: Any, path: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield Problem(path, f"has to be a mapping, is {_kind(value)}")
            return
        for key, each in value.items():
            if not isinstance(key, str):
                yield Problem(path, f"has the key {key!r}, which is no string")
            else:
                yield from item(each, f"{path}.{key}")

    return shape


def fields(required: Mapping[str, Shape], optional: Mapping[str, Shape]) -> Shape:
    """A mapping with these fields and no other. A null is a problem too: an absent field is left out."""
    known = {**required, **optional}

    def shape(value: Any, path: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield Problem(path, f"has to be a mapping, is {_kind(value)}")
            return
        for name in required:
            if name not in value:
                yield Problem(f"{path}.{name}".lstrip("."), "is required")
        for name, each in value.items():
            where = f"{path}.{name}".lstrip(".")
            if name not in known:
                yield Problem(where, "is an unknown field")
            else:
                yield from known[name](each, where)

    return shape
