"""What follows a failed attempt: wait, try again, or give up with a message. Pure; times are seconds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from . import expressions
from .nodes import Node, Phase
from .problems import TemplateError

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+")


class Wait(NamedTuple):
    """Look again at this time."""

    until: float


class Again(NamedTuple):
    """Start the next attempt."""


class GiveUp(NamedTuple):
    """The node ends in the phase of its last attempt, with this message."""

    message: str


def seconds(duration: str | int) -> float:
    """Seconds of a duration such as `90`, `1m30s` or `2d`. Raises ValueError."""
    text = str(duration)
    if text.isdigit():
        return float(text)
    if not _DURATION.fullmatch(text):
        raise ValueError(f"{text!r} is no duration such as 30, 30s or 1m30s")
    return sum(float(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", text))


def policy_of(strategy: Mapping[str, Any]) -> str:
    """The policy that applies: without one, an expression decides alone; without either, failures are retried."""
    return str(strategy.get("retryPolicy", "Always" if "expression" in strategy else "OnFailure"))


def decide(strategy: Mapping[str, Any], attempts: Sequence[Node], now: float, scale: float) -> Wait | Again | GiveUp:
    """What follows the last of these attempts, which went wrong. `scale` shortens backoffs, for clocks that are real."""
    last = attempts[-1]
    limit = _limit(strategy)
    backoff = strategy.get("backoff")
    if backoff is not None:
        pause = seconds(backoff["duration"])
        factor = int(backoff.get("factor", 0))
        if factor > 0:
            pause *= factor ** (len(attempts) - 1)
        pause = min(pause, seconds(backoff["cap"])) if "cap" in backoff else pause
        ready = (last.finished or 0.0) + pause * scale
        if "maxDuration" in backoff:
            latest = attempts[0].started + seconds(backoff["maxDuration"]) * scale
            if now > latest:
                return GiveUp("Max duration limit exceeded")
            if ready > latest:
                return GiveUp("Backoff would exceed max duration limit")
        if now < ready and len(attempts) <= limit:
            return Wait(ready)
    policy = policy_of(strategy)
    retried = {"Always": (Phase.FAILED, Phase.ERROR), "OnFailure": (Phase.FAILED,), "OnError": (Phase.ERROR,), "OnTransientError": ()}
    if last.phase not in retried[policy]:
        return GiveUp(last.message)
    if len(attempts) > limit:
        return GiveUp("No more retries left")
    if "expression" in strategy and not _allowed(strategy["expression"], last):
        return GiveUp("retryStrategy.expression evaluated to false")
    return Again()


def _limit(strategy: Mapping[str, Any]) -> int:
    limit = str(strategy["limit"])
    if not limit.isdigit():
        raise TemplateError(f"retryStrategy.limit is no number: {limit!r}")
    return int(limit)


def _allowed(expression: str, last: Node) -> bool:
    values = last_retry(last)
    if last.exit_code is None:
        values["lastRetry.exitCode"] = "-1"
    result = expressions.evaluate(expression, values)
    if not isinstance(result, bool):
        raise TemplateError(f"retryStrategy.expression {expression!r} is {result!r}, no boolean")
    return result


def last_retry(last: Node | None) -> dict[str, str]:
    """The variables `lastRetry.*`; before the first attempt they say 0 and nothing."""
    if last is None:
        return {"lastRetry.exitCode": "0", "lastRetry.status": "", "lastRetry.duration": "0", "lastRetry.message": ""}
    duration = (last.finished or last.started) - last.started
    return {
        "lastRetry.exitCode": "0" if last.exit_code is None else str(last.exit_code),
        "lastRetry.status": last.phase.value,
        "lastRetry.duration": f"{duration:.9g}",
        "lastRetry.message": last.message,
    }
