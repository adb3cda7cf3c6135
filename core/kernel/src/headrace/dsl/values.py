"""Values of parameters: from text as people type it, and from Python. Pure; every refusal is a ValueError that says what was expected."""

from __future__ import annotations

from typing import Any, Final

_BOOLS: Final = {
    **dict.fromkeys(("1", "true", "t", "yes", "y", "on"), True),
    **dict.fromkeys(("0", "false", "f", "no", "n", "off"), False),
}
_EXPECTED: Final = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "json": "JSON",
}


def from_text(kind: str, text: str) -> Any:
    """`text` as a value of `kind` (str, int, float, bool or json)."""
    try:
        if kind == "json":
            import json

            return json.loads(text)
        if kind == "bool":
            return _BOOLS[text.strip().lower()]
        return {"str": str, "int": int, "float": float}[kind](text)
    except (KeyError, ValueError) as error:
        detail = f" ({error})" if kind == "json" else ""
        raise ValueError(f"{text!r} is not {_EXPECTED[kind]}{detail}") from None


def from_python(kind: str, value: Any) -> Any:
    """A Python value as the JSON value of `kind`: text is read as if typed, numbers are kept, nothing is rounded or cut."""
    if isinstance(value, str):
        return from_text(kind, value)
    if kind == "json":
        return _json(value)
    try:
        if kind == "bool" and isinstance(value, bool):
            return value
        if kind == "int" and not isinstance(value, bool):
            return int(value.__index__())
        if kind == "float" and not isinstance(value, bool):
            return float(value.__float__())
    except AttributeError:
        pass
    raise ValueError(f"{value!r} ({type(value).__name__}) is not {_EXPECTED[kind]}")


def kind_of(value: object) -> str | None:
    """The kind that a default value is of: its type, and json for lists and dicts; None where there is no such kind."""
    for kind, types in (("bool", bool), ("str", str), ("int", int), ("float", float), ("json", (list, dict, tuple))):
        if isinstance(value, types):
            return kind
    return None


def _json(value: Any) -> Any:
    """The value as it comes back from JSON: tuples are lists then."""
    import json

    try:
        return json.loads(json.dumps(value))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{value!r} cannot be written as JSON ({error})") from None
