"""Groups `headrace.card` and `headrace.card_component`: reports. A template reads a TaskView and never unpickles on the control plane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from .task import TaskView


class CardComponent(Protocol):
    """A piece of a card."""

    def render(self) -> Mapping[str, Any]:
        """The component as JSON that the card's page understands."""


class Card(Protocol):
    """A template for one page about one task."""

    type: str

    def render(self, task: TaskView, components: Sequence[CardComponent]) -> str:
        """A self-contained HTML page."""
