"""Where a task stands among the foreachs that are open around it: index, element, stack. Elements are read when somebody asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headrace_hookspecs import FlowGraph, StepNode, task_id

from ..store.artifacts import ArtifactReader

Fetch = Callable[[str, str], ArtifactReader]
"""The reader of a committed task, by step and task id."""


class Frames:
    """The foreach frames of one task: `node` and its `indices` say which, the splits' own records hold the elements."""

    def __init__(self, graph: FlowGraph, node: StepNode, indices: tuple[int, ...], fetch: Fetch) -> None:
        self._splits = [name for name in node.split_parents if graph.steps[name].kind == "foreach"]
        self._indices = indices
        self._fetch = fetch
        self._elements: dict[int, Any] = {}

    @property
    def index(self) -> int | None:
        """The position in the innermost foreach, None outside."""
        return self._indices[-1] if self._indices else None

    @property
    def input(self) -> Any:
        """The element of the innermost foreach, None outside."""
        return self.element(len(self._indices) - 1) if self._indices else None

    def element(self, level: int) -> Any:
        """The element of the foreach at `level`, 0 being the outermost. Read once."""
        if level not in self._elements:
            self._elements[level] = self._split(level).element(self._indices[level])
        return self._elements[level]

    def stack(self) -> list[tuple[int, int, Any]]:
        """(index, number of siblings, element) of each level, outermost first."""
        return [(index, self._split(level).size, self.element(level)) for level, index in enumerate(self._indices)]

    def _split(self, level: int) -> ArtifactReader:
        return self._fetch(self._splits[level], task_id(self._indices[:level]))
