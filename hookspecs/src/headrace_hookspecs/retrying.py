"""The one place where "try again?" is decided, for scheduler, container entry point and orchestrators alike. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

from attrs import evolve

from .ir import Resources, RetryPolicy
from .outcome import Failure

MAX_ATTEMPTS = 100
"""No policy makes more attempts of one task than this."""


class Decision(NamedTuple):
    """What follows a failed attempt: another one after `delay` seconds, or nothing more."""

    action: Literal["retry", "give_up"]
    delay: float = 0.0


GIVE_UP = Decision("give_up")


def grown(resources: Resources | None, policy: RetryPolicy | None, failures: int) -> Resources | None:
    """What an attempt asks for after so many failures: each of `policy.growth`'s resources times its factor for each of them."""
    if resources is None or policy is None or not policy.growth or not failures:
        return resources
    asked = {name: getattr(resources, name) for name in policy.growth}
    more = {name: value * policy.growth[name] ** failures for name, value in asked.items() if value is not None}
    return evolve(resources, **{name: value if name == "cpu" else math.ceil(value) for name, value in more.items()})


def decide(failure: Failure, policy: RetryPolicy | None, history: Sequence[Failure], jitter: float = 0.5) -> Decision:
    """Whether another attempt follows `failure`, and when.

    `history` holds the failures of the earlier attempts, oldest first, without this one. `jitter` in [0, 1) is the caller's random number:
    0.5 is the middle. A cancelled attempt is never retried.
    """
    if policy is None or failure.give_up or failure.kind == "cancelled":
        return GIVE_UP
    used = len(history)
    if used >= policy.times or used + 1 >= MAX_ATTEMPTS:
        return GIVE_UP
    if policy.on and not {failure.kind, failure.type, *failure.bases} & set(policy.on):
        return GIVE_UP
    try:
        wait = min(policy.wait * policy.backoff**used, policy.max_wait)
    except OverflowError:  # steeper than a float can say
        wait = policy.max_wait
    return Decision("retry", wait * (1.0 + policy.jitter * (2.0 * jitter - 1.0)))
