"""What stands behind `self` in a step: parameters, inherited artifacts, foreach position, and the transition that the step asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from headrace_hookspecs.errors import InvalidTransitionError

from ..dsl.flow import FlowSpec
from ..dsl.transition import Transition, check_transition
from ..store.artifacts import ArtifactReader
from .inputs import Inputs, InputView
from .lineage import Lineage
from .merge import MergeConflictError, merge

_IMMUTABLE: Final = (type(None), bool, int, float, complex, str, bytes)


class TaskState:
    """Implements `headrace.dsl.state.FlowState` for one attempt. `flow` is the instance that user code sees as `self`."""

    def __init__(self, flow: FlowSpec, lineage: Lineage, parameters: Mapping[str, Any]) -> None:
        self.flow = flow
        self.lineage = lineage
        self.node = lineage.node
        self.parameters = parameters
        self.chosen: Transition | None = None
        self.inputs: Inputs = lineage.inputs() if self.node.predecessors else Inputs(lineage, [])
        self._frames = lineage.frames()
        self._unchanged: dict[str, Any] = {}
        self._carried: dict[str, ArtifactReader] = {}
        if self.node.predecessors and not self.node.takes_inputs:
            step, task, _ = lineage.addresses()[0]
            reader = lineage.reader(step, task)
            self._carried = dict.fromkeys(reader.names(), reader)

    # what FlowSpec asks

    @property
    def index(self) -> int | None:
        """The position in the innermost foreach."""
        return self._frames.index

    @property
    def input(self) -> Any:
        """The element of the innermost foreach."""
        return self._frames.input

    @property
    def foreach_stack(self) -> list[tuple[int, int, Any]]:
        """(index, number of siblings, element) of each open foreach, outermost first."""
        return self._frames.stack()

    def load(self, name: str) -> Any:
        """An inherited artifact. KeyError where there is none."""
        value = self._carried[name].load(name)
        if type(value) in _IMMUTABLE:
            self._unchanged[name] = value
        return value

    def deleted(self, name: str) -> None:
        """Forget an inherited artifact: later steps do not see it either. KeyError where there is none."""
        del self._carried[name]

    def transition(self, targets: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        """`self.next(...)` was called."""
        if self.chosen is not None:
            raise InvalidTransitionError(
                f"Step {self.node.name!r} calls self.next() twice.", step=self.node.name, remedy="Call it once, as the last statement."
            )
        self.chosen = check_transition(self.flow, self.node, targets, keywords, limit=self.lineage.spec.limit)

    def merge(self, flow: FlowSpec, inputs: Sequence[InputView], exclude: Collection[str], include: Collection[str]) -> None:
        """`merge_artifacts(...)`: take over, by reference, what the inputs agree on."""
        if not self.node.takes_inputs:
            raise MergeConflictError(
                "merge_artifacts() is for joins only.",
                code="merge-usage",
                step=self.node.name,
                remedy="Call it in a step that takes inputs.",
            )
        resolved = _Resolved(type(flow), flow.__dict__, self._carried)
        for name, view in merge(list(inputs), resolved, set(exclude), set(include)).items():
            self._carried[name] = view._reader

    # what persisting asks

    def before(self, name: str) -> ArtifactReader | None:
        """Where an artifact that this step may have changed came from."""
        return self._carried.get(name)

    def carried(self) -> dict[str, ArtifactReader]:
        """The inherited artifacts that this step did not touch, or loaded without a chance to change them."""
        assigned = self.flow.__dict__
        return {
            name: reader
            for name, reader in self._carried.items()
            if name not in assigned or (name in self._unchanged and assigned[name] is self._unchanged[name])
        }


class _Resolved(Collection[str]):
    """The names that `self.<name>` answers already, without loading anything."""

    def __init__(self, cls: type, *assigned: Mapping[str, Any]) -> None:
        self._cls = cls
        self._assigned = assigned

    def __contains__(self, name: object) -> bool:
        return any(name in names for names in (*self._assigned, *map(vars, self._cls.__mro__)))

    def __iter__(self) -> Any:
        return iter({name for names in self._assigned for name in names})

    def __len__(self) -> int:
        return sum(map(len, self._assigned))
