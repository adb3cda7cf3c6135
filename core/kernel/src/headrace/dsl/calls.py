"""Reads the transition of a step from its syntax tree: the `self.next(...)` that ends it, or what stands there instead."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from headrace_hookspecs.ir import StepKind, Switch

from .source import FunctionNode

_KEYWORDS: Final = ("foreach", "num_parallel", "condition")
_FORMS: Final = (
    'Write self.next(self.a), self.next(self.a, self.b), self.next(self.a, foreach="items"), self.next(self.a, num_parallel=n) '
    'or self.next({"x": self.a, "y": self.b}, condition="attribute").'
)
_ONE_NEXT: Final = "End the step with one self.next(...), not nested and with nothing behind it."


class Tail(NamedTuple):
    """What ends a step. `problem` is (code, message, remedy) where it is no transition; `line` is 0 where there is no call at all."""

    line: int = 0
    kind: StepKind = "linear"
    next: tuple[str, ...] = ()
    foreach: str | None = None
    num_parallel: bool = False
    switch: Switch | None = None
    problem: tuple[str, str, str] | None = None


class _Refused(Exception):
    """A call that is no transition; carries code, message and remedy."""


def read_tail(function: FunctionNode) -> Tail:
    """The transition of a step. Only the last statement counts; a call that stands elsewhere is a problem."""
    last = function.body[-1]
    call = last.value if isinstance(last, ast.Expr) else None
    if not isinstance(call, ast.Call) or _receiver(call) != "self":
        return _misplaced(function)
    for statement in function.body[:-1]:
        if isinstance(statement, ast.Expr) and _receiver(statement.value) == "self":
            return _problem(statement.lineno, "lint-next-twice", f"Step {function.name!r} calls self.next twice.", _ONE_NEXT)
    try:
        return _transition(call)
    except _Refused as refused:
        code, message, remedy = refused.args
        return _problem(call.lineno, code, f"Step {function.name!r} {message}.", remedy)._replace(next=tuple(_known(call)))


def _problem(line: int, code: str, message: str, remedy: str) -> Tail:
    return Tail(line=line, problem=(code, message, remedy))


def _receiver(node: ast.AST | None) -> str:
    """`x` of a call `x.next(...)`, else the empty string."""
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "next"
        and isinstance(node.func.value, ast.Name)
    ):
        return node.func.value.id
    return ""


def _target(node: ast.expr) -> str:
    """`x` of `self.x`."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
        return node.attr
    raise _Refused("lint-next-invalid", f"has a target {ast.unparse(node)} in self.next", "Name a step of the flow, as self.<step>.")


def _known(call: ast.Call) -> Iterator[str]:
    for node in call.args:
        try:
            yield _target(node)
        except _Refused:
            continue


def _transition(call: ast.Call) -> Tail:
    keywords: dict[str, ast.expr] = {}
    for keyword in call.keywords:
        if keyword.arg not in _KEYWORDS:
            what = "**" if keyword.arg is None else f"keyword {keyword.arg!r}"
            raise _Refused("lint-next-invalid", f"has {what} in self.next, which the graph cannot be read from", _FORMS)
        keywords[keyword.arg] = keyword.value
    if len(keywords) > 1:
        raise _Refused("lint-next-invalid", f"combines {' and '.join(keywords)} in self.next", _FORMS)
    line = call.lineno
    cases = next((node for node in call.args if isinstance(node, ast.Dict)), None)
    if cases is not None or "condition" in keywords:
        return _switch(call, cases, keywords.get("condition"))
    targets = tuple(_target(node) for node in call.args)
    if not targets:
        raise _Refused("lint-next-invalid", "calls self.next without a target", _FORMS)
    if len(set(targets)) < len(targets):
        raise _Refused("lint-next-invalid", "names a target twice in self.next", "Name each step once; for copies of a step use foreach.")
    if not keywords:
        return Tail(line, "linear" if len(targets) == 1 else "split", targets)
    if len(targets) > 1:
        raise _Refused("lint-next-invalid", f"has {len(targets)} targets and {next(iter(keywords))} in self.next", "Give it one target.")
    if "num_parallel" in keywords:
        return Tail(line, "foreach", targets, num_parallel=True)
    value = keywords["foreach"]
    literal = value.value if isinstance(value, ast.Constant) else None
    if isinstance(value, ast.Constant) and not (isinstance(literal, str) and literal):
        raise _Refused("lint-next-invalid", f"has foreach={literal!r} in self.next", "Give the name of an artifact, as text.")
    return Tail(line, "foreach", targets, foreach=literal if isinstance(literal, str) else None)


