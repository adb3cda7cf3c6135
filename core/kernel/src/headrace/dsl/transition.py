"""Checks a call of `self.next` while a step runs, against the flow and the step's node. Pure, but for iterating over a foreach's elements."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from headrace_hookspecs.errors import InvalidTransitionError
from headrace_hookspecs.ir import StepNode

from .flow import FlowSpec
from .steps import mark_of

_KEYWORDS = frozenset(("foreach", "num_parallel", "condition"))


class Transition(NamedTuple):
    """What a step chose: the names of the steps that follow; the elements of a foreach, by position; the number of parallel nodes."""

    next: tuple[str, ...]
    elements: Sequence[Any] | None = None
    num_parallel: int | None = None


def check_transition(
    flow: FlowSpec, node: StepNode, targets: Sequence[Any], keywords: Mapping[str, Any], *, limit: int | None = None
) -> Transition:
    """The transition that `self.next(*targets, **keywords)` asks for in step `node`.

    A foreach's elements are those that iterating over the artifact gives, in that order (of a mapping: its keys); a list, tuple or range is
    kept as it is. `limit` is how many there may be at most. Raises InvalidTransitionError for everything that is not what the graph says.
    """
    keywords = {name: value for name, value in keywords.items() if value is not None}
    unknown = sorted(keywords.keys() - _KEYWORDS)
    if node.kind == "end":
        raise _invalid(node, "is the last one and calls self.next", "Remove the call.")
    if unknown:
        raise _invalid(node, f"calls self.next with an unknown keyword {unknown[0]!r}", "It may be foreach, num_parallel or condition.")
    if len(keywords) > 1:
        raise _invalid(node, f"combines {' and '.join(sorted(keywords))} in self.next", "Use one of them.")
    if "condition" in keywords or any(isinstance(target, Mapping) for target in targets):
        chosen = Transition((_choose(flow, node, targets, keywords.get("condition")),))
    else:
        names = tuple(_name(flow, node, target) for target in targets)
        if not names:
            raise _invalid(node, "calls self.next without a target", "Name the step that follows, as self.<step>.")
        if keywords and len(names) > 1:
            raise _invalid(node, f"has {len(names)} targets and {next(iter(keywords))} in self.next", "Give it one target.")
        if "foreach" in keywords:
            chosen = Transition(names, _elements(flow, node, keywords["foreach"], limit))
        else:
            chosen = Transition(names, num_parallel=_count(node, keywords["num_parallel"], limit) if keywords else None)
    _as_written(node, chosen, keywords)
    return chosen


def _as_written(node: StepNode, chosen: Transition, keywords: Mapping[str, Any]) -> None:
    """The graph was read from the source; a call that does something else would lead where nothing is prepared."""
    right = chosen.next[0] in node.next if node.kind == "switch" and "condition" in keywords else chosen.next == node.next
    expected = {"switch": "condition", "foreach": "num_parallel" if node.num_parallel else "foreach"}.get(node.kind)
    right = right and list(keywords) == ([expected] if expected else [])
    right = right and keywords.get("foreach") in (None, node.foreach or keywords.get("foreach"))
    if not right:
        raise _invalid(
            node,
            f"should go on to {', '.join(node.next)} as its source says, but self.next was called for {', '.join(chosen.next)}",
            "Let the self.next at its end be the only one that it calls.",
        )


def _choose(flow: FlowSpec, node: StepNode, targets: Sequence[Any], condition: object) -> str:
    if condition is None:
        raise _invalid(node, "has cases without a condition in self.next", 'Add condition="attribute".')
    if len(targets) != 1 or not isinstance(targets[0], Mapping) or not targets[0]:
        raise _invalid(node, "has a condition and no cases in self.next", "Give one dict, from values to steps.")
    cases: Mapping[Any, Any] = targets[0]
    value = _attribute(flow, node, "condition", condition)
    try:
        found = value in cases
    except TypeError:
        raise _invalid(
            node, f"switches on self.{condition}, a {type(value).__name__}, which cannot be a case", "Use text or a number."
        ) from None
    if not found:
        known = ", ".join(map(repr, cases))
        raise _invalid(
            node,
            f"has no case for self.{condition} = {value!r}; its cases are {known}",
            "Add the case, or correct the value.",
            "invalid-case",
        )
    return _name(flow, node, cases[value])


def _elements(flow: FlowSpec, node: StepNode, name: object, limit: int | None) -> Sequence[Any]:
    value = _attribute(flow, node, "foreach", name)
    try:
        elements = value if type(value) in (list, tuple, range) else list(islice(value, None if limit is None else limit + 1))
    except TypeError:
        if hasattr(type(value), "__iter__"):
            raise  # it can be iterated over, and failed by itself
        raise _invalid(
            node, f"has foreach={name!r}, but self.{name} is a {type(value).__name__}", "Assign something to iterate over."
        ) from None
    if not elements:
        raise _invalid(
            node, f"has foreach={name!r}, but self.{name} is empty", "Give it one element at least, or switch.", "invalid-foreach-empty"
        )
    _check_width(node, len(elements), limit)
    return elements


def _count(node: StepNode, value: Any, limit: int | None) -> int:
    try:
        count = int(value.__index__()) if not isinstance(value, bool) else 0
    except AttributeError:
        count = 0
    if count < 1:
        raise _invalid(node, f"has num_parallel={value!r}", "Give a whole number of at least 1.")
    _check_width(node, count, limit)
    return count


def _check_width(node: StepNode, count: int, limit: int | None) -> None:
    if limit is not None and count > limit:
        raise _invalid(
            node,
            f"yields more child steps than the maximum of {limit}",
            "Raise it with --max-num-splits N, or give each child more to do.",
            "invalid-foreach-width",
        )


def _attribute(flow: FlowSpec, node: StepNode, keyword: str, name: object) -> Any:
    if not isinstance(name, str):
        raise _invalid(node, f"has {keyword}={name!r} in self.next", "Give the name of an artifact, as text.")
    try:
        return getattr(flow, name)
    except AttributeError:
        raise _invalid(node, f"has {keyword}={name!r}, but there is no self.{name}", f"Assign self.{name} before.") from None


def _name(flow: FlowSpec, node: StepNode, target: Any) -> str:
    """The name of the step that a bound method of the flow is; of a step under two names the one that the graph knows."""
    function: Callable[..., Any] | None = getattr(target, "__func__", None)
    if getattr(target, "__self__", None) is not flow or mark_of(function) is None:
        raise _invalid(node, f"has a target {target!r} in self.next, which is no step of the flow", "Name a step, as self.<step>.")
    names = [name for name in (*node.next, target.__name__) if getattr(type(flow), name, None) is function]
    return names[0] if names else str(target.__name__)


def _invalid(node: StepNode, problem: str, remedy: str, code: str | None = None) -> InvalidTransitionError:
    where = node.next_source or node.source
    return InvalidTransitionError(
        f"Step {node.name!r} {problem}.",
        file=where.file if where else None,
        line=where.line if where else None,
        step=node.name,
        remedy=remedy,
        code=code,
    )
