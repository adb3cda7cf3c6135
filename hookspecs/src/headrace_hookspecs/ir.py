"""The graph IR: frozen, JSON-able classes that say what a flow is. Room 1 makes it, plan refines it, everything later only reads it.

Values inside are JSON; a function is a reference `module:qualname`. What only production needs (schedules, triggers, exit hooks) is in
`production`, so that a local run does not pay for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from attrs import field, frozen

if TYPE_CHECKING:
    from .production import ExitHook, Notification, Project, Schedule, Trigger

IR_VERSION: Final = 1

StepKind = Literal["linear", "split", "foreach", "switch", "join", "end"]
ParameterKind = Literal["plain", "json", "include", "config"]


class Source(NamedTuple):
    """Where in the user's files something was said; `line` counts from 1, 0 where unknown."""

    file: str
    line: int = 0


@frozen
class Resources:
    """What a step asks for. cpu in cores, memory, disk and shared_memory in MiB, gpu a count; None is the provider's default."""

    cpu: float | None = None
    memory: int | None = None
    disk: int | None = None
    gpu: int | None = None
    shared_memory: int | None = None
    extended: Mapping[str, str] = field(factory=dict)


@frozen
class RetryPolicy:
    """When and how often a failed attempt is followed by another.

    `times` counts retries, not attempts. The wait before retry n (from 0) is `wait * backoff**n` seconds, at most `max_wait`, varied by
    plus or minus `jitter` (a fraction). `on` lists classes of failure (`FailureKind` values, or exception types as `module.Class`); empty
    means all. `growth` multiplies resources for each retry after such a failure, e.g. `{"memory": 2.0}`.
    """

    times: int = 0
    wait: float = 0.0
    backoff: float = 1.0
    max_wait: float = 3600.0
    jitter: float = 0.0
    on: tuple[str, ...] = ()
    growth: Mapping[str, float] = field(factory=dict)


@frozen
class Timeout:
    """Seconds of one attempt: at `soft` user code gets a TimeoutException, `grace` seconds later the process is killed from outside."""

    soft: float
    grace: float = 5.0


@frozen
class Absorb:
    """A failure that is left after all retries becomes an outcome: stored in `artifact` (None: kept in the record only)."""

    artifact: str | None = None
    print_exception: bool = True


@frozen
class Compute:
    """Where a step runs: the launcher's name and a JSON object that only that launcher reads."""

    provider: str
    config: Mapping[str, Any] = field(factory=dict)


@frozen
class Workload:
    """A launcher's pure rendering of a step: `format` names a public schema (`k8s/PodTemplateSpec`, `process`), `body` is valid against it."""

    format: str
    body: Mapping[str, Any] = field(factory=dict)


@frozen
class Switch:
    """`self.next({...}, condition="attribute")`. `cases` are (JSON value, step) pairs in source order."""

    condition: str
    cases: tuple[tuple[Any, str], ...]


@frozen
class DecoratorUse:
    """A decorator as data: its name, its JSON configuration, where it was written and who attached it (`source`, `--with`, a plugin)."""

    name: str
    config: Mapping[str, Any] = field(factory=dict)
    source: Source | None = None
    origin: str = "source"


@frozen
class ParameterSpec:
    """One input of a flow. `name` is what users type, `attribute` what steps read. `type`: str, int, float, bool or json.

    `default` is JSON; `has_default` tells None from nothing; `callable_default` marks a default computed at start.
    """

    name: str
    attribute: str
    kind: ParameterKind = "plain"
    type: str = "str"
    default: Any = None
    has_default: bool = False
    callable_default: bool = False
    required: bool = False
    multiple: bool = False
    separator: str | None = None
    help: str | None = None
    hidden: bool = False
    source: Source | None = None


@frozen
class StepNode:
    """One step. The lower half is written by decorators and plan; the analysis fields are computed once, from the edges.

    `next` is in source order (for a switch: its distinct targets), `predecessors` in the order of the split's branches. `split_parents`
    is the stack of splits that are open when the step runs, outermost first; `foreach_depth` counts the foreach and gang levels among
    them, hence the number of indices in its task ids. A split knows its `matching_join`, a join the split that it `closes`.
    """

    name: str
    kind: StepKind
    next: tuple[str, ...] = ()
    foreach: str | None = None
    switch: Switch | None = None
    num_parallel: bool = False
    gang: bool = False
    recursive: bool = False
    takes_inputs: bool = False
    predecessors: tuple[str, ...] = ()
    split_parents: tuple[str, ...] = ()
    foreach_depth: int = 0
    matching_join: str | None = None
    closes: str | None = None
    source: Source | None = None
    next_source: Source | None = None
    doc: str = ""

    resources: Resources | None = None
    compute: Compute | None = None
    workload: Workload | None = None
    image: str | None = None
    environment: Mapping[str, Any] | None = None
    retry: RetryPolicy | None = None
    timeout: Timeout | None = None
    absorb: Absorb | None = None
    env: Mapping[str, str] = field(factory=dict)
    secrets: tuple[Mapping[str, Any], ...] = ()
    labels: Mapping[str, str] = field(factory=dict)
    annotations: Mapping[str, str] = field(factory=dict)
    decorators: tuple[DecoratorUse, ...] = ()
    target: Mapping[str, Any] = field(factory=dict)


@frozen
class FlowGraph:
    """A whole flow. `steps` is in source order; `order` lists their names topologically from `start`."""

    name: str
    steps: Mapping[str, StepNode]
    start: str
    end: str
    order: tuple[str, ...] = ()
    parameters: tuple[ParameterSpec, ...] = ()
    configs: Mapping[str, Any] = field(factory=dict)
    decorators: tuple[DecoratorUse, ...] = ()
    doc: str = ""
    source: Source | None = None
    schedule: Schedule | None = None
    triggers: tuple[Trigger, ...] = ()
    exit_hooks: tuple[ExitHook, ...] = ()
    notifications: tuple[Notification, ...] = ()
    project: Project | None = None
    concurrency: int | None = None
    tags: tuple[str, ...] = ()
