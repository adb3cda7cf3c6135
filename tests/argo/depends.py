"""A task's `depends`: which results of which tasks let it run. Pure; knows no node.

The grammar is that of Argo's enhanced depends logic: `a`, `a.Succeeded`, `&&`, `||`, `!`, parentheses. A bare task means
`(a.Succeeded || a.Skipped || a.Daemoned)`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import NamedTuple

from .problems import TemplateError

RESULTS = ("Succeeded", "Failed", "Errored", "Skipped", "Omitted", "Daemoned", "AnySucceeded", "AllFailed")
OF_ITEMS = ("AnySucceeded", "AllFailed")
BARE = ("Succeeded", "Skipped", "Daemoned")

# What the expression language of `depends` means otherwise; Argo 3.5 fails on several of them.
_WORDS = (
    "abs all and any bitand bitnand bitnot bitor bitshl bitshr bitushr bitxor ceil concat contains count date duration else endsWith false"
    " filter find findIndex findLast findLastIndex first flatten float floor fromBase64 fromJSON fromPairs get groupBy hasPrefix hasSuffix if"
    " in indexOf int join keys last lastIndexOf len let lower map matches max mean median min nil none not now one or reduce repeat replace"
    " reverse round sort sortBy split splitAfter startsWith string sum take timezone toBase64 toJSON toPairs trim trimPrefix trimSuffix true"
    " type uniq upper values"
)
RESERVED = frozenset(_WORDS.split())

_TOKEN = re.compile(r"\s*(?:(?P<task>[A-Za-z0-9][-A-Za-z0-9]*)(?:\.(?P<result>[A-Za-z]+))?|(?P<sign>&&|\|\||[!()]))")


class Operand(NamedTuple):
    """One result of one task; no result is the bare task."""

    task: str
    result: str | None


class Formula(NamedTuple):
    """`!`, `&&` or `||` over its parts."""

    sign: str
    parts: tuple[Tree, ...]


Tree = Operand | Formula


@functools.lru_cache(maxsize=4096)
def parse(depends: str) -> Tree:
    """The tree of a `depends`. Raises TemplateError with what is wrong."""
    tokens: list[Operand | str] = []
    at = 0
    while depends[at:].strip():
        found = _TOKEN.match(depends, at)
        if found is None or (found["task"] and depends[found.end() : found.end() + 1] in (".", "_")):
            raise TemplateError(f"cannot read {depends[at:].strip()[:30]!r}")
        if found["task"]:
            if found["result"] is not None and found["result"] not in RESULTS:
                raise TemplateError(f"task result {found['result']!r} for task {found['task']!r} is invalid")
            tokens.append(Operand(found["task"], found["result"]))
        else:
            tokens.append(found["sign"])
        at = found.end()
    tree = _any(tokens)
    if tokens:
        raise TemplateError(f"did not expect {tokens[0]!r}")
    return tree


def _any(tokens: list[Operand | str]) -> Tree:
    parts = [_all(tokens)]
    while tokens and tokens[0] == "||":
        del tokens[0]
        parts.append(_all(tokens))
    return parts[0] if len(parts) == 1 else Formula("||", tuple(parts))


def _all(tokens: list[Operand | str]) -> Tree:
    parts = [_one(tokens)]
    while tokens and tokens[0] == "&&":
        del tokens[0]
        parts.append(_one(tokens))
    return parts[0] if len(parts) == 1 else Formula("&&", tuple(parts))


def _one(tokens: list[Operand | str]) -> Tree:
    if not tokens:
        raise TemplateError("it ends too early")
    token = tokens.pop(0)
    if isinstance(token, Operand):
        return token
    if token == "!":
        return Formula("!", (_one(tokens),))
    if token != "(":
        raise TemplateError(f"did not expect {token!r}")
    inner = _any(tokens)
    if not tokens or tokens.pop(0) != ")":
        raise TemplateError("a parenthesis is not closed")
    return inner


def operands(tree: Tree) -> list[Operand]:
    """All operands, in order of appearance."""
    return [tree] if isinstance(tree, Operand) else [each for part in tree.parts for each in operands(part)]


def holds(tree: Tree, results: Mapping[str, frozenset[str]]) -> bool:
    """Whether it is met; `results` has for every task it names the results that are true of it."""
    if isinstance(tree, Operand):
        wanted = BARE if tree.result is None else (tree.result,)
        return not results[tree.task].isdisjoint(wanted)
    if tree.sign == "!":
        return not holds(tree.parts[0], results)
    return (any if tree.sign == "||" else all)(holds(part, results) for part in tree.parts)
