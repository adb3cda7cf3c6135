"""Tasks and artifacts. A task's values are loaded when they are asked for, one by one; lists of artifacts load nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from headrace_hookspecs.errors import NotFoundError
from headrace_hookspecs.ids import parse_task_id

from .base import Item, absent, moment
from .reading import RunReader

if TYPE_CHECKING:
    from datetime import datetime

    from headrace.project import Project
    from headrace.store.artifacts import ArtifactReader, Entry
    from headrace.store.logs import LogLine
    from headrace_hookspecs import Fact, Failure

    from .runs import Step


class Text(str):
    """Text that may also be called, as `TaskView.stdout()` has it."""

    __slots__ = ()

    def __call__(self) -> str:
        return str(self)


class Artifacts:
    """The artifacts of a task: `task.artifacts.model`, by iteration, or called for their names (`TaskView.artifacts()`)."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def __call__(self) -> Sequence[str]:
        return [name for name in sorted(self._task.names()) if not name.startswith("_")]

    def __getattr__(self, name: str) -> Artifact:
        try:
            return self._task[name]
        except KeyError:
            raise AttributeError(f"{self._task.pathspec} has no artifact {name!r}") from None

    def __iter__(self) -> Iterator[Artifact]:
        return iter(self._task)

    def __len__(self) -> int:
        return len(self())

    def __contains__(self, name: object) -> bool:
        return name in self._task

    def __dir__(self) -> list[str]:
        return list(self())

    def __repr__(self) -> str:
        return f"<Artifacts of {self._task.pathspec}: {', '.join(self()) or 'none'}>"


