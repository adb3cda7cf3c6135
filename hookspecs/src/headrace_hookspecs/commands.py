"""Group `headrace.command`: click commands that other distributions bring. A command gets a Session and imports no kernel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from .datastore import BlobStore
from .metadata import Fact, MetadataStore
from .task import TaskView


class Session(Protocol):
    """What a command may do with the project that it is called in. Passed as click's context object (`ctx.obj`)."""

    @property
    def config(self) -> Mapping[str, Any]:
        """The resolved configuration, without secrets."""

    @property
    def blobs(self) -> BlobStore:
        """The project's datastore."""

    @property
    def metadata(self) -> MetadataStore:
        """The project's index of facts and leases."""

    def references(self, flow: str, run: str) -> Iterator[str]:
        """The keys of everything that a run can reach in the datastore: its facts, blobs and sources, and those of runs that it reuses."""

    def runs(self, flow: str) -> Iterator[Fact]:
        """The run facts of a flow, newest first."""

    def tasks(self, flow: str, run: str, step: str | None = None) -> Iterator[TaskView]:
        """The tasks of a run, in graph order."""

    def task(self, pathspec: str) -> TaskView:
        """One task by `Flow/run/step/task-id`. Raises NotFoundError."""

    def facts(self, flow: str, run: str) -> Iterator[Fact]:
        """Everything that is known of a run, oldest first."""

    def echo(self, text: str = "", *, err: bool = False) -> None:
        """Print a line, without colours where the output is no terminal."""

    def emit(self, data: Any) -> None:
        """Print JSON, for `--json`."""
