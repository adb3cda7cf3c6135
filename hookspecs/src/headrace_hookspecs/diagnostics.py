"""What a check says: a finding with its place and its remedy. Apart from the hooks, so that the validity checker does not pay for pluggy."""

from __future__ import annotations

from typing import Literal

from attrs import frozen

from .ir import Source


@frozen
class Diagnostic:
    """One finding: an error stops, a warning and an info are shown. `code` is the plugin's own stable word."""

    severity: Literal["error", "warning", "info"]
    message: str
    code: str = "diagnostic"
    step: str | None = None
    source: Source | None = None
    remedy: str | None = None
