"""What a join sees of the tasks before it: a lazy sequence of read-only views, in source order of branches or index order of a foreach."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, overload

from headrace_hookspecs import FlowGraph

from ..store.artifacts import ArtifactReader
from .frames import Fetch, Frames

if TYPE_CHECKING:
    from .lineage import Lineage

Address = tuple[str, str, tuple[int, ...]]
"""Step, task id and foreach indices of an input."""


class InputView:
    """One input of a join: its artifacts as attributes, besides the flow's parameters and class constants. Read-only."""

    __slots__ = ("_cls", "_frames", "_parameters", "_reader", "_values", "pathspec")

    _cls: type
    _frames: Frames
    _parameters: Mapping[str, Any]
    _reader: ArtifactReader
    _values: dict[str, Any]
    pathspec: str

    def __init__(self, cls: type, reader: ArtifactReader, parameters: Mapping[str, Any], frames: Frames, pathspec: str) -> None:
        for name, value in (
            ("_cls", cls),
            ("_reader", reader),
            ("_parameters", parameters),
            ("_frames", frames),
            ("_values", {}),
            ("pathspec", pathspec),
        ):
            object.__setattr__(self, name, value)

    @property
    def index(self) -> int | None:
        """The position in the innermost foreach of that task."""
        return self._frames.index

    @property
    def input(self) -> Any:
        """The foreach element of that task."""
        return self._frames.input

    def foreach_stack(self) -> list[tuple[int, int, Any]]:
        """As on the flow itself."""
        return self._frames.stack()

    def artifacts(self) -> list[str]:
        """The names of the public artifacts, sorted."""
        return sorted(name for name in self._reader.names() if not name.startswith("_"))

    def artifact(self, name: str) -> Any:
        """An artifact's value, loaded once."""
        if name not in self._values:
            self._values[name] = self._reader.load(name)
        return self._values[name]

    def __getattr__(self, name: str) -> Any:
        if self._reader.has(name):
            return self.artifact(name)
        if name in self._parameters:
            return self._parameters[name]
        value = getattr(self._cls, name, None)
        if value is None or callable(value):
            raise AttributeError(f"{self.pathspec} has no artifact {name!r}")
        return value

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("Inputs of a join are read-only; assign to self instead.")

    def __repr__(self) -> str:
        return f"<input {self.pathspec}>"


class Inputs(Sequence[InputView]):
    """The inputs of a join. `inputs[i]`, iteration, `len`, and `inputs.step_name` for the input that comes from that step."""

    def __init__(self, lineage: Lineage, addresses: Sequence[Address]) -> None:
        self._lineage = lineage
        self._addresses = addresses
        self._views: dict[int, InputView] = {}

    def __len__(self) -> int:
        return len(self._addresses)

    def __iter__(self) -> Iterator[InputView]:
        for position in range(len(self)):
            yield self[position]

    @overload
    def __getitem__(self, position: int) -> InputView: ...
    @overload
    def __getitem__(self, position: slice) -> list[InputView]: ...
    def __getitem__(self, position: int | slice) -> InputView | list[InputView]:
        if isinstance(position, slice):
            return [self[i] for i in range(*position.indices(len(self)))]
        if position < 0:
            position += len(self)
        if position not in self._views:
            # IndexError beyond the end, as every sequence
            address = self._addresses[position]
            self._lineage.prefetch(self._addresses, position)
            self._views[position] = self._lineage.view(address)
        return self._views[position]

    def __getattr__(self, name: str) -> InputView:
        if not name.startswith("_"):
            for position in range(len(self) - 1, -1, -1):
                if self._addresses[position][0] == name:
                    return self[position]
        raise AttributeError(f"No input of this join comes from a step {name!r}.")


def frames_of(graph: FlowGraph, address: Address, fetch: Fetch) -> Frames:
    """The foreach frames of an input."""
    step, _, indices = address
    return Frames(graph, graph.steps[step], indices, fetch)
