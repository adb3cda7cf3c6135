"""The part of the graph IR that only production reads. Every orchestrator translates these; a local run shows or runs them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from attrs import field, frozen


@frozen
class Schedule:
    """A five-field cron expression (minute hour day month weekday; 0 and 7 are Sunday) in `timezone` (IANA name)."""

    cron: str
    timezone: str = "UTC"


@frozen
class Trigger:
    """Start on an event (`kind="event"`) or when another flow finishes (`kind="flow"`). `parameters`: flow parameter -> payload field."""

    kind: Literal["event", "flow"]
    name: str
    parameters: Mapping[str, str] = field(factory=dict)
    project: str | None = None
    branch: str | None = None
    options: Mapping[str, Any] = field(factory=dict)


@frozen
class ExitHook:
    """Call `reference` (`module:qualname`) after the run ended; `on` is success or failure."""

    reference: str
    on: Literal["success", "failure"]
    options: Mapping[str, Any] = field(factory=dict)


@frozen
class Notification:
    """Tell `channel` (a plugin's name) when the run ended as `on` says."""

    channel: str
    on: Literal["success", "failure"]
    options: Mapping[str, Any] = field(factory=dict)


@frozen
class Project:
    """The name space of a deployment: project, branch, and whether it is the production branch."""

    name: str
    branch: str
    production: bool = False
