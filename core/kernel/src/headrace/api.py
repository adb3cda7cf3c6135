"""Run, resume and check a flow from Python: the walk through the rooms, in order, for one run. Knows every room's door and no room's inside."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from headrace_hookspecs import Event, Fact, Failure, FlowGraph, LaunchContext, Outcome, ids
from headrace_hookspecs.errors import HeadraceError, NotFoundError, StoreError, UsageError

from .dsl.build import build_graph, diagnose
from .dsl.parameters import resolve_parameters
from .graph.lint import check as check_graph

if TYPE_CHECKING:
    from headrace_hookspecs import Diagnostic

    from .dsl.load import LoadedFlow
    from .plan.plan import Plan
    from .project import Project
    from .store.facts import RunStore
    from .task.entry import Entry

Listener = Callable[[Event], None]
LEASE = "run/{}/{}"


class RunResult(NamedTuple):
    """How a run ended. `state` is one of the run states of `headrace_hookspecs.lifecycle`; the failed attempt is `failed_task`'s."""

    flow: str
    run: str
    state: str
    failure: Failure | None = None
    failed_task: str | None = None
    failed_attempt: int | None = None

    @property
    def successful(self) -> bool:
        """Whether the flow reached its end."""
        return self.state == "succeeded"


class Settings(NamedTuple):
    """What the caller decides about one run; None takes the configured value.

    `forkable` says that this process did nothing but import the flow, so that its tasks may be forks of it.
    """

    with_specs: Sequence[str] = ()
    flow_options: Mapping[str, Any] = {}
    tags: Sequence[str] = ()
    max_workers: int | None = None
    max_num_splits: int | None = None
    run_id_file: str | None = None
    forkable: bool = True


def check(loaded: LoadedFlow, project: Project, with_specs: Sequence[str] = ()) -> tuple[FlowGraph, list[Diagnostic]]:
    """The flow's graph and everything that the validity checker, the plan and the installed policies say of it."""
    graph, findings = diagnose(loaded.cls)
    if not any(finding.severity == "error" for finding in findings):
        plan = _plan(loaded, project, graph, with_specs, {}, {})
        graph, findings = plan.graph, [*findings, *plan.diagnostics]
    return graph, findings


def run(
    loaded: LoadedFlow,
    project: Project,
    *,
    parameters: Mapping[str, object] | None = None,
    listener: Listener | None = None,
    **settings: Any,
) -> RunResult:
    """Run the flow to its end and say how it ended.

    `parameters` are values or texts by name; `settings` are the fields of `Settings`. Errors before the first task are raised; a failed task
    is a result.
    """
    return _Drive(loaded, project, Settings(**settings), listener).run(parameters or {})


def resume(
    loaded: LoadedFlow,
    project: Project,
    *,
    step: str | None = None,
    origin: str | None = None,
    listener: Listener | None = None,
    **settings: Any,
) -> RunResult:
    """A new run that takes over what `origin` (default: the flow's latest run) has committed, except `step` and what follows it."""
    return _Drive(loaded, project, Settings(**settings), listener).resume(step, origin)


def _plan(
    loaded: LoadedFlow,
    project: Project,
    graph: FlowGraph,
    with_specs: Sequence[str],
    options: Mapping[str, Any],
    launchers: dict[str, Any],
) -> Plan:
    from .plan.plan import make_plan

    return make_plan(
        loaded, project, graph=graph, manager=project.manager("author"), with_specs=with_specs, options=options, launchers=launchers
    )


class _Beginning(NamedTuple):
    """What a run begins with: parameters by attribute; and, if it resumes another, that one and the reuse object."""

    parameters: Mapping[str, Any]
    origin: str | None = None
    reuse: Any = None


