"""`@retry`: writes a step's RetryPolicy. It neither waits nor counts; `headrace_hookspecs.decide` does, wherever the step runs."""

from __future__ import annotations

import builtins
import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, get_args

from attrs import evolve, field, frozen

from headrace_hookspecs import FailureKind, FlowDefinitionError, PlanContext, RetryPolicy, StepNode
from headrace_hookspecs.decorators import Phase
from headrace_hookspecs.retrying import MAX_ATTEMPTS

from .values import duration, number, refuse, whole

_GROWING = ("cpu", "memory", "disk", "gpu", "shared_memory")
_KINDS = frozenset(get_args(FailureKind)) - {"cancelled"}
_DEFAULT_MAX_WAIT = 3600.0


def _times(value: Any) -> int:
    return whole("retry", "times", value, most=MAX_ATTEMPTS - 1)


def _minutes(value: Any) -> float | None:
    return None if value is None else number("retry", "minutes_between_retries", value)


def _wait(value: Any) -> float | None:
    return None if value is None else duration("retry", "wait", value)


def _max_wait(value: Any) -> float | None:
    return None if value is None else duration("retry", "max_wait", value)


def _backoff(value: Any) -> float:
    return number("retry", "backoff", value, least=1.0)


def _jitter(value: Any) -> float:
    return number("retry", "jitter", value, most=1.0)


def _failures(value: Any) -> tuple[str, ...]:
    """Kinds of failure and `module.Class` names, in the order given, each once."""
    items = [value] if isinstance(value, (str, type)) or not isinstance(value, Iterable) else list(value)
    return tuple(dict.fromkeys(name for item in items for name in _failure(item)))


def _failure(item: object) -> Iterable[str]:
    if isinstance(item, type) and issubclass(item, BaseException):
        return _names(item.__module__, item.__qualname__)
    if isinstance(item, str):
        module, _, name = item.partition(":")  # a class that was made a reference on its way here
        if name and all(part.isidentifier() for part in (*module.split("."), *name.split("."))):
            return _names(module, name)
        if item in _KINDS or ("." in item and all(part.isidentifier() for part in item.split("."))):
            return [item]
        known = getattr(builtins, item, None)
        if isinstance(known, type) and issubclass(known, BaseException):
            return [f"builtins.{item}"]
        if item == "cancelled":
            raise refuse("retry", "on='cancelled': a cancelled attempt is never tried again.", "Leave it out.")
    shown = item.__name__ if isinstance(item, type) else repr(item)
    remedy = f"Give an exception class, its dotted name such as 'socket.timeout', or one of {', '.join(sorted(_KINDS))}."
    raise refuse("retry", f"on={shown} names no failure.", remedy)


def _names(module: str, name: str) -> Iterable[str]:
    """What the type of a failure can read. The file that Python was started with is `__main__` there and has its own name elsewhere."""
    file = getattr(sys.modules.get("__main__"), "__file__", None) or ""
    started = ["__main__", os.path.splitext(os.path.basename(file))[0]]
    return [f"{each}.{name}" for each in (started if file and module in started else [module])]


def _growth(value: Mapping[str, Any] | None) -> dict[str, float]:
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not set(value) <= set(_GROWING):
        remedy = f'Write growth={{"memory": 2}}; the names are {", ".join(_GROWING)}.'
        raise refuse("retry", f"growth={value!r} does not map resources to factors.", remedy)
    return {name: number("retry", f"growth[{name!r}]", factor, least=1.0) for name, factor in value.items()}


def _conflict(problem: str, remedy: str) -> FlowDefinitionError:
    return FlowDefinitionError(f"@retry: {problem}", remedy=remedy, code="decorator-conflict")


@frozen(kw_only=True)
class RetryConfig:
    """How often and when a failed step is tried again.

    `times`: retries after the first attempt. `wait`: seconds before the first retry, or a text such as "30s"; `minutes_between_retries`:
    the same in minutes; neither: no waiting. `backoff`: each further wait is this many times as long. `max_wait`: the longest wait, an
    hour unless given or unless `wait` is longer. `jitter`: the fraction by which waits vary, 0 to 1. `on`: the failures that are tried
    again, as exception classes, dotted names or kinds; empty is all. `growth`: resource name -> factor for each retry.
    """

    times: int = field(default=3, converter=_times)
    minutes_between_retries: float | None = field(default=None, converter=_minutes)
    wait: float | None = field(default=None, converter=_wait)
    backoff: float = field(default=1.0, converter=_backoff)
    max_wait: float | None = field(default=None, converter=_max_wait)
    jitter: float = field(default=0.0, converter=_jitter)
    on: tuple[str, ...] = field(default=(), converter=_failures)
    growth: Mapping[str, float] = field(default={}, converter=_growth)  # which copies

    def __attrs_post_init__(self) -> None:
        if self.wait is not None and self.minutes_between_retries is not None:
            raise _conflict("wait and minutes_between_retries say the same thing.", "Keep one of the two.")
        if not self.first_wait and (self.backoff != 1.0 or self.jitter or self.max_wait is not None):
            raise _conflict("backoff, max_wait and jitter change a wait that is 0.", 'Say how long to wait at first: wait="10s".')
        if self.max_wait is not None and self.max_wait < self.first_wait:
            problem = f"max_wait is shorter than the first wait of {self.first_wait:g} s."
            raise _conflict(problem, "Make max_wait at least as long as wait.")

    @property
    def first_wait(self) -> float:
        """Seconds before the first retry."""
        return self.wait if self.wait is not None else 60.0 * (self.minutes_between_retries or 0.0)


class Retry:
    """The implementation behind `@retry`."""

    name: ClassVar[str] = "retry"
    phase: ClassVar[Phase] = "limits"
    multiple: ClassVar[bool] = False

    def __init__(self, config: RetryConfig) -> None:
        self.config = config

    @staticmethod
    def config_class() -> type[RetryConfig]:
        """The keyword arguments."""
        return RetryConfig

    def plan(self, step: StepNode, context: PlanContext) -> StepNode:
        """Write the policy; one that was there, from a hook for instance, gives way to what the decorator says."""
        config = self.config
        policy = RetryPolicy(
            times=config.times,
            wait=config.first_wait,
            backoff=config.backoff,
            max_wait=max(_DEFAULT_MAX_WAIT, config.first_wait) if config.max_wait is None else config.max_wait,
            jitter=config.jitter,
            on=config.on,
            growth=config.growth,
        )
        return evolve(step, retry=policy)
