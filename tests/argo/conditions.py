"""A task's `when`, after its variables were replaced: comparisons of words and numbers with `&&`, `||`, `!` and parentheses.

As in govaluate, which Argo uses: a bare word is a string, a number is a number and equals no string. A bare word with a hyphen would be
a subtraction there; here it is an error, like everything else that is not in the subset.
"""

from __future__ import annotations

import re
from typing import Any

from .problems import TemplateError

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)(?![\w.-])|(?P<text>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")|(?P<word>[A-Za-z_]\w*)(?![\w.-])"
    r"|(?P<sign>==|!=|<=|>=|&&|\|\||[<>!()]))"
)


def holds(when: str) -> bool:
    """Whether a condition without variables holds. Raises TemplateError where it is not one."""
    tokens: list[tuple[str, str]] = []
    at = 0
    while when[at:].strip():
        found = _TOKEN.match(when, at)
        if found is None:
            hint = "; values other than plain words and numbers need quotes"
            raise TemplateError(f"invalid 'when' expression {when!r}: cannot read {when[at:].strip()[:20]!r}{hint}")
        tokens.append((str(found.lastgroup), found.group(str(found.lastgroup))))
        at = found.end()
    reader = _Reader(when, tokens)
    result = reader.either()
    if reader.left or not isinstance(result, bool):
        raise TemplateError(f"invalid 'when' expression {when!r}: it is no condition")
    return result


class _Reader:
    def __init__(self, when: str, tokens: list[tuple[str, str]]) -> None:
        self.when = when
        self.left = tokens

    def sign(self, *wanted: str) -> str | None:
        if self.left and self.left[0][0] == "sign" and self.left[0][1] in wanted:
            return self.left.pop(0)[1]
        return None

    def either(self) -> Any:
        value = self.both()
        while self.sign("||"):
            other = self.both()
            value = self.truth(value) | self.truth(other)
        return value

    def both(self) -> Any:
        value = self.comparison()
        while self.sign("&&"):
            other = self.comparison()
            value = self.truth(value) & self.truth(other)
        return value

    def comparison(self) -> Any:
        value = self.operand()
        sign = self.sign("==", "!=", "<", "<=", ">", ">=")
        if sign is None:
            return value
        other = self.operand()
        same = type(value) is type(other) and value == other
        if sign in ("==", "!="):
            return same == (sign == "==")
        if type(value) is not type(other) or isinstance(value, bool):
            raise TemplateError(f"invalid 'when' expression {self.when!r}: {value!r} and {other!r} have no order")
        return same if same and "=" in sign else (value < other if sign[0] == "<" else value > other)

    def operand(self) -> Any:
        if self.sign("!"):
            return not self.truth(self.operand())
        if self.sign("("):
            value = self.either()
            if not self.sign(")"):
                raise TemplateError(f"invalid 'when' expression {self.when!r}: a parenthesis is not closed")
            return value
        if not self.left or self.left[0][0] == "sign":
            raise TemplateError(f"invalid 'when' expression {self.when!r}: a value is missing")
        kind, word = self.left.pop(0)
        if kind == "number":
            return float(word)
        if kind == "text":
            return re.sub(r"\\(.)", r"\1", word[1:-1])
        return {"true": True, "false": False}.get(word, word)

    def truth(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise TemplateError(f"invalid 'when' expression {self.when!r}: {value!r} is neither true nor false")
        return value
