"""`current`: what a step may ask about the task that it runs in. A view of the attempt in a context variable, never global state."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .context import Context

_ACTIVE: Final[ContextVar[Context | None]] = ContextVar("headrace_current", default=None)

_CORE: Final[Mapping[str, str]] = {
    "flow_name": "the flow's name",
    "run_id": "the run's id",
    "step_name": "the step's name",
    "task_id": "the task's id in its step",
    "retry_count": "number of the attempt, from 0",
    "origin_run_id": "the run that this one resumes, or None",
    "pathspec": "Flow/run/step/task-id",
    "username": "who started the run",
    "namespace": "user:NAME",
    "tags": "the run's tags, a frozenset",
    "tempdir": "an empty folder of this attempt",
    "parameter_names": "the attributes that are parameters of the flow",
    "graph": "the flow as plain data",
    "run": "the client's Run",
    "task": "the client's Task",
}


class Current:
    """Outside a task every core attribute is None and `is_running_flow` is False; `get(name, default)` and `in` ask without an error."""

    @property
    def is_running_flow(self) -> bool:
        """Whether this code runs inside a task."""
        return _ACTIVE.get() is not None

    def get(self, name: str, default: Any = None) -> Any:
        """The attribute, or `default` where there is none or it is None."""
        value = getattr(self, name, None)
        return default if value is None else value

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def __getattr__(self, name: str) -> Any:
        context = _ACTIVE.get()
        if name in _CORE:
            return None if context is None else context.core(name)
        if context is not None and name in context.published:
            return context.published[name]
        raise AttributeError(f"'current' has no attribute {name!r}; a plugin that contributes it may be missing.")

    def __dir__(self) -> list[str]:
        context = _ACTIVE.get()
        return sorted({*_CORE, "is_running_flow", "get", *(context.published if context else ())})


current: Final = Current()


def activate(context: Context | None) -> None:
    """Make `context` the one that `current` shows in this thread of execution."""
    _ACTIVE.set(context)
