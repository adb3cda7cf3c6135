"""Text as Go writes it: the inside of its string literals, and its JSON. Argo puts the values of variables into manifests in these two ways."""

from __future__ import annotations

import json
from typing import Any

_SHORT = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v", "\\": "\\\\", '"': '\\"'}


def quote(value: str) -> str:
    """The value as the inside of a string literal of Go, which is how Argo escapes a simple tag's value."""
    return "".join(_SHORT.get(char) or _escaped(char) for char in value)


def _escaped(char: str) -> str:
    number = ord(char)
    if char == " " or char.isprintable():
        return char
    if number < 0x80:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def go_json(value: Any) -> str:
    """JSON as Go writes it: no spaces, text as it is but for `<`, `>`, `&` and the two separators of lines."""
    written = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for char in "<>&\u2028\u2029":
        written = written.replace(char, f"\\u{ord(char):04x}")
    return written
