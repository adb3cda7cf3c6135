"""What stands behind `self` while a step runs. The task room implements FlowState; the language only talks to it. For type checkers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Protocol


class Inputs(Protocol):
    """The inputs of a join, read-only and lazy: by position, by iteration, or by the name of the step that an input comes from."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __getitem__(self, position: int, /) -> Any: ...
    def __getattr__(self, name: str) -> Any: ...


class FlowState(Protocol):
    """The state of one attempt. Where an inherited artifact does not exist, `load` and `deleted` raise KeyError."""

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Attribute -> value of each parameter."""

    @property
    def index(self) -> int | None:
        """The position in the innermost foreach, None outside."""

    @property
    def input(self) -> Any:
        """The element of the innermost foreach, None outside."""

    @property
    def foreach_stack(self) -> list[tuple[int, int, Any]]:
        """(index, number of siblings, element) of each open foreach, outermost first."""

    def load(self, name: str) -> Any:
        """The value of an inherited artifact; FlowSpec keeps it in the instance's `__dict__` from then on."""

    def deleted(self, name: str) -> None:
        """`del self.<name>`: forget the inherited artifact, here and in the steps that follow."""

    def transition(self, targets: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        """`self.next(*targets, **keywords)`; keywords that are None are left out."""

    def merge(self, flow: Any, inputs: Any, exclude: Collection[str], include: Collection[str]) -> None:
        """`self.merge_artifacts(inputs, exclude, include)`."""
