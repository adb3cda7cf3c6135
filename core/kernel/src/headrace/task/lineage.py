"""The committed tasks that an attempt may look at: its predecessors and the splits around it. Each record is read at most once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from headrace_hookspecs import FlowGraph, StepNode, TaskSpec, parse_task_id
from headrace_hookspecs.errors import InternalError, NotFoundError

from ..graph.paths import inputs_of
from ..store.artifacts import ArtifactReader
from ..store.facts import RunStore
from ..store.serializers import SerializerSet
from .frames import Frames
from .inputs import Address, Inputs, InputView, frames_of

_BATCH: Final = 64


class Lineage:
    """Reads for one attempt. `parameters` are the run's, `cls` is the flow class whose constants input views show."""

    def __init__(
        self, graph: FlowGraph, spec: TaskSpec, store: RunStore, serializers: SerializerSet, parameters: Mapping[str, Any], cls: type
    ) -> None:
        self.graph = graph
        self.spec = spec
        self.store = store
        self._serializers = serializers
        self._parameters = parameters
        self._cls = cls
        self._readers: dict[tuple[str, str], ArtifactReader] = {}

    @property
    def node(self) -> StepNode:
        """The step of the attempt."""
        return self.graph.steps[self.spec.step]

    def frames(self) -> Frames:
        """The foreach frames of the attempt itself."""
        return Frames(self.graph, self.node, self.spec.indices, self.reader)

    def addresses(self) -> list[Address]:
        """Where the inputs are: as the scheduler said, else derived from the ids and the commit records."""
        if self.spec.inputs is not None:
            pairs = [tuple(text.split("/", 1)) for text in self.spec.inputs]
        else:
            pairs = list(inputs_of(self.graph, self.spec.step, self.spec.indices, self.spec.visit, self._outcome))
        depth = {name: node.foreach_depth for name, node in self.graph.steps.items()}
        return [(step, task, parse_task_id(task, depth[step])[0]) for step, task in pairs]

    def inputs(self) -> Inputs:
        """The inputs as a join sees them."""
        return Inputs(self, self.addresses())

    def view(self, address: Address) -> InputView:
        """One input."""
        step, task, _ = address
        frames = frames_of(self.graph, address, self.reader)
        path = f"{self.spec.flow}/{self.spec.run}/{step}/{task}"
        return InputView(self._cls, self.reader(step, task), self._parameters, frames, path)

    def reader(self, step: str, task: str) -> ArtifactReader:
        """The artifacts of a committed task. Raises NotFoundError."""
        reader = self._readers.get((step, task))
        if reader is None:
            record = self.store.read_commit(step, task)
            if record is None:
                raise NotFoundError(f"Task {step}/{task} has not committed, yet {self.spec.step}/{self.spec.task} needs it.")
            reader = self._readers[step, task] = self._open(record)
        return reader

    def prefetch(self, addresses: Sequence[Address], position: int) -> None:
        """Read the records of an input and of those after it in one batch."""
        wanted = [(step, task) for step, task, _ in addresses[position : position + _BATCH] if (step, task) not in self._readers]
        if wanted and (addresses[position][0], addresses[position][1]) in wanted:
            for key, record in zip(wanted, self.store.read_commits(wanted), strict=True):
                if record is None:
                    raise InternalError(f"The join {self.spec.step} started before {'/'.join(key)} had committed.", step=self.spec.step)
                self._readers[key] = self._open(record)

    def _open(self, record: Any) -> ArtifactReader:
        return ArtifactReader(record, self.store.blobs, self._serializers)

    def _outcome(self, step: str, task: str) -> Any:
        try:
            return self.reader(step, task).record.outcome
        except NotFoundError:
            return None
