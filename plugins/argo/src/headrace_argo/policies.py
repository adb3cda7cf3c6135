"""When Argo tries a step again and when it ends a pod: retry policies and timeouts in Argo's terms. Pure.

The task in the pod decides on failures that it sees: its exit status says whether another attempt makes sense. Argo decides on pods that
were lost with their task.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any, Final

from headrace_hookspecs import RetryPolicy, StepNode
from headrace_hookspecs.task import NEVER_RETRY

from .refusal import refuse

_KILLED: Final = 137
"""The exit status of a container whose processes were all killed, which is what Kubernetes does for want of memory."""


def retry_strategy(step: StepNode) -> dict[str, Any] | None:
    """The step's `retryStrategy`; None where it is never tried again. Raises MissingCapabilityError."""
    policy = step.retry
    if policy is None or policy.times < 1:
        return None
    if policy.growth:
        raise refuse(
            step, "asks for more with each attempt, and Argo starts each with the same", "Leave growth out, and ask for more at once."
        )
    strategy: dict[str, Any] = {"limit": str(policy.times), "retryPolicy": "Always", "expression": _expression(policy)}
    if policy.wait > 0:
        strategy["backoff"] = _backoff(step, policy)
    return strategy


def deadline(step: StepNode, startup: float) -> int | None:
    """Seconds after which Argo ends a pod of the step, counted from its start; each attempt is a pod of its own."""
    return None if step.timeout is None else math.ceil(step.timeout.soft + step.timeout.grace + startup)


def _expression(policy: RetryPolicy) -> str:
    """After which ends of a pod another attempt follows: all that the task did not forbid, or only those that it or the policy allows."""
    if not policy.on or "lost" in policy.on:
        return f"lastRetry.exitCode != '{NEVER_RETRY}'"
    allowed = "lastRetry.exitCode == '1'"
    return f"{allowed} || lastRetry.exitCode == '{_KILLED}'" if "oom" in policy.on else allowed


def _backoff(step: StepNode, policy: RetryPolicy) -> dict[str, str]:
    if policy.jitter:
        raise refuse(step, "varies the wait between attempts, and Argo does not", "Write jitter=0.")
    first = min(policy.wait, policy.max_wait)
    if policy.times == 1 or policy.backoff == 1 or first == policy.max_wait:
        return {"duration": _seconds(first)}
    if policy.backoff < 1 or policy.backoff != int(policy.backoff):
        raise refuse(step, f"waits {policy.backoff:g} times as long each time, and Argo takes whole numbers only", "Write backoff=2.")
    # beyond what takes the first wait to the longest, a factor changes nothing but the size of Argo's numbers
    factor = min(int(policy.backoff), math.ceil(policy.max_wait / first))
    backoff = {"duration": _seconds(first), "factor": str(factor)}
    return {**backoff, "cap": _seconds(policy.max_wait)} if first * factor ** (policy.times - 1) > policy.max_wait else backoff


def _seconds(amount: float) -> str:
    """As in `30s` or `0.5s`: never with an exponent."""
    text = format(Decimal(repr(float(amount))), "f")
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text}s"