class Data:
    """The values of a task: `task.data.model`. Parameters of the flow are among them."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("__"):
            try:
                return self._task.artifact(name)
            except NotFoundError:
                parameters = self._task.parameters
                if name in parameters:
                    return parameters[name]
        raise AttributeError(f"{self._task.pathspec} has no artifact {name!r}")

    def __contains__(self, name: object) -> bool:
        return name in self._task or name in self._task.parameters

    def __dir__(self) -> list[str]:
        return sorted({*self._task.artifacts(), *self._task.parameters})

    def __repr__(self) -> str:
        return f"<Data of {self._task.pathspec}: {', '.join(dir(self)) or 'none'}>"


class Task(Item["Artifact"]):
    """A task, seen through one of its attempts: `attempt`, or the one that committed, or the newest. Implements `TaskView`."""

    kinds = ("flow", "run", "step", "task")

    def __init__(
        self,
        pathspec: str,
        *,
        attempt: int | None = None,
        project: Project | None = None,
        reader: RunReader | None = None,
        known: bool = False,
    ) -> None:
        """Raises NotFoundError if neither a record nor a log of the task (or of that attempt) exists, unless it is `known` to."""
        self._attempt = attempt
        self._reader = reader
        self._known = known
        super().__init__(pathspec, project=project if reader is None else reader.project)

    def _check(self) -> None:
        if self._known:
            return
        numbers = self._numbers()
        if not numbers:
            raise absent(self, code="task-not-found")
        if self._attempt is not None and self._attempt not in numbers:
            known = ", ".join(map(str, numbers))
            raise NotFoundError(
                f"{self.pathspec} has no attempt {self._attempt}.", remedy=f"Its attempts are: {known}.", code="attempt-not-found"
            )

    def _identity(self) -> tuple[Any, ...]:
        return (*super()._identity(), self._attempt)

    def __repr__(self) -> str:
        return super().__repr__() if self._attempt is None else f"Task({self.pathspec!r}, attempt={self._attempt})"

    # where it stands

    @cached_property
    def reader(self) -> RunReader:
        """The run's reader."""
        return self._reader or RunReader(self.project, *self.path_components[:2])

    @property
    def _key(self) -> tuple[str, str]:
        _, _, step, task = self.path_components
        return step, task

    @property
    def parent(self) -> Step:
        """The step."""
        from .runs import Step

        return Step(self.pathspec.rpartition("/")[0], project=self.project)

    @property
    def indices(self) -> tuple[int, ...]:
        """The foreach indices, outermost first."""
        step, task = self._key
        return parse_task_id(task, self.reader.graph.steps[step].foreach_depth)[0]

    @property
    def index(self) -> int | None:
        """The index in the innermost foreach, None outside."""
        indices = self.indices
        return indices[-1] if indices else None

    @property
    def origin_pathspec(self) -> str | None:
        """The task of the earlier run whose result this is, None for a task that was executed in this run."""
        home = self.reader.home(*self._key)
        return None if home is self.reader else "/".join((home.flow, home.run, *self._key))

    # its attempts

    def _numbers(self) -> list[int]:
        reader = self.reader.home(*self._key)
        numbers = {int(fact.data.get("attempt", 0)) for fact in reader.task(*self._key)}
        return sorted(numbers | set(reader.store.logged_attempts(*self._key)))

    @property
    def attempts(self) -> list[Task]:
        """The task through each of its attempts, oldest first."""
        return [Task(self.pathspec, attempt=number, reader=self.reader, known=True) for number in self._numbers()]

    @property
    def attempt(self) -> int:
        """The number of the attempt that this is about."""
        if self._attempt is not None:
            return self._attempt
        commit = self.reader.commit(*self._key)
        return self._numbers()[-1] if commit is None else commit.attempt

    def _fact(self) -> Fact | None:
        number = self.attempt
        return next((fact for fact in self.reader.home(*self._key).task(*self._key) if fact.data.get("attempt", 0) == number), None)

    @property
    def state(self) -> str:
        """succeeded, absorbed, failed, timed_out, cancelled or lost; running while the run is and no attempt has committed."""
        fact = self._fact()
        committed = fact is not None and fact.kind == "commit"
        if not committed and self._attempt is None and self.reader.state() == "running":
            return "running"
        return "lost" if fact is None else str(fact.data["status"])

    @property
    def successful(self) -> bool:
        """Whether the task committed without a failure."""
        return self.state == "succeeded"

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen to the task."""
        return self.state != "running"

    @property
    def exception(self) -> Failure | None:
        """Why the attempt failed, with `type`, `message` and `traceback`; a caught failure too. None if it did not fail."""
        record = self.reader.home(*self._key).attempt(*self._key, self.attempt)
        return None if record is None else record.outcome.failure

    @property
    def created_at(self) -> datetime | None:
        """When the attempt began; None where only a log is known."""
        fact = self._fact()
        return None if fact is None else moment(float(fact.data.get("started", fact.time)))

    @property
    def finished_at(self) -> datetime | None:
        """When the attempt ended; None while it runs."""
        fact = self._fact()
        return None if fact is None else moment(float(fact.data.get("ended", fact.time)))

    @property
    def fields(self) -> Mapping[str, Any]:
        """What decorators recorded about the attempt."""
        record = self.reader.home(*self._key).attempt(*self._key, self.attempt)
        return {} if record is None else record.fields

    # what it kept

    def _opened(self) -> ArtifactReader | None:
        from headrace.store.artifacts import ArtifactReader

        record = self.reader.home(*self._key).attempt(*self._key, self.attempt)
        return None if record is None else ArtifactReader(record, self.project.blobs, self.project.serializers)

    def names(self) -> list[str]:
        """The names of all artifacts, private ones included, in the order in which they were stored."""
        opened = self._opened()
        return [] if opened is None else opened.names()

    def artifact(self, name: str) -> Any:
        """The value of an artifact. Raises NotFoundError."""
        opened = self._opened()
        if opened is None:
            raise NotFoundError(f"{self.pathspec} has no artifact {name!r}.", code="artifact-not-found")
        return opened.load(name)

    @property
    def artifacts(self) -> Artifacts:
        """The artifacts, without their values."""
        return Artifacts(self)

    @property
    def data(self) -> Data:
        """The values of the artifacts."""
        return Data(self)

    @cached_property
    def parameters(self) -> Mapping[str, Any]:
        """Attribute -> value of the flow's parameters in this run."""
        from headrace.dsl.parameters import parameter_values

        return parameter_values(self.reader.graph.parameters, self.reader.record["parameters"])

    def __iter__(self) -> Iterator[Artifact]:
        return (self._child(name) for name in self.artifacts())

    def _child(self, id: str) -> Artifact:
        opened = self._opened()
        if opened is None or not opened.has(id):
            raise NotFoundError(f"{self.pathspec} has no artifact {id!r}.", code="artifact-not-found")
        return Artifact(f"{self.pathspec}/{id}", task=self)

    # what it printed

    def loglines(self, *streams: str, first_chunk: int = 0) -> Iterator[LogLine]:
        """The lines of the attempt's log, of `streams` (stdout, stderr, system) or of all."""
        home = self.reader.home(*self._key)
        lines = home.store.read_log(*self._key, self.attempt, first_chunk)
        return (line for line in lines if not streams or line.stream in streams)

    @property
    def stdout(self) -> Text:
        """What the attempt printed."""
        return Text("".join(f"{line.text}\n" for line in self.loglines("stdout")))

    @property
    def stderr(self) -> Text:
        """What the attempt wrote to standard error."""
        return Text("".join(f"{line.text}\n" for line in self.loglines("stderr")))

    # what came before and after

    @property
    def parents(self) -> Iterator[Task]:
        """The tasks whose results it started from, in order."""
        from .lineage import parents

        return (self._other(step, task) for step, task in parents(self.reader, *self._key))

    @property
    def children(self) -> Iterator[Task]:
        """The tasks that started from its result."""
        from .lineage import children

        return (self._other(step, task) for step, task in children(self.reader, *self._key))

    def _other(self, step: str, task: str) -> Task:
        return Task("/".join((*self.path_components[:2], step, task)), reader=self.reader, known=True)


class Artifact(Item[Any]):
    """One value that a task kept. Only `data` reads it."""

    kinds = ("flow", "run", "step", "task", "artifact")

    def __init__(self, pathspec: str, *, attempt: int | None = None, project: Project | None = None, task: Task | None = None) -> None:
        """Raises NotFoundError."""
        self._task = task
        self._attempt = attempt
        super().__init__(pathspec, project=project if task is None else task.project)

    def _check(self) -> None:
        if self.id not in self.parent.names():
            raise absent(self, code="artifact-not-found")

    @property
    def parent(self) -> Task:
        """The task."""
        if self._task is None:
            self._task = Task(self.pathspec.rpartition("/")[0], attempt=self._attempt, project=self.project)
        return self._task

    @cached_property
    def _entry(self) -> Entry:
        opened = self.parent._opened()
        if opened is None:
            raise absent(self, code="artifact-not-found")
        return opened.entry(self.id)

    @property
    def data(self) -> Any:
        """The value, loaded now."""
        return self.parent.artifact(self.id)

    @property
    def size(self) -> int:
        """The size of the serialised value in bytes."""
        return self._entry.size

    @property
    def type(self) -> str:
        """The type of the value, as `module.Class`."""
        return self._entry.type

    @property
    def serializer(self) -> str:
        """The name of the serializer that wrote it."""
        return self._entry.serializer

    def __iter__(self) -> Iterator[Any]:
        raise TypeError("an artifact has no children; its value is .data")
