"""Decorators for steps that fail: `@retry`, `@catch` and `@timeout`, as flow files use them.

Nothing here does the work: the implementations are imported when a flow that uses them is planned, and in its tasks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from headrace_hookspecs import step_decorator

from .exceptions import TimeoutException

__all__ = ["TimeoutException", "catch", "retry", "timeout"]


def _retry(
    *,
    times: int = 3,
    minutes_between_retries: float | None = None,
    wait: float | str | None = None,
    backoff: float = 1.0,
    max_wait: float | str | None = None,
    jitter: float = 0.0,
    on: str | type[BaseException] | Iterable[str | type[BaseException]] = (),
    growth: Mapping[str, float] | None = None,
) -> None:
    """Try a failed step again, at most `times` times.

    `wait` is the time before the first retry, in seconds or as in "30s" and "1h30m"; `minutes_between_retries` says the same in minutes.
    Without either there is no waiting. Each further wait is `backoff` times as long, at most `max_wait`, give or take the fraction
    `jitter`. `on` limits retries to some failures: exception classes, their dotted names, or kinds such as "timeout" and "oom". `growth`
    multiplies what the step asks for with each retry, e.g. `{"memory": 2}`.
    """


def _catch(*, var: str | None = None, print_exception: bool = True) -> None:
    """Go on when a step has failed for good.

    The failure is stored as the artifact `var`, which is None where the step succeeded; without `var` it is in the task's record only.
    `print_exception` shows the traceback in the task's log.
    """


def _timeout(*, seconds: float = 0, minutes: float = 0, hours: float = 0) -> None:
    """Raise a TimeoutException in a step that runs longer than the sum of `seconds`, `minutes` and `hours`.

    A step that does not end upon it is killed a little later. Each attempt has the whole time.
    """


retry = step_decorator("retry", "headrace_resilience.retrying:Retry", signature=_retry)
catch = step_decorator("catch", "headrace_resilience.catching:Catch", signature=_catch)
timeout = step_decorator("timeout", "headrace_resilience.timing:Timeout", signature=_timeout)
