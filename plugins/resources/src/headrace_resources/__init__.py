"""Decorators for what a step needs: `@resources` and `@environment`, as flow files use them.

Nothing here does the work: the implementations are imported when a flow that uses them is planned, and in its tasks.
"""

from __future__ import annotations

from collections.abc import Mapping

from headrace_hookspecs import step_decorator

__all__ = ["environment", "resources"]


def _resources(
    *,
    cpu: float | str | None = 1,
    gpu: int | str | None = None,
    disk: float | str | None = None,
    memory: float | str | None = 4096,
    shared_memory: float | str | None = None,
) -> None:
    """Say what a step needs, wherever it runs: `cpu` cores, `gpu` devices, and `disk`, `memory` and `shared_memory`.

    Sizes are in MiB, or text with a unit such as "8G". None leaves the choice to whoever runs the step. A process on this machine is
    started whatever it asks for.
    """


def _environment(*, vars: Mapping[str, object] | None = None) -> None:
    """Set environment variables for a step: `vars` maps names to values, which become text.

    They are there before the flow file is imported in the step's process.
    """


resources = step_decorator("resources", "headrace_resources.demand:Resources", signature=_resources)
environment = step_decorator("environment", "headrace_resources.variables:Environment", signature=_environment)
