"""One attempt, seen from three sides: the spec that starts it, the context that decorators work with, the view that readers share."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol

from attrs import frozen

from .ids import task_id
from .ir import FlowGraph, StepNode

SLOTS = ("RUN", "STEP", "INDEX", "VISIT", "ATTEMPT", "MODE", "NODE", "INPUTS", "FAILURES", "MAX_SPLITS", "PARAMETERS", "REPORT", "STATUS")
"""The environment slots of a task: `HEADRACE_<slot>`. An orchestrator writes their values in its own syntax.

All but the last three are the fields of a TaskSpec. PARAMETERS holds what the run was given, where the engine collects it: a JSON object of
texts by parameter name, or a list of objects with `name` and `value`, either of them plain or as base64; the text `null` leaves a parameter to
its default. REPORT says where `Orchestrator.report` writes. STATUS is for mode `hook`: how the engine says that the run ended.
"""

NEVER_RETRY = 202
"""The exit status by which a task says that another attempt is useless."""


@frozen
class TaskSpec:
    """Which attempt to make. `indices` and `visit` make the task id; `mode` absorb commits the catch outcome without user code.

    `inputs` are `step/task-id` of the predecessors where the scheduler knows them; None lets the task derive them. `failures` are those
    of the earlier attempts, as JSON. `limit` is the largest foreach width that may be committed.
    """

    flow: str
    run: str
    step: str
    indices: tuple[int, ...] = ()
    visit: int | None = None
    attempt: int = 0
    mode: Literal["execute", "absorb", "hook"] = "execute"
    node: int | None = None
    inputs: tuple[str, ...] | None = None
    failures: tuple[Mapping[str, Any], ...] = ()
    limit: int | None = None

    @property
    def task(self) -> str:
        """The deterministic task id."""
        return task_id(self.indices, self.visit)

    @property
    def key(self) -> str:
        """`step/task-id/attempt`, unique in the run."""
        return f"{self.step}/{self.task}/{self.attempt}"

    @property
    def pathspec(self) -> str:
        """`Flow/run/step/task-id`."""
        return f"{self.flow}/{self.run}/{self.step}/{self.task}"

    def to_json(self) -> dict[str, Any]:
        """All fields as a JSON object."""
        return {
            "flow": self.flow,
            "run": self.run,
            "step": self.step,
            "indices": list(self.indices),
            "visit": self.visit,
            "attempt": self.attempt,
            "mode": self.mode,
            "node": self.node,
            "inputs": None if self.inputs is None else list(self.inputs),
            "failures": list(self.failures),
            "limit": self.limit,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TaskSpec:
        """The inverse of `to_json`."""
        inputs = data.get("inputs")
        return cls(
            flow=data["flow"],
            run=data["run"],
            step=data["step"],
            indices=tuple(data.get("indices", ())),
            visit=data.get("visit"),
            attempt=data.get("attempt", 0),
            mode=data.get("mode", "execute"),
            node=data.get("node"),
            inputs=None if inputs is None else tuple(inputs),
            failures=tuple(data.get("failures", ())),
            limit=data.get("limit"),
        )

    def to_slots(self) -> dict[str, str]:
        """The spec as `HEADRACE_*` environment variables, for a task that is started by a command line."""
        slots = {
            "HEADRACE_RUN": f"{self.flow}/{self.run}",
            "HEADRACE_STEP": self.step,
            "HEADRACE_INDEX": ".".join(map(str, self.indices)),
            "HEADRACE_ATTEMPT": str(self.attempt),
            "HEADRACE_MODE": self.mode,
        }
        if self.visit is not None:
            slots["HEADRACE_VISIT"] = str(self.visit)
        if self.node is not None:
            slots["HEADRACE_NODE"] = str(self.node)
        if self.inputs is not None:
            slots["HEADRACE_INPUTS"] = json.dumps(list(self.inputs))
        if self.failures:
            slots["HEADRACE_FAILURES"] = json.dumps(list(self.failures))
        if self.limit is not None:
            slots["HEADRACE_MAX_SPLITS"] = str(self.limit)
        return slots

    @classmethod
    def from_slots(cls, environ: Mapping[str, str]) -> TaskSpec:
        """The inverse of `to_slots`. Raises KeyError or ValueError on slots that are missing or malformed."""
        flow, run = environ["HEADRACE_RUN"].split("/")
        index, visit, node = (environ.get(f"HEADRACE_{slot}", "") for slot in ("INDEX", "VISIT", "NODE"))
        inputs, limit = environ.get("HEADRACE_INPUTS"), environ.get("HEADRACE_MAX_SPLITS")
        return cls.from_json(
            {
                "flow": flow,
                "run": run,
                "step": environ["HEADRACE_STEP"],
                "indices": [int(part) for part in index.split(".")] if index else [],
                "visit": int(visit) if visit else None,
                "attempt": int(environ.get("HEADRACE_ATTEMPT", "0")),
                "mode": environ.get("HEADRACE_MODE", "execute"),
                "node": int(node) if node else None,
                "inputs": None if inputs is None else json.loads(inputs),
                "failures": json.loads(environ.get("HEADRACE_FAILURES", "[]")),
                "limit": None if limit is None else int(limit),
            }
        )


class TaskView(Protocol):
    """A task that may be read: what client tasks, join inputs and card templates have in common."""

    @property
    def pathspec(self) -> str:
        """`Flow/run/step/task-id`."""

    def artifacts(self) -> Sequence[str]:
        """The names of the artifacts, sorted, without those that start with an underscore."""

    def artifact(self, name: str) -> Any:
        """The value. Raises NotFoundError."""

    def stdout(self) -> str:
        """What the task printed, lines of the last attempt."""

    def stderr(self) -> str:
        """What the task wrote to standard error."""


class TaskContext(Protocol):
    """The attempt that is running, for decorators and `headrace_task_execute` wrappers. Lives in the task process only."""

    spec: TaskSpec
    graph: FlowGraph
    step: StepNode
    scratch: dict[str, Any]
    """Scratch space of this attempt, shared by its decorators; nothing in it is recorded."""

    @property
    def tempdir(self) -> str:
        """An empty folder of this attempt, removed at its end."""

    def inputs(self) -> Iterator[TaskView]:
        """The predecessors' results, in order."""

    def artifact(self, name: str) -> Any:
        """The current value of an artifact of this task. Raises NotFoundError."""

    def publish(self, name: str, value: Any) -> None:
        """Make `current.<name>` answer `value` in this attempt. A name that is taken is a PluginError."""

    def set_env(self, name: str, value: str) -> None:
        """Set an environment variable for the rest of the attempt."""

    def redact(self, value: str) -> None:
        """Have every later occurrence of `value` in the output replaced; returns once the supervisor has acknowledged."""

    def attach(self, kind: str, name: str, data: bytes, meta: Mapping[str, Any] | None = None) -> None:
        """Store bytes beside the attempt (a card, a profile); may be replaced by the same kind and name until the attempt ends."""

    def record(self, name: str, value: Any) -> None:
        """Add a JSON value to the attempt's record."""
