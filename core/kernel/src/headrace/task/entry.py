"""The kernel's task as launchers know it: a callable for a process that has the flow, a command line for one that has nothing."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from headrace_hookspecs import TaskSpec

from .channel import Channel

if TYPE_CHECKING:
    from ..dsl.load import LoadedFlow
    from ..project import Project
    from .runtime import Runtime


class Entry:
    """Implements `headrace_hookspecs.TaskEntry` for one flow."""

    def __init__(self, loaded: LoadedFlow, project: Project | None = None, *, fork_safe: bool = True) -> None:
        self.command: Sequence[str] = (sys.executable, "-m", "headrace.task")
        self.reference = "headrace.task.entry:make_entry"
        self.state: Mapping[str, Any] = {
            "file": loaded.file,
            "module": loaded.module,
            "class": loaded.cls.__qualname__,
            "path": loaded.sys_path0,
        }
        self.fork_safe = fork_safe
        self.loaded = loaded
        self._project = project
        self._runtime: Runtime | None = None

    def warm(self) -> None:
        """Import what attempts need whatever the run will be; meanwhile the scheduler's process plans it."""
        from . import attempt, runtime  # noqa: F401 - imported for those that come after

        if self._project is not None:
            self._project.serializers.preload()
            prepare = getattr(self._project.blobs, "prepare", None)
            if prepare is not None:
                prepare()
            self._project.manager("task")

    def preload(self, context: bytes) -> None:
        """Build what all attempts share. The context is the scheduler's JSON: run record and resolved project."""
        if self._runtime is None:
            import json

            from ..project import restore_project
            from .runtime import Runtime

            data = json.loads(context)
            project = self._project or restore_project(data["project"])
            project.probe(data["project"]["probed"])
            self._runtime = Runtime(self.loaded.cls, project, data["record"], scheduled=True)

    def adopt(self, runtime: Runtime) -> None:
        """Take a runtime that was built otherwise (a task started by slots)."""
        self._runtime = runtime

    def run(self, spec: Mapping[str, Any], channel: int) -> int:
        """Make one attempt in this process; 0 if the task is committed now, else 1."""
        return self.attempt(TaskSpec.from_json(spec), Channel(channel))

    def attempt(self, spec: TaskSpec, channel: Channel) -> int:
        """As `run`, with the parsed spec and an open channel."""
        from headrace_hookspecs.errors import StoreError

        from .attempt import Attempt

        if self._runtime is None:
            raise RuntimeError("preload() comes before run()")
        try:
            outcome = Attempt(self._runtime, spec, channel).run()
        except StoreError as error:
            # nothing can be recorded; the scheduler learns it from the channel, people from the log
            from headrace_hookspecs import Failure, Outcome

            print(f"{error.code}: {error}", file=sys.stderr, flush=True)
            failure = Failure("store", str(error), f"{type(error).__module__}.{type(error).__qualname__}")
            channel.send({"type": "outcome", "outcome": Outcome("failed", failure=failure).to_json()})
            return 1
        finally:
            channel.close()
        return 0 if outcome.committed else 1


def make_entry(state: Mapping[str, Any]) -> Entry:
    """An entry in a fresh interpreter: imports the flow that `state` (an Entry's) names."""
    from ..dsl.load import load_flow

    if "." in state["module"]:
        sys.path.insert(0, state["path"])
        return Entry(load_flow(f"{state['module']}:{state['class']}", module=True))
    return Entry(load_flow(f"{state['file']}:{state['class']}"))
