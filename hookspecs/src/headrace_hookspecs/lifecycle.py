"""The three life tables: which state may follow which. Data only; scheduler, launchers, entry point and tests all read these.

A state change that a table does not list is an error of ours, not a new state.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

AttemptState = Literal["launched", "running", "succeeded", "absorbed", "failed", "timed_out", "cancelled", "lost", "superseded"]
TaskState = Literal["pending", "running", "waiting", "succeeded", "absorbed", "failed", "cancelled"]
RunState = Literal["created", "running", "suspended", "succeeded", "failed", "cancelled", "lost"]

ATTEMPT: Final[Mapping[str, frozenset[str]]] = {
    "launched": frozenset({"running", "failed", "timed_out", "cancelled", "lost", "succeeded", "absorbed", "superseded"}),
    "running": frozenset({"succeeded", "absorbed", "failed", "timed_out", "cancelled", "lost", "superseded"}),
    "succeeded": frozenset(),
    "absorbed": frozenset(),
    "failed": frozenset(),
    # the process is gone, yet its commit may turn out to have landed before it died
    "timed_out": frozenset({"succeeded", "absorbed"}),
    "cancelled": frozenset({"succeeded", "absorbed"}),
    "lost": frozenset({"succeeded", "absorbed"}),
    "superseded": frozenset(),
}

TASK: Final[Mapping[str, frozenset[str]]] = {
    "pending": frozenset({"running", "cancelled", "succeeded", "absorbed"}),
    "running": frozenset({"succeeded", "absorbed", "failed", "cancelled", "waiting"}),
    "waiting": frozenset({"running", "cancelled", "succeeded", "absorbed"}),
    "succeeded": frozenset(),
    "absorbed": frozenset(),
    "failed": frozenset(),
    "cancelled": frozenset(),
}

RUN: Final[Mapping[str, frozenset[str]]] = {
    "created": frozenset({"running", "failed", "cancelled", "lost"}),
    "running": frozenset({"suspended", "succeeded", "failed", "cancelled", "lost"}),
    "suspended": frozenset({"running", "failed", "cancelled", "lost"}),
    "succeeded": frozenset(),
    # `continue` takes a run over that ended without success
    "failed": frozenset({"running"}),
    "cancelled": frozenset({"running"}),
    "lost": frozenset({"running"}),
}


def may_follow(table: Mapping[str, frozenset[str]], before: str, after: str) -> bool:
    """Whether `table` allows the step from state `before` to state `after`."""
    return after in table[before]
