"""Reads the transition of a step from its syntax tree: the `self.next(...)` that ends it, or what stands there instead."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from headrace_hookspecs.ir import StepKind, Switch

from .source import FunctionNode

_FORMS: Final = (
    'Write self.next(self.a), self.next(self.a, self.b), self.next(self.a, foreach="items"), self.next(self.a, num_parallel=n) '
    'or self.next({"x": self.a, "y": self.b}, condition="attribute").'
)
_ONE_NEXT: Final = "End the step with one self.next(...), not nested and with nothing behind it."
_ONE_STEP: Final = "Name a step of the flow, as self.<step>."
_AS_TEXT: Final = "Give the name of an artifact, as text."
_CONSTANTS: Final = "Use text, numbers, True, False or None, each of them once."


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
    """A call that is no transition; carries what is wrong with it, the remedy and the code."""


def read_tail(function: FunctionNode) -> Tail:
    """The transition of a step. Only the last statement counts; a call that stands elsewhere is a problem."""
    last, name = function.body[-1], f"Step {function.name!r}"
    call = last.value if isinstance(last, ast.Expr) else None
    if not isinstance(call, ast.Call) or _receiver(call) != "self":
        return _misplaced(function, name)
    for statement in function.body[:-1]:
        if isinstance(statement, ast.Expr) and _receiver(statement.value) == "self":
            return Tail(statement.lineno, problem=("lint-next-twice", f"{name} calls self.next twice.", _ONE_NEXT))
    try:
        return _transition(call)
    except _Refused as refused:
        what, remedy, code = (*refused.args, "lint-next-invalid")[:3]
        return Tail(call.lineno, problem=(code, f"{name} calls self.next {what}.", remedy))


def _receiver(node: ast.AST) -> str:
    """`x` of a call `x.next(...)`, else the empty string."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "next":
        return node.func.value.id if isinstance(node.func.value, ast.Name) else ""
    return ""


def _target(node: ast.expr) -> str:
    """`x` of `self.x`."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
        return node.attr
    raise _Refused(f"with {ast.unparse(node)}", _ONE_STEP)


def _transition(call: ast.Call) -> Tail:
    keywords: dict[str | None, ast.expr] = {keyword.arg: keyword.value for keyword in call.keywords}
    names = " and ".join(name or "**" for name in keywords)
    if len(keywords) > 1 or not keywords.keys() <= {"foreach", "num_parallel", "condition"}:
        raise _Refused(f"with {names}, from which no graph can be read", _FORMS)
    cases = next((node for node in call.args if isinstance(node, ast.Dict)), None)
    if cases is not None or "condition" in keywords:
        return _switch(call, cases, keywords.get("condition"))
    targets = tuple(_target(node) for node in call.args)
    if not targets:
        raise _Refused("without a target", _FORMS)
    if len(set(targets)) < len(targets):
        raise _Refused("with one target twice", "Name each step once; for several tasks of one step use foreach.")
    if keywords and len(targets) > 1:
        raise _Refused(f"with {names} and {len(targets)} targets", "Give it one target.")
    if not keywords:
        return Tail(call.lineno, "linear" if len(targets) == 1 else "split", targets)
    value = keywords.get("foreach")
    if value is None:
        return Tail(call.lineno, "foreach", targets, num_parallel=True)
    return Tail(call.lineno, "foreach", targets, foreach=_text("foreach", value) if isinstance(value, ast.Constant) else None)


def _text(keyword: str, node: ast.expr, *code: str) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        return node.value
    raise _Refused(f"with {keyword}={ast.unparse(node)}", _AS_TEXT, *code)


def _switch(call: ast.Call, cases: ast.Dict | None, condition: ast.expr | None) -> Tail:
    if cases is None or condition is None or len(call.args) > 1:
        raise _Refused("with something else than one dict of cases and one condition", _FORMS, "lint-switch-invalid")
    name = _text("condition", condition, "lint-switch-invalid")
    pairs: dict[Any, tuple[Any, str]] = {}
    for key, node in zip(cases.keys, cases.values, strict=True):
        value = _case(key)
        if value in pairs:
            raise _Refused(f"with cases {pairs[value][0]!r} and {value!r}, which are equal in Python", _CONSTANTS, "lint-switch-invalid")
        pairs[value] = value, _target(node)
    found = tuple(pairs.values())
    return Tail(call.lineno, "switch", tuple(dict.fromkeys(target for _, target in found)), switch=Switch(name, found))


def _case(key: ast.expr | None) -> Any:
    """The constant that a case is for: text, a number, a truth value or None."""
    negative = isinstance(key, ast.UnaryOp) and isinstance(key.op, ast.USub)
    node = key.operand if isinstance(key, ast.UnaryOp) and negative else key
    value = node.value if isinstance(node, ast.Constant) else ...
    if type(value) in (int, float):
        return -value if negative else value  # type: ignore[operator]
    if not negative and (value is None or isinstance(value, (str, bool))):
        return value
    raise _Refused(f"with a case {'**' if key is None else ast.unparse(key)}", _CONSTANTS, "lint-switch-invalid")


def _misplaced(function: FunctionNode, name: str) -> Tail:
    """Why a step does not end with a transition, as precisely as it can be said."""
    arguments = [*function.args.posonlyargs, *function.args.args]
    own = arguments[0].arg if arguments else "self"
    for statement, call in _calls(function):
        receiver = _receiver(call)
        if receiver not in ("self", own):
            continue
        if receiver != "self":
            problem = "lint-next-receiver", f"{name} calls {own}.next(...).", "Name the first argument self; only self.next is understood."
        elif isinstance(statement, ast.Return):
            problem = "lint-next-return", f"{name} returns self.next(...).", "Write self.next(...) without return, as the last statement."
        elif isinstance(statement, ast.Expr) and statement.value is call:
            problem = "lint-next-not-last", f"{name} goes on after self.next(...).", _ONE_NEXT
        else:
            problem = "lint-next-nested", f"{name} calls self.next(...) inside of another statement.", _ONE_NEXT
        return Tail(call.lineno, problem=problem)
    return Tail()


def _calls(function: FunctionNode) -> Iterator[tuple[ast.stmt, ast.Call]]:
    """Every call in the body with the top-level statement that it is in; functions inside of the step are their own affair."""
    for statement in function.body:
        pending: list[ast.AST] = [statement]
        while pending:
            node = pending.pop()
            if isinstance(node, ast.Call):
                yield statement, node
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
                pending.extend(reversed(list(ast.iter_child_nodes(node))))
