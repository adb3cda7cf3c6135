"""Flows, runs and steps, as lists of what is below them. Nothing here loads a value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .base import Item, _open, absent, moment
from .reading import RunReader, by_index, flow_names, run_ids
from .tasks import Data, Task

if TYPE_CHECKING:
    from datetime import datetime

    from headrace.project import Project
    from headrace_hookspecs import Fact, FlowGraph


def flows(project: Project | None = None) -> list[Flow]:
    """All flows of a project that have run, by name."""
    opened = _open(project)
    return [Flow(name, project=opened) for name in flow_names(opened)]


class Flow(Item["Run"]):
    """A flow that has run at least once. Iterates its runs, newest first."""

    kinds = ("flow",)

    def _check(self) -> None:
        if next(iter(self._ids()), None) is None:
            raise absent(self, code="flow-not-found")

    def _ids(self) -> list[str]:
        return run_ids(self.project, self.id)

    def __iter__(self) -> Iterator[Run]:
        return (Run(f"{self.id}/{run}", project=self.project) for run in self._ids())

    def _child(self, id: str) -> Run:
        return Run(f"{self.id}/{id}", project=self.project)

    @property
    def parent(self) -> None:
        """Nothing is above a flow."""

    def runs(self, *tags: str) -> Iterator[Run]:
        """The runs that have all `tags`, newest first."""
        return (run for run in self if run.tags.issuperset(tags))

    @property
    def latest_run(self) -> Run | None:
        """The run that was started last."""
        return next(iter(self), None)

    @property
    def latest_successful_run(self) -> Run | None:
        """The newest of the runs that succeeded."""
        return next((run for run in self if run.successful), None)

    @property
    def created_at(self) -> datetime | None:
        """When its first run was started."""
        ids = self._ids()
        return self[ids[-1]].created_at if ids else None


class Run(Item["Step"]):
    """A run. Iterates the steps that have tasks, newest first."""

    kinds = ("flow", "run")

    def _check(self) -> None:
        _ = self.fact

    @cached_property
    def reader(self) -> RunReader:
        """Reads what is known of the run."""
        return RunReader(self.project, *self.path_components)

    @property
    def fact(self) -> Fact:
        """The run's own fact, from the index where it is there."""
        return self.reader.fact

    def facts(self) -> Iterator[Fact]:
        """Everything that is known of the run, oldest first."""
        return self.reader.facts()

    @property
    def graph(self) -> FlowGraph:
        """The graph that the run was planned with."""
        return self.reader.graph

    @property
    def record(self) -> Mapping[str, Any]:
        """The run record: parameters, configuration, sources, plugins."""
        return self.reader.record

    @property
    def parent(self) -> Flow:
        """The flow."""
        return Flow(self.path_components[0], project=self.project)

    def steps(self) -> list[Step]:
        """The steps that have tasks, in the order of the graph."""
        present = {step for step, _ in (*self.reader.tasks(), *self.reader.logged())}
        return [Step(f"{self.pathspec}/{name}", reader=self.reader) for name in self.graph.order if name in present]

    def __iter__(self) -> Iterator[Step]:
        return reversed(self.steps())

    def _child(self, id: str) -> Step:
        return Step(f"{self.pathspec}/{id}", reader=self.reader)

    def tasks(self) -> Iterator[Task]:
        """All tasks, in the order of the graph, those of a step by index."""
        return (task for step in self.steps() for task in step.tasks())

    # how it went

    @property
    def state(self) -> str:
        """running while its scheduler lives, then succeeded, failed or cancelled; lost if the scheduler vanished."""
        return self.reader.state()

    @property
    def successful(self) -> bool:
        """Whether the flow reached its end."""
        return self.state == "succeeded"

    @property
    def finished(self) -> bool:
        """Whether the run has ended, well or not."""
        return self.state != "running"

    @property
    def created_at(self) -> datetime:
        """When the run was started."""
        return moment(self.fact.time)

    @property
    def finished_at(self) -> datetime | None:
        """When the run ended; None while it runs and for a lost one."""
        end = self.reader.end()
        return moment(float(end["ended"])) if end is not None and self.finished else None

    @property
    def failed_task(self) -> Task | None:
        """The task that made the run fail."""
        end = self.reader.end()
        key = None if end is None else end.get("failed")
        return Task(f"{self.pathspec}/{key.rpartition('/')[0]}", reader=self.reader) if key else None

    @property
    def origin_pathspec(self) -> str | None:
        """The run that this one resumed."""
        origin = self.fact.data.get("origin")
        return f"{self.path_components[0]}/{origin}" if origin else None

    # what it was given and kept

    @property
    def user_tags(self) -> frozenset[str]:
        """The tags that people gave it, as they are now."""
        return frozenset(self.reader.store.tags())

    @property
    def system_tags(self) -> frozenset[str]:
        """The tags that it was given by headrace."""
        return frozenset(self.fact.data.get("system_tags", ()))

    @property
    def tags(self) -> frozenset[str]:
        """All tags."""
        return self.user_tags | self.system_tags

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Attribute -> JSON value of each parameter."""
        parameters: Mapping[str, Any] = self.fact.data.get("parameters", {})
        return parameters

    @property
    def end_task(self) -> Task | None:
        """The task of the last step, None before it has committed."""
        step = self.graph.end
        return self[step].task if self.reader.commit(step, "0") is not None else None

    @property
    def data(self) -> Data | None:
        """The values that the last step kept, None before it has committed."""
        task = self.end_task
        return None if task is None else task.data


class Step(Item[Task]):
    """A step of a run. Iterates its tasks, newest first."""

    kinds = ("flow", "run", "step")

    def __init__(self, pathspec: str, *, project: Project | None = None, reader: RunReader | None = None) -> None:
        """Raises NotFoundError if the run's graph has no such step."""
        self._reader = reader
        super().__init__(pathspec, project=project if reader is None else reader.project)

    def _check(self) -> None:
        if self.id not in self.reader.graph.steps:
            raise absent(self, code="step-not-found")

    @cached_property
    def reader(self) -> RunReader:
        """Reads what is known of the run."""
        return self._reader or RunReader(self.project, *self.path_components[:2])

    @property
    def parent(self) -> Run:
        """The run."""
        return Run(self.pathspec.rpartition("/")[0], project=self.project)

    def _ids(self) -> list[str]:
        return sorted({task for _, task in (*self.reader.tasks(self.id), *self.reader.logged(self.id))}, key=by_index)

    def tasks(self) -> list[Task]:
        """The tasks, by foreach index and visit."""
        return [self._known(task) for task in self._ids()]

    def __iter__(self) -> Iterator[Task]:
        first = {task: facts[0].data.get("started", 0.0) for (_, task), facts in self.reader.tasks(self.id).items()}
        newest = sorted(self._ids(), key=lambda task: (first.get(task, float("inf")), by_index(task)), reverse=True)
        return (self._known(task) for task in newest)

    def _known(self, id: str) -> Task:
        return Task(f"{self.pathspec}/{id}", reader=self.reader, known=True)

    def _child(self, id: str) -> Task:
        return Task(f"{self.pathspec}/{id}", reader=self.reader)

    @property
    def task(self) -> Task | None:
        """The newest task."""
        return next(iter(self), None)

    @property
    def doc(self) -> str:
        """What the step's docstring says."""
        return self.reader.graph.steps[self.id].doc

    @property
    def created_at(self) -> datetime | None:
        """When the first of its tasks began."""
        times = [task.created_at for task in self]
        return min((time for time in times if time is not None), default=None)

    @property
    def finished_at(self) -> datetime | None:
        """When the last of its tasks ended; None while one runs."""
        tasks = self.tasks()
        times = [task.finished_at for task in tasks if task.finished]
        if not tasks or len(times) < len(tasks):
            return None
        return max((time for time in times if time is not None), default=None)

    @property
    def parent_steps(self) -> list[Step]:
        """The steps before it."""
        return [self._neighbour(name) for name in self.reader.graph.steps[self.id].predecessors]

    @property
    def child_steps(self) -> list[Step]:
        """The steps after it."""
        return [self._neighbour(name) for name in self.reader.graph.steps[self.id].next]

    def _neighbour(self, name: str) -> Step:
        return Step("/".join((*self.path_components[:2], name)), reader=self.reader)
