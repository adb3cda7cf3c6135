"""`@step`: marks a method of a flow as a step. Only marks; what a step means is read from its source when the graph is built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar, overload

from headrace_hookspecs.errors import FlowDefinitionError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FunctionType

F = TypeVar("F", bound="Callable[..., Any]")

MARK: Final = "__headrace_step__"
"""The attribute that marks a step; the same word as `headrace_hookspecs.decorators.IS_STEP`, whose module imports attrs."""


class StepMark:
    """What `@step` says about a function: whether it is the flow's entry (`start`) or its terminal step (`end`) whatever its name."""

    __slots__ = ("end", "start")

    def __init__(self, start: bool, end: bool) -> None:
        self.start = start
        self.end = end


@overload
def step(function: F, /) -> F: ...
@overload
def step(*, start: bool = False, end: bool = False) -> Callable[[F], F]: ...
def step(function: Any = None, /, *, start: bool = False, end: bool = False) -> Any:
    """Make a method a step: `@step`, or `@step(start=True)` and `@step(end=True)` for a first and a last step with names of their own.

    It stands below all other decorators. Raises FlowDefinitionError above anything that is no function.
    """

    def mark(target: F) -> F:
        if not hasattr(user_function(target), "__code__"):
            raise FlowDefinitionError(
                f"@step stands above {target!r}, which is no function.", remedy="Put it directly above a method.", code="flow-step-function"
            )
        setattr(target, MARK, StepMark(start, end))
        return target

    return mark if function is None else mark(function)


def members_of(cls: type, kind: Callable[[object], object]) -> dict[str, Any]:
    """The attributes of a class that are of a kind, inherited ones included: in the order of definition, those of base classes first.

    What a subclass overrides keeps its place.
    """
    names = dict.fromkeys(name for base in reversed(cls.__mro__) for name, value in base.__dict__.items() if kind(value))
    found = {name: next(base.__dict__[name] for base in cls.__mro__ if name in base.__dict__) for name in names}
    return {name: value for name, value in found.items() if kind(value)}


def mark_of(value: object) -> StepMark | None:
    """The mark of a step, None for everything else."""
    mark = getattr(value, "__dict__", {}).get(MARK)
    return mark if isinstance(mark, StepMark) else None


def user_function(value: Any) -> FunctionType:
    """The function that was written in the file, below whatever decorators wrapped it with `functools.wraps`."""
    while hasattr(value, "__wrapped__"):
        value = value.__wrapped__
    function: FunctionType = value
    return function
