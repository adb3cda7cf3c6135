"""Reads back flows, runs, tasks and artifacts from a store; needs no flow file.

    from headrace_client import Run
    run = Run("HelloFlow/20260731-142501093-k3x9q7")
    print(run.state, run.data.greeting)

The project is found from the current folder, or given: `Run(..., project=project("flows/"))`. Nothing here is global.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

_HOME: Final = {
    "Artifact": "tasks",
    "ExecutingRun": "runner",
    "Flow": "runs",
    "Run": "runs",
    "Runner": "runner",
    "Step": "runs",
    "Task": "tasks",
    "flows": "runs",
    "project": "base",
}

__all__ = ["Artifact", "ExecutingRun", "Flow", "Run", "Runner", "Step", "Task", "flows", "project"]


def __getattr__(name: str) -> Any:
    module = _HOME.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})


if TYPE_CHECKING:
    from .base import project as project
    from .runner import ExecutingRun as ExecutingRun
    from .runner import Runner as Runner
    from .runs import Flow as Flow
    from .runs import Run as Run
    from .runs import Step as Step
    from .runs import flows as flows
    from .tasks import Artifact as Artifact
    from .tasks import Task as Task
