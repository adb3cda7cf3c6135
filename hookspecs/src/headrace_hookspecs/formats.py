"""Pure helpers of public workload formats. `process` is the one that local launchers use: environment variables and limits, no command."""

from __future__ import annotations

from typing import Any, Final

from .ir import StepNode, Workload

PROCESS: Final = "process"


def process_workload(step: StepNode) -> Workload:
    """A step as a `process` workload: `env` (name -> text), and `resources` for information, as a process is not limited by them."""
    body: dict[str, Any] = {"env": dict(step.env)}
    if step.resources is not None:
        wanted = {name: getattr(step.resources, name) for name in ("cpu", "memory", "disk", "gpu", "shared_memory")}
        body["resources"] = {name: value for name, value in wanted.items() if value is not None}
    return Workload(PROCESS, body)
