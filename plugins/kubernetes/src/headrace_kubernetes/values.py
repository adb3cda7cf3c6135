"""Reads what people write as the settings of a pod: amounts, names, maps and lists. Pure; knows no pod.

Values come from Python source, from `--with` and from TOML, so numbers may be text. Every reader passes None on, and takes what it gave.
What is refused is a FlowDefinitionError without a place; plan, which knows where the decorator stands, adds it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from headrace_hookspecs import FlowDefinitionError

_MIB: Final = {"k": 1 / 1024, "m": 1.0, "g": 1024.0, "t": 1024.0**2}
_SIZE: Final = re.compile(r"\s*([0-9]*\.?[0-9]+)\s*(?:([kmgt])(?:i?b|i)?)?\s*\Z", re.IGNORECASE)
_LABEL: Final = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?\Z")
_KEY: Final = re.compile(r"([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?\Z")
_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\Z")

Read = Callable[[Any], Any]


def refuse(problem: str, remedy: str) -> FlowDefinitionError:
    """The error for a value that has no meaning; `problem` continues the sentence that starts with the decorator's name."""
    return FlowDefinitionError(f"@kubernetes: {problem}", remedy=remedy, code="decorator-invalid")


def cores(name: str) -> Read:
    """A number above 0, as float."""

    def read(value: Any) -> float | None:
        if value is None:
            return None
        number = _number(value)
        if number is None or number <= 0:
            raise refuse(f"{name}={value!r} is no number of cores.", f"Write a number above 0: {name}=2, {name}=0.5.")
        return number

    return read


def size(name: str) -> Read:
    """Whole MiB, rounded up, at least 1. A number is MiB already; K, M, G and T, with or without iB or B, are steps of 1024."""

    def read(value: Any) -> int | None:
        if value is None:
            return None
        match = None if isinstance(value, bool) else _SIZE.match(str(value))
        amount = math.ceil(float(match[1]) * _MIB[(match[2] or "m").lower()]) if match else 0
        if amount < 1:
            raise refuse(f"{name}={value!r} is no size.", f'Write {name} in MiB, or with a unit: {name}=8192, {name}="8G".')
        return amount

    return read


def whole(name: str, least: int, most: int) -> Read:
    """A whole number from `least` to `most`."""

    def read(value: Any) -> int | None:
        if value is None:
            return None
        number = _number(value)
        if number is None or number != int(number) or not least <= number <= most:
            raise refuse(f"{name}={value!r} is no whole number from {least} to {most}.", f"Write one of these: {name}={least}.")
        return int(number)

    return read


def switch(name: str) -> Read:
    """True or False and nothing else."""

    def read(value: Any) -> bool | None:
        if value is None or isinstance(value, bool):
            return value
        raise refuse(f"{name}={value!r} is neither true nor false.", f"Write {name}=True in Python, {name}=true after --with.")

    return read


def word(name: str, *known: str) -> Read:
    """One of the words of the API, whatever the case it was written in."""

    def read(value: Any) -> str | None:
        if value is None:
            return None
        found = next((each for each in known if str(value).lower() == each.lower()), None)
        if found is None:
            raise refuse(f"{name}={value!r} is not known.", f"Write one of {', '.join(known)}.")
        return found

    return read


def text(name: str, what: str, pattern: re.Pattern[str] = re.compile(r"\S+\Z")) -> Read:
    """Text of a certain form."""

    def read(value: Any) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str) or not pattern.match(value):
            raise refuse(f"{name}={value!r} is no {what}.", f"Write the {what} as text.")
        return value

    return read


def object_name(name: str, what: str) -> Read:
    """The name of an object of the cluster."""
    return text(name, what, _NAME)


def object_names(name: str, what: str) -> Read:
    """Names of objects, each once, from a list or from text with commas."""

    def read(value: Any) -> tuple[str, ...] | None:
        if value is None:
            return None
        items = value.split(",") if isinstance(value, str) else value
        if isinstance(items, Mapping) or not isinstance(items, Sequence):
            raise refuse(f"{name}={value!r} is no list.", f'Write {name}=["one", "two"].')
        each = object_name(name, what)
        return tuple(dict.fromkeys(each(item.strip() if isinstance(item, str) else item) for item in items))

    return read


def path(name: str) -> Read:
    """An absolute path in a container."""
    return text(name, "absolute path", re.compile(r"/[^:\0]*[^:\0/]\Z"))


def labels(name: str) -> Read:
    """Keys and values as Kubernetes has them in labels and node selectors, from a dict or from text as in `"disk=ssd,zone=a"`."""
    return _map(name, _KEY, _LABEL)


def texts(name: str) -> Read:
    """Annotations: keys as those of labels, values that may be any text."""
    return _map(name, _KEY, re.compile(r"[^\0]*\Z", re.DOTALL))


def claims(name: str) -> Read:
    """Claim -> path, each path once."""
    return _distinct(name, _map(name, _NAME, re.compile(r"/[^:\0]*[^:\0/]\Z")))


def amounts(name: str) -> Read:
    """Extended resource -> whole number, as text."""

    def read(value: Any) -> dict[str, str] | None:
        found: dict[str, str] | None = _map(name, _KEY, re.compile(r"[1-9][0-9]*\Z"))(
            {key: str(item) if type(item) is int else item for key, item in value.items()} if isinstance(value, Mapping) else value
        )
        for key in found or {}:
            if "/" not in key:
                raise refuse(f"{name}: {key!r} is no extended resource.", f'Write it with its domain: {name}={{"acme.com/tpu": 1}}.')
        return found

    return read


def refused(name: str, why: str, remedy: str) -> Read:
    """A setting that is known, and that this distribution does not do."""

    def read(value: Any) -> None:
        if value is not None:
            raise refuse(f"{name}={value!r} cannot be done: {why}.", remedy)

    return read


def _map(name: str, keys: re.Pattern[str], values: re.Pattern[str]) -> Read:
    def read(value: Any) -> dict[str, str] | None:
        if value is None:
            return None
        found: dict[str, str] = {}
        for key, item in _pairs(name, value):
            if not isinstance(key, str) or not keys.match(key):
                raise refuse(
                    f"{name}: {key!r} cannot be a key.", "Letters, digits and -_. are taken, after a domain and a slash if need be."
                )
            if not isinstance(item, str) or not values.match(item):
                raise refuse(f"{name}: {key} cannot be {item!r}.", f"Write {name} as a dict of texts that Kubernetes takes there.")
            if key in found:
                raise refuse(f"{name}: {key!r} is given twice.", "Give it once.")
            found[key] = item
        return found

    return read


def _pairs(name: str, value: Any) -> list[tuple[Any, Any]]:
    if isinstance(value, Mapping):
        return list(value.items())
    if not isinstance(value, str):
        raise refuse(f"{name}={value!r} is no mapping.", f'Write {name}={{"key": "value"}}.')
    pairs = [part.strip().partition("=") for part in value.split(",") if part.strip()]
    for key, equals, _ in pairs:
        if not equals:
            raise refuse(f"{name}: {key!r} has no `=`.", f'Write {name}="key=value,key=value".')
    return [(key.strip(), item.strip()) for key, _, item in pairs]


def _distinct(name: str, read: Read) -> Read:
    def distinct(value: Any) -> dict[str, str] | None:
        found: dict[str, str] | None = read(value)
        if found and len(set(found.values())) < len(found):
            raise refuse(f"{name}: two claims have the same path.", "Give each a path of its own.")
        return found

    return distinct


def _number(value: object) -> float | None:
    """The number that an int, a float or a text stands for; None for anything else, infinities and truth values included."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
