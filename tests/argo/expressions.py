"""The part of Argo's expression language that is understood: parse, list the variables, evaluate. Everything else is an error.

Variables are strings, as in Argo: a number needs `asInt` or `asFloat`, and comparing values of two kinds is an error rather than false.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .functions import FUNCTIONS, OPERATORS
from .problems import TemplateError

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<text>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<sign>\?\?|\?\.|==|!=|<=|>=|&&|\|\||\*\*|\.\.|[-+*/%<>!?:().,\[\]]))"
)
_WORDS = {"and": "&&", "or": "||", "not": "!"}
_CONSTANTS = {"true": True, "false": False}
_LEVELS: tuple[tuple[str, ...], ...] = (("||",), ("&&",), ("==", "!="), ("<", "<=", ">", ">="), ("+", "-"), ("*", "/", "%"))


class Unresolved(Exception):
    """A variable is not there (yet)."""


class Constant(NamedTuple):
    """A literal."""

    value: Any


class Variable(NamedTuple):
    """A dotted path; `a['b-c'].d` is written `a.b-c.d`."""

    name: str


class Call(NamedTuple):
    """A function or an operator over its arguments."""

    name: str
    arguments: tuple[Tree, ...]


Tree = Constant | Variable | Call


@functools.lru_cache(maxsize=4096)
def parse(source: str) -> Tree:
    """The tree of an expression. Raises TemplateError where it is not of the subset."""
    parser = _Parser(source)
    tree = parser.ternary()
    if parser.peek() is not None:
        raise parser.wrong()
    return tree


def variables(tree: Tree) -> Iterator[str]:
    """The dotted paths of all variables of a tree."""
    if isinstance(tree, Variable):
        yield tree.name
    elif isinstance(tree, Call):
        for each in tree.arguments:
            yield from variables(each)


def evaluate(source: str, values: Mapping[str, str]) -> Any:
    """The value of an expression. Raises Unresolved for a variable that is not in `values`, TemplateError for all else."""
    return _value(parse(source), values)


class _Parser:
    def __init__(self, source: str) -> None:
        self.source = source
        self.tokens: list[tuple[str, str]] = []
        self.position = 0
        at = 0
        while source[at:].strip():
            found = _TOKEN.match(source, at)
            if found is None:
                raise TemplateError(f"expression {source!r}: cannot read {source[at:].strip()[:20]!r}")
            kind = str(found.lastgroup)
            word = found.group(kind)
            self.tokens.append(("sign", _WORDS[word]) if kind == "name" and word in _WORDS else (kind, word))
            at = found.end()

    def peek(self) -> tuple[str, str] | None:
        return self.tokens[self.position] if self.position < len(self.tokens) else None

    def wrong(self) -> TemplateError:
        token = self.peek()
        return TemplateError(f"expression {self.source!r}: {f'did not expect {token[1]!r}' if token else 'it ends too early'}")

    def take(self, *signs: str) -> str | None:
        token = self.peek()
        if token is None or token[0] != "sign" or token[1] not in signs:
            return None
        self.position += 1
        return token[1]

    def need(self, sign: str) -> None:
        if not self.take(sign):
            raise self.wrong()

    def ternary(self) -> Tree:
        condition = self.binary(0)
        if not self.take("?"):
            return condition
        then = self.ternary()
        self.need(":")
        return Call("?", (condition, then, self.ternary()))

    def binary(self, level: int) -> Tree:
        if level == len(_LEVELS):
            return self.unary()
        left = self.binary(level + 1)
        while sign := self.take(*_LEVELS[level]):
            left = Call(sign, (left, self.binary(level + 1)))
        return left

    def unary(self) -> Tree:
        if sign := self.take("!", "-"):
            return Call(f"unary {sign}", (self.unary(),))
        if self.take("("):
            inner = self.ternary()
            self.need(")")
            return inner
        token = self.peek()
        if token is None or token[0] == "sign":
            raise self.wrong()
        self.position += 1
        kind, word = token
        if kind == "number":
            return Constant(float(word) if "." in word else int(word))
        if kind == "text":
            return Constant(_text(word))
        return Constant(_CONSTANTS[word]) if word in _CONSTANTS else self.path(word)

    def path(self, name: str) -> Tree:
        while True:
            if self.take("."):
                token = self.peek()
                if token is None or token[0] != "name":
                    raise self.wrong()
                self.position += 1
                name += f".{token[1]}"
            elif self.take("["):
                token = self.peek()
                if token is None or token[0] != "text" or "." in token[1]:
                    raise self.wrong()
                self.position += 1
                name += f".{_text(token[1])}"
                self.need("]")
            elif self.take("("):
                return self.call(name)
            else:
                return Variable(name)

    def call(self, name: str) -> Tree:
        if name not in FUNCTIONS:
            raise TemplateError(f"expression {self.source!r}: the function {name} is not known")
        arguments: list[Tree] = []
        while not self.take(")"):
            if arguments:
                self.need(",")
            arguments.append(self.ternary())
        if len(arguments) != FUNCTIONS[name][0]:
            raise TemplateError(f"expression {self.source!r}: {name} takes {FUNCTIONS[name][0]} argument(s)")
        return Call(name, tuple(arguments))


def _text(literal: str) -> str:
    inside = re.sub(r"\\'", "'", literal[1:-1]) if literal[0] == "'" else literal[1:-1]
    try:
        return str(json.loads('"' + (inside.replace('"', '\\"') if literal[0] == "'" else inside) + '"', strict=False))
    except json.JSONDecodeError:
        raise TemplateError(f"the text {literal} has an escape that is not understood") from None


def _value(tree: Tree, values: Mapping[str, str]) -> Any:
    if isinstance(tree, Constant):
        return tree.value
    if isinstance(tree, Variable):
        if tree.name not in values:
            raise Unresolved(tree.name)
        return values[tree.name]
    if tree.name in ("?", "&&", "||"):
        condition = _truth(tree, _value(tree.arguments[0], values))
        if tree.name == "?":
            return _value(tree.arguments[1 if condition else 2], values)
        return condition if condition == (tree.name == "||") else _truth(tree, _value(tree.arguments[1], values))
    arguments = [_value(each, values) for each in tree.arguments]
    function = FUNCTIONS[tree.name][1] if tree.name in FUNCTIONS else OPERATORS[tree.name]
    try:
        return function(*arguments)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise TemplateError(f"{tree.name}({', '.join(map(repr, arguments))}): {error}") from None


def _truth(tree: Call, value: Any) -> bool:
    if not isinstance(value, bool):
        raise TemplateError(f"{tree.name} needs a boolean, has {value!r}")
    return value