class _Drive:
    """One call of `run` or `resume`, from the imported flow to the end fact."""

    def __init__(self, loaded: LoadedFlow, project: Project, settings: Settings, listener: Listener | None) -> None:
        self.loaded = loaded
        self.project = project
        self.settings = settings
        self.listener = listener
        self.config = project.config
        for tag in settings.tags:
            ids.check_id("tag", tag)

    def run(self, parameters: Mapping[str, object]) -> RunResult:
        """A run from the start."""
        return self._go(lambda graph: _Beginning(resolve_parameters(self.loaded.cls, parameters, os.environ)))

    def resume(self, step: str | None, origin: str | None) -> RunResult:
        """A run that takes over what another has done."""
        return self._go(lambda graph: self._taken_over(graph, step, origin))

    def _taken_over(self, graph: FlowGraph, step: str | None, origin: str | None) -> _Beginning:
        from .graph.codec import graph_from_json
        from .run.resume import reusable
        from .store.reuse import flatten

        flow = graph.name
        if step is not None and step not in graph.steps:
            raise UsageError(f"Flow {flow} has no step {step!r}.", remedy=f"Its steps: {', '.join(graph.order)}.", code="step-unknown")
        found = origin or self.project.latest_run(flow)
        if found is None:
            raise NotFoundError(f"Flow {flow} has no run to resume.", code="run-not-found", remedy="Name one with --origin RUN.")
        past = self.project.run_store(flow, ids.check_id("run", found))
        record = past.read_run()
        committed = set(past.list_commits())

        def outcomes(keys: Iterable[tuple[str, str]]) -> list[Outcome]:
            return [commit.outcome for commit in past.read_commits(list(keys)) if commit is not None]

        taken = reusable(graph, graph_from_json(record["graph"]), committed, outcomes, {step} if step else set())
        own = [(name, task) for name, tasks in taken.tasks.items() for task in tasks]
        return _Beginning(record["parameters"], found, flatten(found, own, record.get("reuse")))

    def _go(self, begin: Callable[[FlowGraph], _Beginning]) -> RunResult:
        from .task.entry import Entry

        entry = Entry(self.loaded, self.project, fork_safe=self.settings.forkable)
        name = str(self.config.get("launcher.name"))
        launchers = {name: self.project.launcher(name)}
        try:
            # the time to fork: the flow is imported, no store is open, no thread runs; and while the fork warms up, we plan
            launchers[name].prepare(entry)
            graph = build_graph(self.loaded.cls)
            check_graph(graph)
            beginning = begin(graph)
            plan = _plan(self.loaded, self.project, graph, self.settings.with_specs, self.settings.flow_options, launchers)
            return self._drive(plan, entry, beginning)
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE):
                raise
            problem, remedy = "This process has too many open files.", "Raise the limit of open files (ulimit -n)."
            raise HeadraceError(problem, remedy=remedy, code="too-many-files") from error
        finally:
            grace = float(self.config.get("run.grace"))
            for launcher in launchers.values():
                launcher.close(grace=grace)

    def _drive(self, plan: Plan, entry: Entry, beginning: _Beginning) -> RunResult:
        import json

        from . import __version__
        from .plan.plan import for_run
        from .run.record import digests, make_record, sources, user_name
        from .run.recorder import TTL, Recorder
        from .run.scheduler import Limits, RunEnd, Scheduler
        from .store.facts import run_fact

        parameters, origin, reuse = beginning
        self.project.probe()
        flow, config, now = plan.graph.name, self.config, time.time()
        run = ids.new_run_id(now, int.from_bytes(os.urandom(4), "little"))
        plan = for_run(plan, run, self.project.manager("scheduler"))
        files = sources(self.loaded.file) if self.loaded.file else {}
        record = make_record(
            plan.graph,
            run,
            created=now,
            user=user_name(os.environ),
            parameters=parameters,
            config=config.data,
            project=config.project,
            source={**entry.state, "files": digests(files)},
            tags=[*plan.graph.tags, *self.settings.tags],
            plugins=self.project.plugin_lock(),
            version=__version__,
            origin=origin,
            reuse=reuse,
        )
        portable = self.project.portable()
        context = json.dumps({"record": record, "project": portable}).encode()
        workers = self.settings.max_workers or int(config.get("run.max_workers"))
        limits = Limits(
            workers,
            self.settings.max_num_splits or int(config.get("run.max_num_splits")),
            int(config.get("limits.log_bytes")),
            float(config.get("run.grace")),
        )
        environ = {**os.environ, "HEADRACE_PROJECT": json.dumps(portable)}
        for launcher in plan.launchers.values():
            launcher.open(LaunchContext(entry, context, environ, os.getcwd(), workers))
        store = self.project.run_store(flow, run, reuse=reuse or {})
        owner = f"{os.uname().nodename}:{os.getpid()}:{run}"
        leases = self.project.leases
        lease = leases.acquire(LEASE.format(flow, run), owner, TTL, now=now)
        store.write_run(record)
        self._announce(run)
        manager = self.project.manager("scheduler")

        def emit(event: Event) -> None:
            if self.listener is not None:
                self.listener(event)
            manager.on_event(event)

        def problem(line: str) -> None:
            emit(Event("log-line", time.time(), flow, run, data={"stream": "system", "text": line}))

        recorder = Recorder(self.project.metadata, leases, lease, problem)
        recorder.write(lambda: store.write_sources(files))
        recorder.facts([run_fact(record)])
        emit(
            Event(
                "run-started",
                now,
                flow,
                run,
                data={**run_fact(record).data, "steps": list(plan.graph.order), "launcher": config.get("launcher.name")},
            )
        )
        end = RunEnd("failed", Failure("lost", "The scheduler failed."))
        try:
            reused = store.reused_outcome if reuse else None
            end = Scheduler(plan.graph, store, plan.launchers, plan.launcher_of, recorder, limits, emit, reused).run()
        except HeadraceError as error:
            end = RunEnd("failed", Failure("store" if isinstance(error, StoreError) else "transition", str(error)))
            raise
        finally:
            self._finish(store, recorder, end, now, emit)
            manager.close()
        step, task, attempt = end.key.split("/") if end.key else (None, None, None)
        path = f"{flow}/{run}/{step}/{task}" if step else None
        return RunResult(flow, run, end.state, end.failure, path, None if attempt is None else int(attempt))

    def _finish(self, store: RunStore, recorder: Any, end: Any, started: float, emit: Listener) -> None:
        """Write the end fact, then let go of the lease: never the other way round."""
        now = time.time()
        failure = None if end.failure is None else {**end.failure.to_json(), "traceback": ""}
        data = {"state": end.state, "started": started, "ended": now, "failure": failure, "failed": end.key}
        recorder.write(lambda: store.write_end(data))
        recorder.facts([Fact("end", store.flow, store.run, time=now, data=data)])
        emit(Event("run-ended", now, store.flow, store.run, data={**data, "seconds": now - started}))
        recorder.close()

    def _announce(self, run: str) -> None:
        if self.settings.run_id_file:
            try:
                with open(self.settings.run_id_file, "w", encoding="utf-8") as stream:
                    stream.write(run)
            except OSError as error:
                raise UsageError(
                    f"The run id cannot be written: {error.strerror}.", file=self.settings.run_id_file, code="run-id-file"
                ) from error
