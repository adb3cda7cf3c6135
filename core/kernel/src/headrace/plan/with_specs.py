"""Reads `--with name:key=value,key=value`. Pure; values are typed here, once, and stay what they are all the way to the task."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from headrace_hookspecs.decorators import DecoratorCall
from headrace_hookspecs.errors import UsageError

ORIGIN: Final = "--with"

_NAME: Final = re.compile(r"[A-Za-z_][\w.-]*\Z")
_NEXT: Final = re.compile(r",(?=\s*\w+\s*=)")
_KEY: Final = re.compile(r"\s*(\w+)\s*=\s*")


def parse_with(spec: str) -> DecoratorCall:
    """The decorator that `spec` names, with its keyword arguments.

    A value is JSON (`false`, `3`, `{"A": "b"}`), else a number as Python writes it, else the text itself. It ends at a comma that a
    `word=` follows, so it may hold commas. Raises UsageError.
    """
    name, colon, rest = spec.partition(":")
    name = name.strip()
    if not _NAME.match(name):
        raise _wrong(spec, f"{name!r} is no name of a decorator")
    kwargs: dict[str, Any] = {}
    place = 0
    while colon and place <= len(rest):
        key = _KEY.match(rest, place)
        if key is None:
            raise _wrong(spec, f"{rest[place:].strip()!r} has no `=`")
        if key[1] in kwargs:
            raise _wrong(spec, f"{key[1]!r} is given twice")
        kwargs[key[1]], place = _value(rest, key.end())
    return DecoratorCall(name, kwargs, "", 0, ORIGIN)


def _value(text: str, start: int) -> tuple[Any, int]:
    """The value at `start` and where the next pair begins (past the end where there is none)."""
    try:
        value, end = json.JSONDecoder(parse_constant=_no_json).raw_decode(text, start)
        while text[end : end + 1].isspace():
            end += 1
        if end == len(text) or _NEXT.match(text, end):
            return value, end + 1
    except ValueError:
        pass  # not JSON, or JSON in front of something else
    comma = _NEXT.search(text, start)
    end = comma.start() if comma else len(text)
    return _typed(text[start:end].strip()), end + 1


def _typed(text: str) -> Any:
    try:
        # a shell may have left its escapes
        return json.loads(text.replace('\\"', '"'), parse_constant=_no_json)
    except ValueError:
        pass
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        return text
    return number if number - number == 0 else text


def _no_json(word: str) -> Any:
    raise ValueError(word)


def _wrong(spec: str, why: str) -> UsageError:
    return UsageError(f"--with {spec}: {why}.", remedy="Write --with NAME or --with NAME:KEY=VALUE,KEY=VALUE.", code="with-invalid")
