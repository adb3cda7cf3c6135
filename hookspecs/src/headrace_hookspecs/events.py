"""What `headrace_on_event` is told. One frozen class and a closed list of kinds, so that the signature never changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from attrs import field, frozen

EventKind = Literal[
    "run-started",  # data: parameters, tags, origin, graph steps
    "run-ended",  # data: state, seconds, failure
    "task-queued",
    "attempt-started",  # data: pid
    "attempt-ended",  # data: status, seconds, failure, usage, retry_in
    "foreach-split",  # data: size
    "task-reused",  # data: origin
    "log-line",  # data: stream, text
]


@frozen
class Event:
    """Something that happened in a run. `step`, `task` and `attempt` are set where the kind is about them; `data` is JSON."""

    kind: EventKind
    time: float
    flow: str
    run: str
    step: str = ""
    task: str = ""
    attempt: int | None = None
    data: Mapping[str, Any] = field(factory=dict)
