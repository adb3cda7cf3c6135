"""Group `headrace.decorator`: step and flow decorators, and the helpers that make one callable in a flow file.

A decorator is declared as a class with a frozen configuration. Applying it in a flow file records an unevaluated `DecoratorCall`; plan builds
the configuration (and the decorator) once, so an error carries the user's line and nothing is initialised twice.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, ParamSpec, Protocol, TypeVar, overload

from .errors import FlowDefinitionError

if TYPE_CHECKING:
    from inspect import Signature

    from .ir import FlowGraph, StepNode
    from .outcome import Failure, Outcome
    from .task import TaskContext

CALLS: Final = "__headrace_calls__"
"""The attribute of a step function or flow class that collects its DecoratorCalls, innermost first."""

IS_STEP: Final = "__headrace_step__"
"""The attribute by which `@step` marks a function."""

Phase = Literal["environment", "secrets", "limits", "observe"]
PHASES: Final[tuple[Phase, ...]] = ("environment", "secrets", "limits", "observe")


class DecoratorCall(NamedTuple):
    """One use of a decorator: its name, the keyword arguments as written, where, and by whom (`source`, `--with`, a mutator's name)."""

    name: str
    kwargs: Mapping[str, Any]
    file: str
    line: int
    origin: str = "source"


class Option(NamedTuple):
    """A command-line option of `flow run FILE` (or of a deploy command): `--name`, with a JSON type and a default."""

    name: str
    type: Literal["str", "int", "float", "bool"] = "str"
    default: Any = None
    help: str = ""


class PlanContext(NamedTuple):
    """What `plan` may know: the graph, the launcher's or orchestrator's name, whether this is a deployment, resolved configuration, user name."""

    graph: FlowGraph
    target: str
    deploying: bool
    config: Mapping[str, Any]
    user: str


class GiveUp(NamedTuple):
    """Answer of `on_failure`: make no further attempt."""

    reason: str


class Absorbed(NamedTuple):
    """Answer of `on_failure`: take the failure as the outcome; `artifacts` are added to those that the task had assigned."""

    artifacts: Mapping[str, Any]


class StepDecorator(Protocol):
    """All methods are optional. One object serves one step; it is built from its configuration by plan and again in the task process.

    Class attributes: `name`; `phase` (order of `around`); `multiple` (may be attached to a step more than once); `config_class()`.
    """

    def plan(self, step: StepNode, context: PlanContext) -> StepNode:
        """On the author's machine, once, pure: write the decorator's meaning into the neutral fields of the step."""

    def around(self, task: TaskContext) -> AbstractContextManager[None]:
        """In the task process, around the step function; nested by phase, then source order. Swallowing an exception is an error."""

    def on_failure(self, task: TaskContext, failure: Failure) -> GiveUp | Absorbed | None:
        """In the task process, after the attempt failed (serialising the artifacts included) and before retries are decided."""

    def after(self, task: TaskContext, outcome: Outcome) -> None:
        """In the task process, once the outcome is recorded. Bounded time; can no longer change anything."""


class FlowDecorator(Protocol):
    """A decorator of the whole flow. All methods are optional."""

    def options(self) -> tuple[Option, ...]:
        """Command-line options that it adds to `flow run FILE`."""

    def plan(self, graph: FlowGraph, options: Mapping[str, Any], context: PlanContext) -> FlowGraph:
        """On the author's machine, once, pure, before the steps' decorators."""

    def around(self, task: TaskContext) -> AbstractContextManager[None]:
        """In every task process, around the step and its decorators."""


F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C", bound=type)
P = ParamSpec("P")


class _Callable:
    """What both kinds of callable decorator share: a name, a lazily imported implementation, the recording of a call."""

    def __init__(self, name: str, target: str, *, multiple: bool = False, api: str = "1.0") -> None:
        self.name: Final = name
        self.target: Final = target
        self.multiple: Final = multiple
        self.api: Final = api
        self.__name__ = name
        self.__doc__ = f"The decorator `@{name}`; see its configuration class for the keyword arguments."

    def implementation(self) -> Any:
        """The decorator class behind the name, imported now: it has `config_class()` and is built with an instance of that."""
        import importlib

        module, _, attribute = self.target.partition(":")
        return getattr(importlib.import_module(module), attribute)

    def _record(self, target: Any, kwargs: Mapping[str, Any], file: str, line: int) -> None:
        calls: list[DecoratorCall] = target.__dict__.get(CALLS, [])
        if not self.multiple and any(call.name == self.name for call in calls):
            raise FlowDefinitionError(
                f"@{self.name} is attached twice to {target.__name__!r}.",
                file=file,
                line=line,
                remedy="Keep one of the two.",
                code="decorator-duplicate",
            )
        setattr(target, CALLS, [*calls, DecoratorCall(self.name, dict(kwargs), file, line)])

    def _refuse(self, what: str, file: str, line: int, remedy: str) -> FlowDefinitionError:
        return FlowDefinitionError(f"@{self.name} {what}", file=file, line=line, remedy=remedy, code="decorator-misplaced")


class StepDecoratorHandle(_Callable):
    """A step decorator as it appears in a flow file: `@name` or `@name(key=value)` above `@step`."""

    def __init__(self, name: str, target: str, *, multiple: bool = False, signature: Callable[..., object] | None = None) -> None:
        super().__init__(name, target, multiple=multiple)
        self._signature: Final = signature
        if signature is not None:
            self.__doc__ = signature.__doc__

    @property
    def __signature__(self) -> Signature | None:
        """What `help()` and editors show; None shows any keyword arguments."""
        import inspect

        return None if self._signature is None else inspect.signature(self._signature)

    @overload
    def __call__(self, function: F, /) -> F: ...
    @overload
    def __call__(self, **kwargs: Any) -> Callable[[F], F]: ...
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        caller = sys._getframe(1)
        file, line = caller.f_code.co_filename, caller.f_lineno

        def apply(target: Any) -> Any:
            if isinstance(target, type):
                raise self._refuse("is a step decorator and stands above a class.", file, line, "Move it to a step.")
            if not getattr(target, IS_STEP, False):
                raise self._refuse("stands below @step, or above something that is no step.", file, line, "Put it above @step.")
            self._record(target, kwargs, file, line)
            return target

        if not args:
            return apply
        if len(args) > 1 or kwargs or not callable(args[0]):
            raise self._refuse("takes keyword arguments only.", file, line, f"Write @{self.name}(key=value).")
        return apply(args[0])


class TypedStepDecorator(Protocol[P]):
    """How type checkers see a step decorator whose keyword arguments are known: `P` are those of its signature function."""

    @overload
    def __call__(self, function: F, /) -> F: ...
    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Callable[[F], F]: ...


class FlowDecoratorHandle(_Callable):
    """A flow decorator as it appears in a flow file: `@name` or `@name(key=value)` above the class."""

    @overload
    def __call__(self, cls: C, /) -> C: ...
    @overload
    def __call__(self, **kwargs: Any) -> Callable[[C], C]: ...
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        caller = sys._getframe(1)
        file, line = caller.f_code.co_filename, caller.f_lineno

        def apply(target: Any) -> Any:
            if not isinstance(target, type):
                raise self._refuse("is a flow decorator and stands above a function.", file, line, "Move it above the class.")
            self._record(target, kwargs, file, line)
            return target

        if not args:
            return apply
        if len(args) > 1 or kwargs or not callable(args[0]):
            raise self._refuse("takes keyword arguments only.", file, line, f"Write @{self.name}(key=value).")
        return apply(args[0])


@overload
def step_decorator(name: str, target: str, *, multiple: bool = False) -> StepDecoratorHandle: ...
@overload
def step_decorator(name: str, target: str, *, multiple: bool = False, signature: Callable[P, object]) -> TypedStepDecorator[P]: ...
def step_decorator(name: str, target: str, *, multiple: bool = False, signature: Callable[..., object] | None = None) -> Any:
    """Make a step decorator for flow files. `target` is `module:Class` of the implementation, imported when a flow is planned.

    `signature` is a function that is never called: its keyword arguments and docstring are what editors, type checkers and `help()` show.
    Without it any keyword argument is taken, and judged when the flow is planned. The module of the implementation must not bear the
    decorator's own name: importing it would put the module where the package has the decorator.

    Example, the `__init__.py` of a decorator distribution::

        from headrace_hookspecs import step_decorator

        def _pause(*, seconds: float = 1.0) -> None: ...

        pause = step_decorator("pause", "headrace_pause.pausing:Pause", signature=_pause)
    """
    return StepDecoratorHandle(name, target, multiple=multiple, signature=signature)


def flow_decorator(name: str, target: str, *, multiple: bool = False) -> FlowDecoratorHandle:
    """Make a flow decorator for flow files; see `step_decorator`."""
    return FlowDecoratorHandle(name, target, multiple=multiple)
