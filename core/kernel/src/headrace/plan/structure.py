"""Plain data into frozen attrs classes: strict about types, with all problems at once and the nearest name. Knows no files and no plugins.

Fields may be bool, int, float, str, paths, enums, Literal, lists, tuples, sets, mappings, other attrs classes, and unions of these; a field
with a converter takes what the converter takes.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping
from enum import Enum
from os import PathLike
from typing import Any, Final, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

Keys = tuple[str, ...]

_TOO_LARGE: Final = 2**1024 - 2**970  # the conversion to float fails from here on
_WORDS: Final[dict[Any, str]] = {
    str: "text", bool: "true or false", int: "an integer", float: "a number", list: "a list", dict: "a table", type(None): "nothing"
}  # fmt: skip


class Problem(NamedTuple):
    """Something wrong at `path` below the value that was structured."""

    path: Keys
    message: str
    remedy: str = ""


def structure(cls: type[Any], values: Mapping[str, Any], texts: Mapping[Keys, str] | None = None) -> tuple[Any, list[Problem]]:
    """An instance of `cls`, or None and what is wrong.

    `texts` holds the original spelling of values that came from a command line or variable, for fields that want text: `1e5` stays `1e5`.
    """
    problems: list[Problem] = []
    return _object(cls, values, (), texts or {}, problems), problems


def fit(value: Any, kind: Any, texts: Mapping[Keys, str] | None = None) -> tuple[Any, list[Problem]]:
    """The value as an instance of the type `kind`, and what is wrong."""
    problems: list[Problem] = []
    return _fit(value, kind, (), texts or {}, problems), problems


def unknown(path: Keys, names: Iterable[str]) -> Problem:
    """The problem of a name that does not exist, with those that do."""
    from difflib import get_close_matches

    names = sorted(names)
    near = get_close_matches(path[-1], names, 1, 0.5)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    return Problem(path, "is unknown", f"{hint}Known: {', '.join(names) or 'none'}.")


def _object(cls: type[Any], values: Mapping[str, Any], path: Keys, texts: Mapping[Keys, str], problems: list[Problem]) -> Any:
    import attrs

    hints = get_type_hints(cls)
    fields = {field.alias or field.name: field for field in attrs.fields(cls) if field.init}
    before = len(problems)
    arguments = {}
    for key, value in values.items():
        if key not in fields:
            problems.append(unknown((*path, key), fields))
        elif fields[key].converter is not None:
            arguments[key] = value
        else:
            arguments[key] = _fit(value, hints.get(fields[key].name, Any), (*path, key), texts, problems)
    for name, field in fields.items():
        if field.default is attrs.NOTHING and name not in values:
            problems.append(Problem((*path, name), "is missing"))
    if len(problems) > before:
        return None
    try:
        return cls(**arguments)
    except (TypeError, ValueError) as error:  # a converter or validator; attrs' own put more than the sentence into args
        problems.append(Problem(path, str(error.args[0]) if error.args else type(error).__name__))
    return None


def _fit(value: Any, kind: Any, path: Keys, texts: Mapping[Keys, str], problems: list[Problem]) -> Any:
    origin, arguments = get_origin(kind) or kind, get_args(kind)
    if origin in (Union, types.UnionType):
        members = [member for member in arguments if member is not type(None)]
        if value is None and len(members) < len(arguments):
            return None
        if len(members) == 1:
            return _fit(value, members[0], path, texts, problems)
        # the exact type first, so that a union of int and float keeps an int
        for member in sorted(members, key=lambda member: member is not type(value)):
            trial: list[Problem] = []
            result = _fit(value, member, path, texts, trial)
            if not trial:
                return result
    elif origin is Literal:
        if any(type(value) is type(item) and value == item for item in arguments):
            return value
    elif origin is Any or origin is object:
        return value
    elif origin is str and path in texts:
        return texts[path]
    elif origin is float and type(value) is int:
        # a number that a float cannot hold would become another
        if abs(value) < _TOO_LARGE and float(value) == value:
            return float(value)
    elif origin in (bool, int, float, str, type(None)):
        if type(value) is origin:
            return value
    elif isinstance(origin, type) and issubclass(origin, PathLike):
        value = texts.get(path, value)
        if isinstance(value, (str, PathLike)):
            make: Any = origin  # any path class; whose __init__ is its own business
            return value if make is PathLike else make(value)
    elif isinstance(origin, type) and issubclass(origin, Enum):
        for member in origin:
            if value in (member, member.value):
                return member
    elif hasattr(origin, "__attrs_attrs__"):
        if isinstance(value, origin):
            return value
        if isinstance(value, Mapping):
            return _object(origin, value, path, texts, problems)
    elif isinstance(origin, type) and issubclass(origin, Mapping):
        if isinstance(value, Mapping):
            item = arguments[1] if arguments else Any
            return {key: _fit(entry, item, (*path, str(key)), texts, problems) for key, entry in value.items()}
    elif isinstance(origin, type) and issubclass(origin, Iterable):
        if isinstance(value, (list, tuple, set, frozenset)):
            return _sequence(value, origin, arguments, path, texts, problems)
    elif isinstance(origin, type) and isinstance(value, origin):
        return value
    problems.append(Problem(path, f"has to be {_word(kind)}, not {value!r}"))
    return None


def _sequence(
    value: Any, origin: type[Any], arguments: tuple[Any, ...], path: Keys, texts: Mapping[Keys, str], problems: list[Problem]
) -> Any:
    kinds: Iterable[Any] = [arguments[0] if arguments else Any] * len(value)
    if origin is tuple and arguments and arguments[-1] is not Ellipsis:
        kinds = arguments
        if len(arguments) != len(value):
            problems.append(Problem(path, f"has to have {len(arguments)} items, not {len(value)}"))
    items = [_fit(item, kind, (*path, str(place)), texts, problems) for place, (item, kind) in enumerate(zip(value, kinds, strict=False))]
    return origin(items) if origin in (tuple, set, frozenset) else items


def _word(kind: Any) -> str:
    origin, arguments = get_origin(kind) or kind, get_args(kind)
    if origin in (Union, types.UnionType):
        return " or ".join(_word(member) for member in arguments if member is not type(None))
    if origin is Literal:
        return " or ".join(map(repr, arguments))
    if isinstance(origin, type) and issubclass(origin, Enum):
        return " or ".join(repr(member.value) for member in origin)
    if isinstance(origin, type) and issubclass(origin, PathLike):
        return "a path"
    if hasattr(origin, "__attrs_attrs__") or (isinstance(origin, type) and issubclass(origin, Mapping)):
        return "a table"
    if isinstance(origin, type) and issubclass(origin, Iterable) and origin is not str:
        return "a list"
    return _WORDS.get(origin, getattr(origin, "__name__", str(origin)))
