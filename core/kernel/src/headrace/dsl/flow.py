"""`FlowSpec`, the class that flows derive from: what `self` answers in a step. It stores nothing but artifacts and knows neither graph nor store."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, NoReturn

from headrace_hookspecs.errors import FlowDefinitionError, FlowFileError, SerializationError

from .parameters import Parameter

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from ..api import RunResult
    from .state import FlowState

IMPORTING: Final[ContextVar[bool]] = ContextVar("headrace_importing", default=False)
"""True while a flow file is imported by us: an unguarded `MyFlow()` in it then makes an object, as the command line is already at work."""


class FlowSpec:
    """A flow: a class with steps.

    In a step, whatever is assigned to `self.<name>` is an artifact: kept when the step ends, and there in the steps that follow. Parameters
    and class attributes are read-only. `MyFlow()` under `if __name__ == "__main__":` is the command line of the file.
    """

    # the slot keeps the kernel's state out of `__dict__`, which holds artifacts and nothing else
    __slots__ = ("__dict__", "__weakref__", "_headrace")
    _headrace: FlowState | None

    def __init__(self, use_cli: bool = True) -> None:
        """`use_cli=False` makes a plain object. Otherwise the command line of `sys.argv` runs, and does not return."""
        if use_cli and not IMPORTING.get():
            from ..task.current import current

            if not current.is_running_flow:
                _command_line(type(self))

    @classmethod
    def run(cls, **parameters: Any) -> RunResult:
        """Run the flow from here and return when it has ended. Parameters by attribute or name; the project is that of the flow's file."""
        import os

        from ..api import run
        from ..project import open_project
        from .load import adopt_main

        loaded = adopt_main(cls)
        project = open_project(os.path.dirname(loaded.file), flow=cls.__name__)
        try:
            return run(loaded, project, parameters=parameters, forkable=False)
        finally:
            project.close()

    # in a step

    def next(
        self,
        *targets: Callable[..., Any] | Mapping[Any, Callable[..., Any]],
        foreach: str | None = None,
        num_parallel: int | None = None,
        condition: str | None = None,
    ) -> None:
        """Say what follows; the last statement of every step but the last.

        `self.next(self.a)`; `self.next(self.a, self.b)` for branches; `self.next(self.a, foreach="items")` for a task of `a` for each
        element of `self.items`; `self.next(self.a, num_parallel=4)` for four that run at the same time; `self.next({"x": self.a, "y": self.b},
        condition="kind")` for the one that the value of `self.kind` names. Raises InvalidTransitionError.
        """
        keywords = {"foreach": foreach, "num_parallel": num_parallel, "condition": condition}
        _state(self, "self.next()").transition(targets, {name: value for name, value in keywords.items() if value is not None})

    @property
    def index(self) -> int | None:
        """The position in the innermost foreach, None outside."""
        return None if self._headrace is None else self._headrace.index

    @property
    def input(self) -> Any:
        """The element of the innermost foreach, None outside."""
        return None if self._headrace is None else self._headrace.input

    def foreach_stack(self) -> list[tuple[int, int, Any]]:
        """(index, number of siblings, element) of each open foreach, outermost first."""
        return [] if self._headrace is None else list(self._headrace.foreach_stack)

    def merge_artifacts(self, inputs: Any, exclude: Iterable[str] | None = None, include: Iterable[str] | None = None) -> None:
        """In a join: take over every artifact on which the inputs agree, but for `exclude`, or only those of `include`.

        Raises an error that names every artifact on which they disagree; nothing is taken over then. What `self` has already is left alone.
        """
        state = _state(self, "self.merge_artifacts()")
        state.merge(self, inputs, _names("exclude", exclude), _names("include", include))

    # artifacts

    def __getattr__(self, name: str) -> Any:
        if name == "_headrace":
            return None
        state = self._headrace
        if state is not None and not name.startswith("__"):
            try:
                value = state.load(name)
            except KeyError:
                pass
            else:
                self.__dict__[name] = value
                return value
        if any(name in base.__dict__ for base in type(self).__mro__):
            return object.__getattribute__(self, name)  # a property that raised: its own error says more
        raise AttributeError(f"Flow {type(self).__name__} has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name == "_headrace" or name.startswith("__")):
            for base in type(self).__mro__:
                if name in base.__dict__:
                    _check_writable(type(self), name, base.__dict__[name])
                    break
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        found = name in self.__dict__
        if found:
            del self.__dict__[name]
        if self._headrace is not None:
            try:
                self._headrace.deleted(name)
                found = True
            except KeyError:
                pass
        if not found:
            raise AttributeError(f"Flow {type(self).__name__} has no artifact {name!r} to delete")

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        problem, remedy = (
            f"A {type(self).__name__} object cannot be stored or copied.",
            "Keep the values that you need, as in self.x = inputs[0].x.",
        )
        raise SerializationError(problem, remedy=remedy, code="artifact-is-flow")


def _state(flow: FlowSpec, what: str) -> FlowState:
    if flow._headrace is None:
        raise FlowDefinitionError(f"{what} works in a step that runs, not outside of a task.", code="flow-outside-task")
    return flow._headrace


def _check_writable(cls: type, name: str, value: object) -> None:
    """An artifact under the name of a class attribute would be stored, yet never be seen again: the class wins every later lookup."""
    parameter = isinstance(value, Parameter)
    if parameter or (value.fset is None if isinstance(value, property) else not hasattr(type(value), "__set__")):
        what = "a parameter" if parameter else "an attribute of the class"
        raise AttributeError(f"{cls.__name__}.{name} is {what} and cannot be assigned; give the artifact another name")


def _names(keyword: str, names: Iterable[str] | None) -> Collection[str]:
    if isinstance(names, str):
        problem, remedy = f"merge_artifacts({keyword}={names!r}) needs a list of names.", f"Write {keyword}=[{names!r}]."
        raise FlowDefinitionError(problem, remedy=remedy, code="flow-merge")
    return () if names is None else tuple(names)


def _command_line(cls: type[FlowSpec]) -> None:
    import sys

    from ..host.index import read_index
    from ..host.registry import Registry

    registry = Registry(read_index())
    if "cli" not in registry.names("headrace.front_end"):
        remedy = f"pip install headrace-cli, or run the flow from Python with {cls.__name__}.run()."
        error = FlowFileError("The command line of headrace is not installed.", remedy=remedy, code="flow-cli-missing")
        sys.stderr.write(f"error[{error.code}]: {error}\n")
        raise SystemExit(error.exit_status)
    registry.load("headrace.front_end", "cli")(cls)
