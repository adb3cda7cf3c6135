"""The operators and functions of the expression language. Arguments have values already; what does not fit raises TypeError or ValueError."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from .gotext import go_json
from .problems import TemplateError


def as_text(value: Any) -> str:
    """What stands for a value in a template."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return str(value)
    if isinstance(value, float) and (value == 0 or 1e-4 <= abs(value) < 1e6):
        return str(int(value)) if value.is_integer() else repr(value)
    raise TemplateError(f"an expression's result has no certain text: {value!r}; use string() or toJson()")


def _alike(left: Any, right: Any) -> None:
    numbers = [isinstance(each, int | float) and not isinstance(each, bool) for each in (left, right)]
    if not all(numbers) and type(left) is not type(right):
        raise TypeError("values of two kinds")


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("needs numbers")
    return value


def _compared(compare: Callable[[Any, Any], bool], ordered: bool) -> Callable[[Any, Any], bool]:
    def function(left: Any, right: Any) -> bool:
        _alike(left, right)
        if ordered and isinstance(left, bool):
            raise TypeError("booleans have no order")
        return compare(left, right)

    return function


def _plus(left: Any, right: Any) -> Any:
    return left + right if isinstance(left, str) and isinstance(right, str) else _number(left) + _number(right)


def _remainder(left: Any, right: Any) -> int:
    if not (type(left) is type(right) is int):
        raise TypeError("needs integers")
    return int(left - right * int(left / right))


OPERATORS: Mapping[str, Callable[..., Any]] = {
    "==": _compared(lambda left, right: bool(left == right), ordered=False),
    "!=": _compared(lambda left, right: bool(left != right), ordered=False),
    "<": _compared(lambda left, right: bool(left < right), ordered=True),
    "<=": _compared(lambda left, right: bool(left <= right), ordered=True),
    ">": _compared(lambda left, right: bool(left > right), ordered=True),
    ">=": _compared(lambda left, right: bool(left >= right), ordered=True),
    "+": _plus,
    "-": lambda left, right: _number(left) - _number(right),
    "*": lambda left, right: _number(left) * _number(right),
    "/": lambda left, right: _number(left) / _number(right),
    "%": _remainder,
    "unary -": lambda value: -_number(value),
    "unary !": lambda value: _not(value),
}


def _not(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("needs a boolean")
    return not value


def _as_int(value: Any) -> int:
    if isinstance(value, str) and not re.fullmatch(r"[+-]?\d+", value):
        raise ValueError("no integer")
    return int(value)


def _as_float(value: Any) -> float:
    if isinstance(value, str) and not re.fullmatch(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", value):
        raise ValueError("no number")
    return float(value)


def _base64(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("needs a string")
    return base64.b64encode(value.encode()).decode()


def _to_json(value: Any) -> str:
    return go_json(value)


def _jsonpath(document: Any, path: Any) -> Any:
    if not isinstance(document, str) or not isinstance(path, str) or not re.fullmatch(r"\$(\.\w+|\[\d+\])*", path):
        raise ValueError("needs JSON text and a path such as $.a[0]")
    found = json.loads(document)
    for name, index in re.findall(r"\.(\w+)|\[(\d+)\]", path):
        try:
            found = found[name] if name else found[int(index)]
        except (KeyError, IndexError):
            raise ValueError(f"nothing at {path}") from None
    return found


FUNCTIONS: Mapping[str, tuple[int, Callable[..., Any]]] = {
    "asInt": (1, _as_int),
    "asFloat": (1, _as_float),
    "string": (1, as_text),
    "toJson": (1, _to_json),
    "jsonpath": (2, _jsonpath),
    "toBase64": (1, _base64),
    "sprig.b64enc": (1, _base64),
    "sprig.trim": (1, str.strip),
}