def _switch(call: ast.Call, cases: ast.Dict | None, condition: ast.expr | None) -> Tail:
    if cases is None:
        raise _Refused("lint-switch-invalid", "has a condition without cases in self.next", _FORMS)
    if condition is None:
        raise _Refused("lint-switch-invalid", "has cases without a condition in self.next", _FORMS)
    if len(call.args) > 1:
        raise _Refused("lint-switch-invalid", "has targets beside the cases of its switch", "Put every target into the cases.")
    if not (isinstance(condition, ast.Constant) and isinstance(condition.value, str) and condition.value):
        raise _Refused(
            "lint-switch-invalid", f"has condition={ast.unparse(condition)} in self.next", "Give the name of an artifact, as text."
        )
    pairs: dict[Any, tuple[Any, str]] = {}
    for key, node in zip(cases.keys, cases.values, strict=True):
        value = _case(key)
        if value in pairs:
            raise _Refused(
                "lint-switch-invalid",
                f"has cases {pairs[value][0]!r} and {value!r}, which are equal in Python",
                "Keep one of them, or use text.",
            )
        pairs[value] = value, _target(node)
    found = tuple(pairs.values())
    return Tail(call.lineno, "switch", tuple(dict.fromkeys(name for _, name in found)), switch=Switch(condition.value, found))


def _case(key: ast.expr | None) -> Any:
    """The constant that a case is for: text, a number, a truth value or None."""
    node, sign = (key.operand, -1) if isinstance(key, ast.UnaryOp) and isinstance(key.op, ast.USub) else (key, 1)
    value = node.value if isinstance(node, ast.Constant) else ...
    if type(value) in (int, float):
        return sign * value  # type: ignore[operator]
    if sign == 1 and (value is None or isinstance(value, (str, bool))):
        return value
    raise _Refused(
        "lint-switch-invalid",
        f"has a case {'**' if key is None else ast.unparse(key)} that is no constant",
        "Use text, a number, True, False or None.",
    )


def _misplaced(function: FunctionNode) -> Tail:
    """Why a step does not end with a transition, as precisely as it can be said."""
    arguments = [*function.args.posonlyargs, *function.args.args]
    own = arguments[0].arg if arguments else "self"
    last = function.body[-1]
    name = f"Step {function.name!r}"
    for statement, call in _calls(function):
        receiver = _receiver(call)
        if receiver == "self":
            if statement is last and isinstance(last, ast.Return):
                return _problem(call.lineno, "lint-next-return", f"{name} returns self.next(...).", "Write self.next(...) without return.")
            if isinstance(statement, ast.Expr) and statement.value is call:
                return _problem(call.lineno, "lint-next-not-last", f"{name} goes on after self.next(...).", _ONE_NEXT)
            what = type(statement).__name__.lower().removeprefix("async")
            return _problem(
                call.lineno, "lint-next-nested", f"{name} calls self.next(...) inside of another statement ({what}).", _ONE_NEXT
            )
        if receiver == own:
            return _problem(
                call.lineno,
                "lint-next-receiver",
                f"{name} calls {own}.next(...).",
                "Name the first argument self; only self.next is understood.",
            )
    return Tail()


def _calls(function: FunctionNode) -> Iterator[tuple[ast.stmt, ast.Call]]:
    """Every call in the body with the top-level statement that it is in; functions inside of the step are their own affair."""
    for statement in function.body:
        pending: list[ast.AST] = [statement]
        while pending:
            node = pending.pop()
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
                continue
            if isinstance(node, ast.Call):
                yield statement, node
            pending.extend(reversed(list(ast.iter_child_nodes(node))))
