"""Checks a call of `self.next` while a step runs, against the flow and the step's node. Pure, but for iterating over a foreach's elements."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple

from headrace_hookspecs.errors import InvalidTransitionError
from headrace_hookspecs.ir import Source, StepNode

from .flow import FlowSpec
from .steps import mark_of

_KEYWORDS: Final = frozenset(("foreach", "num_parallel", "condition"))
_ONE_STEP: Final = "Name a step of the flow, as self.<step>."


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
    named = " and ".join(sorted(keywords))
    if node.kind == "end":
        raise _invalid(node, "is the last one and calls self.next", "Remove the call.")
    if len(keywords) > 1 or not keywords.keys() <= _KEYWORDS:
        raise _invalid(node, f"calls self.next with {named}", "Use one of foreach, num_parallel and condition.")
    if "condition" in keywords or any(isinstance(target, Mapping) for target in targets):
        chosen = Transition((_choose(flow, node, targets, keywords.get("condition")),))
    else:
        names = tuple(_name(flow, node, target) for target in targets)
        if not names:
            raise _invalid(node, "calls self.next without a target", _ONE_STEP)
        if keywords and len(names) > 1:
            raise _invalid(node, f"calls self.next with {named} and {len(names)} targets", "Give it one target.")
        elements = _elements(flow, node, keywords["foreach"], limit) if "foreach" in keywords else None
        number = _number(node, keywords["num_parallel"]) if "num_parallel" in keywords else None
        chosen = Transition(names, elements, number)
    size = chosen.num_parallel if chosen.elements is None else len(chosen.elements)
    if limit is not None and size is not None and size > limit:
        remedy = "Raise it with --max-num-splits N, or give each child more to do."
        raise _invalid(node, f"yields more child steps than the maximum of {limit}", remedy, "invalid-foreach-width")
    if not _as_written(node, chosen, keywords):
        problem = f"should go on to {', '.join(node.next)} as its source says, but self.next was called for {', '.join(chosen.next)}"
        raise _invalid(node, problem, "Let the self.next at its end be the only one that it calls.")
    return chosen


def _as_written(node: StepNode, chosen: Transition, keywords: Mapping[str, Any]) -> bool:
    """Whether the call does what the graph was read to say: anything else would lead where nothing is prepared."""
    keyword = {"switch": "condition", "foreach": "num_parallel" if node.num_parallel else "foreach"}.get(node.kind)
    if list(keywords) != ([keyword] if keyword else []):
        return False
    if node.kind == "switch":
        return chosen.next[0] in node.next
    return chosen.next == node.next and (node.foreach is None or node.foreach == keywords.get("foreach"))


def _choose(flow: FlowSpec, node: StepNode, targets: Sequence[Any], condition: object) -> str:
    if condition is None or len(targets) != 1 or not isinstance(targets[0], Mapping) or not targets[0]:
        raise _invalid(node, "does not call self.next with one dict of cases and one condition", "Give both, and nothing else.")
    value = _attribute(flow, node, "condition", condition)
    try:
        if value in targets[0]:
            return _name(flow, node, targets[0][value])
    except TypeError:
        raise _invalid(node, f"switches on self.{condition}, a {type(value).__name__}", "Use text, a number or a bool.") from None
    problem = f"has no case for self.{condition} = {value!r}; its cases are {', '.join(map(repr, targets[0]))}"
    raise _invalid(node, problem, "Add the case, or correct the value.", "invalid-case")


def _elements(flow: FlowSpec, node: StepNode, name: object, limit: int | None) -> Sequence[Any]:
    value: Any = _attribute(flow, node, "foreach", name)
    try:
        elements: Sequence[Any] = value
        if type(value) not in (list, tuple, range):
            elements = list(islice(value, None if limit is None else limit + 1))
    except TypeError:
        if hasattr(type(value), "__iter__"):
            raise  # it can be iterated over, and failed by itself
        raise _invalid(node, f"splits over self.{name}, a {type(value).__name__}", "Assign something to iterate over.") from None
    if not elements:
        raise _invalid(node, f"splits over self.{name}, which is empty", "Give it an element, or switch.", "invalid-foreach-empty")
    return elements


def _number(node: StepNode, value: Any) -> int:
    number = int(value.__index__()) if hasattr(value, "__index__") and not isinstance(value, bool) else 0
    if number < 1:
        raise _invalid(node, f"has num_parallel={value!r}", "Give a whole number of at least 1.")
    return number


def _attribute(flow: FlowSpec, node: StepNode, keyword: str, name: object) -> Any:
    if isinstance(name, str) and hasattr(flow, name):
        return getattr(flow, name)
    raise _invalid(node, f"has {keyword}={name!r}, which names no artifact", f"Assign self.{name} before, and give its name as text.")


def _name(flow: FlowSpec, node: StepNode, target: Any) -> str:
    """The name of the step that a bound method of the flow is; of a step under two names the one that the graph knows."""
    function: Callable[..., Any] | None = getattr(target, "__func__", None)
    if getattr(target, "__self__", None) is not flow or mark_of(function) is None:
        raise _invalid(node, f"calls self.next with {target!r}, which is no step of the flow", _ONE_STEP)
    return next((name for name in node.next if getattr(type(flow), name, None) is function), str(target.__name__))


def _invalid(node: StepNode, problem: str, remedy: str, code: str | None = None) -> InvalidTransitionError:
    where = node.next_source or node.source or Source("", 0)
    text = f"Step {node.name!r} {problem}."
    return InvalidTransitionError(text, file=where.file or None, line=where.line or None, step=node.name, remedy=remedy, code=code)
