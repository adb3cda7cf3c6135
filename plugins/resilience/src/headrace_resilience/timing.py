"""`@timeout`: writes a step's time limit and, in the task, raises TimeoutException in user code when it is reached.

The hard end, some seconds later and from outside the process, is the launcher's; nothing here kills.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, ClassVar

from attrs import evolve, field, frozen

from headrace_hookspecs import PlanContext, StepNode, TaskContext
from headrace_hookspecs import Timeout as TimeoutField
from headrace_hookspecs.decorators import Phase

from .alarm import interrupt_after
from .values import number, refuse

_MOST = 366 * 24 * 3600.0
"""What every system's timers take, in seconds."""


def _seconds(value: Any) -> float:
    return number("timeout", "seconds", value)


def _minutes(value: Any) -> float:
    return number("timeout", "minutes", value)


def _hours(value: Any) -> float:
    return number("timeout", "hours", value)


@frozen(kw_only=True)
class TimeoutConfig:
    """The time of one attempt: the sum of `seconds`, `minutes` and `hours`, which may be fractions; at most a year."""

    seconds: float = field(default=0.0, converter=_seconds)
    minutes: float = field(default=0.0, converter=_minutes)
    hours: float = field(default=0.0, converter=_hours)

    def __attrs_post_init__(self) -> None:
        if self.total == 0:
            raise refuse("timeout", "no duration is given.", "Specify a duration: @timeout(minutes=5).")
        if self.total > _MOST:
            raise refuse("timeout", "the limit is more than a year.", "Give a shorter one, or leave the decorator out.")

    @property
    def total(self) -> float:
        """The whole limit in seconds."""
        return self.seconds + 60.0 * self.minutes + 3600.0 * self.hours


class Timeout:
    """The implementation behind `@timeout`."""

    name: ClassVar[str] = "timeout"
    phase: ClassVar[Phase] = "limits"
    multiple: ClassVar[bool] = False

    def __init__(self, config: TimeoutConfig) -> None:
        self.config = config

    @staticmethod
    def config_class() -> type[TimeoutConfig]:
        """The keyword arguments."""
        return TimeoutConfig

    def plan(self, step: StepNode, context: PlanContext) -> StepNode:
        """Write the limit, for the launcher's hard end and for engines that enforce one of their own."""
        return evolve(step, timeout=TimeoutField(soft=self.config.total))

    def around(self, task: TaskContext) -> AbstractContextManager[None]:
        """The soft end."""
        config = self.config
        text = f"Step {task.step.name} timed out after {config.hours:g} hours, {config.minutes:g} minutes, {config.seconds:g} seconds"
        return interrupt_after(config.total, text)
