"""Group `headrace.launcher`: where single tasks run. A launcher starts, ends and listens to attempts; it knows no graph and no store.

It never imports the kernel: the entry that it is handed is the kernel's task, as a callable and as a command line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

from .capabilities import Capability
from .ir import StepNode, Workload
from .task import TaskSpec


class TaskEntry(Protocol):
    """The kernel's task as a launcher sees it.

    The channel is one end of a stream socket that carries lines of JSON in both directions; the task writes requests and its outcome,
    the scheduler's answers come back through `Launcher.reply`.
    """

    command: Sequence[str]
    """The constant argv of a task in a process of its own, for slots in the environment."""

    reference: str
    """`module:function` of a factory that makes an equal entry in a fresh interpreter: `function(state)`."""

    state: Mapping[str, Any]
    """JSON for that factory: which flow file or module, which class, `sys.path` and argv."""

    fork_safe: bool
    """False where the flow's module must be imported anew for each process (a notebook, a flow run from an import)."""

    def warm(self) -> None:
        """Import what every attempt of any run needs. Called in a zygote as soon as it exists, before the run is known."""

    def preload(self, context: bytes) -> None:
        """Import and build once what every attempt of the run needs. `context` is `LaunchContext.context`. Idempotent."""

    def run(self, spec: Mapping[str, Any], channel: int) -> int:
        """Make one attempt in this process and return the exit status. `channel` is a file descriptor, closed at the end."""


class LaunchContext(NamedTuple):
    """What a launcher is told once a run: the entry, the run's context for `preload`, and what every task's environment holds."""

    entry: TaskEntry
    context: bytes
    environ: Mapping[str, str]
    cwd: str
    max_workers: int


class LaunchEvent(NamedTuple):
    """Something happened to the attempt `key`.

    kind: `started` (pid set), `output` (data: raw bytes, stream: stdout or stderr), `message` (data: one JSON line of the channel),
    `exited` (exit_code or signal set; `usage` may hold max_rss in KiB, user and system seconds), `lost` (nothing is known any more).
    `exited` and `lost` are last, after all output that could be had within the drain time. `time` is seconds since the epoch.
    """

    kind: Literal["started", "output", "message", "exited", "lost"]
    key: str
    time: float
    data: bytes = b""
    stream: str = ""
    pid: int | None = None
    exit_code: int | None = None
    signal: int | None = None
    usage: Mapping[str, float] | None = None
    oom: bool = False


class Launcher(Protocol):
    """Starts attempts. One object serves one run in one process; all calls come from the main thread.

    Life: `prepare` (maybe) - `render` for each step at plan time - `open` - launch, events, reply, cancel - `close`.
    """

    capabilities: frozenset[Capability]

    echoes: bool
    """True where output has been shown on the terminal already when its event comes (a task in the calling process)."""

    def prepare(self, entry: TaskEntry) -> None:
        """Called right after the flow was imported and before any store is open or thread started: the time to fork. May do nothing."""

    def render(self, step: StepNode) -> Workload:
        """The step in this launcher's public workload format. Pure; raises MissingCapabilityError for what it cannot do."""

    def open(self, context: LaunchContext) -> None:
        """The run begins."""

    def launch(self, specs: Sequence[TaskSpec], steps: Sequence[StepNode]) -> None:
        """Start one attempt for each spec (`steps` holds their nodes): all or none. Returns at once where attempts can be parallel."""

    def cancel(self, key: str, *, force: bool) -> None:
        """Ask the attempt's whole process group to end (SIGTERM), or end it (`force`: SIGKILL). An ended attempt is no error."""

    def reply(self, key: str, line: bytes) -> None:
        """Send one JSON line to the attempt's channel; an attempt that is gone is no error."""

    def fileno(self) -> int:
        """A file descriptor that is readable while `events` has something to say."""

    def events(self) -> Sequence[LaunchEvent]:
        """What happened since the last call, in order; does not block."""

    def close(self, *, grace: float) -> None:
        """The run is over: whatever still runs gets SIGTERM, `grace` seconds, SIGKILL. Leaves no process behind."""
