"""The attempt as decorators, wrappers and `current` see it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from headrace_hookspecs import FlowGraph, StepNode, TaskSpec, TaskView
from headrace_hookspecs.errors import NotFoundError, PluginError

from .channel import Channel
from .inputs import InputView

if TYPE_CHECKING:
    from .state import TaskState


class Context:
    """Implements `headrace_hookspecs.TaskContext`; `record` is the run record."""

    def __init__(self, spec: TaskSpec, graph: FlowGraph, run: Mapping[str, Any], state: TaskState, channel: Channel) -> None:
        self.spec = spec
        self.graph = graph
        self.step: StepNode = graph.steps[spec.step]
        self.scratch: dict[str, Any] = {}
        self.published: dict[str, Any] = {}
        self.fields: dict[str, Any] = {}
        self._run = run
        self._state = state
        self._channel = channel
        self._tempdir: str | None = None

    @property
    def tempdir(self) -> str:
        """An empty folder of this attempt, removed at its end."""
        if self._tempdir is None:
            import tempfile

            self._tempdir = tempfile.mkdtemp(prefix=f"headrace-{self.spec.step}-")
        return self._tempdir

    def inputs(self) -> Iterator[TaskView]:
        """The predecessors' results, in order."""
        for view in self._state.inputs:
            yield _ViewOfInput(view)

    def artifact(self, name: str) -> Any:
        """The current value of an artifact of this task."""
        try:
            return getattr(self._state.flow, name)
        except AttributeError as error:
            raise NotFoundError(str(error)) from error

    def publish(self, name: str, value: Any) -> None:
        """Make `current.<name>` answer `value`; a taken name is a PluginError."""
        from .current import _CORE

        if name in _CORE or name in self.published:
            raise PluginError(f"current.{name} is taken already.", step=self.spec.step, code="current-taken")
        self.published[name] = value

    def set_env(self, name: str, value: str) -> None:
        """Set an environment variable for the rest of the attempt."""
        os.environ[name] = value

    def redact(self, value: str) -> None:
        """Returns once the supervisor knows the value."""
        self._channel.ask({"type": "redact", "value": value})

    def attach(self, kind: str, name: str, data: bytes, meta: Mapping[str, Any] | None = None) -> None:
        """Keep bytes beside the attempt; there at once, for whoever looks while it runs."""
        self._state.lineage.store.write_attachment(self.spec, kind, name, data, meta or {})

    def record(self, name: str, value: Any) -> None:
        """Add a JSON value to the attempt's record."""
        self.fields[name] = value

    def core(self, name: str) -> Any:
        """A core attribute of `current`."""
        spec, run = self.spec, self._run
        if name in ("run", "task"):
            import headrace

            path = spec.pathspec if name == "task" else f"{spec.flow}/{spec.run}"
            return getattr(headrace, name.capitalize())(path)
        if name == "graph":
            from ..graph.codec import graph_to_json

            return graph_to_json(self.graph)
        simple: dict[str, Any] = {
            "flow_name": spec.flow,
            "run_id": spec.run,
            "step_name": spec.step,
            "task_id": spec.task,
            "retry_count": spec.attempt,
            "pathspec": spec.pathspec,
            "origin_run_id": run.get("origin"),
            "username": run.get("user"),
            "namespace": f"user:{run.get('user')}",
            "tags": frozenset(run.get("tags", ())),
            "parameter_names": [parameter.attribute for parameter in self.graph.parameters],
        }
        if name == "tempdir":
            return self.tempdir
        return simple[name]

    def close(self) -> None:
        """Remove what only this attempt needed."""
        if self._tempdir is not None:
            import shutil

            shutil.rmtree(self._tempdir, ignore_errors=True)


class _ViewOfInput:
    """An input as a TaskView. Its logs are not at hand in a task."""

    def __init__(self, view: InputView) -> None:
        self._view = view

    @property
    def pathspec(self) -> str:
        return self._view.pathspec

    def artifacts(self) -> list[str]:
        return self._view.artifacts()

    def artifact(self, name: str) -> Any:
        return self._view.artifact(name)

    def stdout(self) -> str:
        return ""

    def stderr(self) -> str:
        return ""
