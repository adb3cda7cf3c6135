"""Reads what people write as the values of decorators: numbers, whole numbers, switches and durations. Pure; knows no decorator.

Values come from Python source and from `--with`, so numbers may be text. What is refused is a FlowDefinitionError without a place; plan,
which knows where the decorator stands, adds it.
"""

from __future__ import annotations

import math
import re
from typing import Any, Final

from headrace_hookspecs import FlowDefinitionError

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION: Final = re.compile(r"(?:\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*(ms|s|m|h|d))+\s*\Z")
_PART: Final = re.compile(r"([0-9]*\.?[0-9]*)\s*(ms|s|m|h|d)")


def refuse(decorator: str, problem: str, remedy: str) -> FlowDefinitionError:
    """The error for a value that has no meaning; `problem` continues the sentence that starts with the decorator's name."""
    return FlowDefinitionError(f"@{decorator}: {problem}", remedy=remedy, code="decorator-invalid")


def number(decorator: str, name: str, value: Any, *, least: float = 0.0, most: float = math.inf) -> float:
    """A finite number between `least` and `most`, both included."""
    result = _finite(value)
    if result is None or not least <= result <= most:
        limits = f"at least {least:g}" if most == math.inf else f"from {least:g} to {most:g}"
        raise refuse(decorator, f"{name}={value!r} is no number {limits}.", f"Write {name} as a number {limits}.")
    return result


def whole(decorator: str, name: str, value: Any, *, least: int = 0, most: int) -> int:
    """A whole number between `least` and `most`, both included."""
    result = _finite(value)
    if result is None or result != int(result) or not least <= result <= most:
        limits = f"from {least} to {most}"
        raise refuse(decorator, f"{name}={value!r} is no whole number {limits}.", f"Write {name} as a whole number {limits}.")
    return int(result)


def switch(decorator: str, name: str, value: Any) -> bool:
    """True or False and nothing else: the text "False" is true in Python, so it would do the opposite of what it says."""
    if not isinstance(value, bool):
        remedy = f"Write True or False in Python, {name}=true or {name}=false after --with."
        raise refuse(decorator, f"{name}={value!r} is neither true nor false.", remedy)
    return value


def duration(decorator: str, name: str, value: Any) -> float:
    """Seconds, from a number of them or from parts with the units ms, s, m, h and d as in `"1h30m"`."""
    result = _finite(value)
    if result is None and isinstance(value, str) and _DURATION.match(value):
        result = sum(float(amount) * _UNITS[unit] for amount, unit in _PART.findall(value))
    if result is None or not 0.0 <= result < math.inf:
        remedy = f'Write {name} in seconds, or with units: {name}="30s", {name}="1h30m".'
        raise refuse(decorator, f"{name}={value!r} is no duration.", remedy)
    return result


def _finite(value: object) -> float | None:
    """The number that an int, a float or a text stands for; None for anything else, infinities and truth values included."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        result = float(value)
    except (ValueError, OverflowError):
        return None
    return result if math.isfinite(result) else None
