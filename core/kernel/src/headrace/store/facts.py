"""The facts of one run in the datastore: written once, read in batches, listed. Knows blobs and records, not the index of facts."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

from headrace_hookspecs.datastore import BlobRange, BlobStore
from headrace_hookspecs.errors import NotFoundError, StoreError, StoreUnavailableError
from headrace_hookspecs.lifecycle import RunState
from headrace_hookspecs.outcome import Outcome
from headrace_hookspecs.task import TaskSpec

from . import keys
from .content import get_content, put_contents
from .logs import LogLine, decode_chunk, encode_chunk
from .record import FORMAT, Record, decode_frame, decode_record, encode_record, new_header, seal, trusted, unseal
from .reuse import Reuse

if TYPE_CHECKING:
    from headrace_hookspecs.metadata import Fact

BATCH: Final = 64
_LOG_BATCH: Final = 8

T = TypeVar("T")


class RunStore:
    """The part of a datastore that belongs to one run. `reuse` is the reuse object of its run record; unknown, it is read when needed.

    Every method raises the store errors; whoever reads gets what was written or a CorruptDataError that names the key.
    """

    def __init__(self, blobs: BlobStore, flow: str, run: str, reuse: Any = None) -> None:
        self.blobs: Final = blobs
        self.flow: Final = flow
        self.run: Final = run
        self._prefix: Final = keys.run_prefix(flow, run)
        self._reuse: Reuse | None = None if reuse is None else Reuse(reuse)

    # the run

    def write_run(self, record: Mapping[str, Any]) -> None:
        """Write the run record. Raises StoreError if another run has that id."""
        key, data = keys.run_key(self.flow, self.run), seal(record)
        if not self.blobs.put_if_absent(key, [data]) and self._get(key) != data:
            raise StoreError(f"There is a run {self.flow}/{self.run} already.", code="store-run-exists", remedy="Start it again.")

    def read_run(self) -> dict[str, Any]:
        """The run record. Raises NotFoundError."""
        key = keys.run_key(self.flow, self.run)
        data = self._get(key)
        if data is None:
            raise NotFoundError(f"There is no run {self.flow}/{self.run} in {self.blobs.location}.", code="run-not-found")
        return unseal(data, key)

    def write_sources(self, files: Mapping[str, bytes]) -> None:
        """Keep the run's source files; content that is there already is not written again."""
        put_contents(self.blobs, self.flow, [[content] for content in files.values()])

    def read_source(self, digest: str) -> bytes:
        """A source file by its digest in the run record."""
        return get_content(self.blobs, self.flow, digest)

    def write_end(self, data: Mapping[str, Any]) -> int:
        """Add an end of the run; its number."""
        return self._append(keys.end_key, data)

    def ends(self) -> list[dict[str, Any]]:
        """All ends, oldest first; more than one where the run was continued."""
        return self._sealed(f"{self._prefix}end/")

    def write_tags(self, data: Mapping[str, Any]) -> int:
        """Add a change of tags (`add` and `remove` are lists); its number. No concurrent change is lost."""
        return self._append(keys.tags_key, data)

    def tags(self) -> list[str]:
        """The user tags as they are now, sorted."""
        tags = set(self.read_run().get("tags", ()))
        for change in self._sealed(f"{self._prefix}tags/"):
            tags = (tags - set(change.get("remove", ()))) | set(change.get("add", ()))
        return sorted(tags)

    def state(self) -> RunState | None:
        """The state that the newest end says, `running` without one, None for a run that does not exist.

        Facts alone cannot tell a run that runs from one whose scheduler died; that is the lease's part.
        """
        ends = self.ends()
        if ends:
            state: RunState = ends[-1]["state"]
            return state
        (found,) = self.blobs.stat_many([keys.run_key(self.flow, self.run)])
        return None if found is None else "running"

    # tasks

    def commit(self, record: bytes, nonce: str, conditional: bool = True) -> str:
        """Write the task's one commit record: `won` if it is this one, `superseded` if another attempt was first.

        `conditional=False` is for a store without CONDITIONAL_PUT, and for nobody but the holder of the run's lease.
        """
        header = decode_record(record, "to be written")
        key = keys.commit_key(self.flow, self.run, header.step, header.task)
        try:
            if conditional:
                created = self.blobs.put_if_absent(key, [record])
            else:
                created = self._get(key) is None
                if created:
                    self.blobs.put_many([(key, [record])])
        except StoreUnavailableError:
            # the answer is lost, the write perhaps not: the record itself tells
            if self._get(key) is None:
                raise
            created = False
        if created:
            return "won"
        found = self.read_commit(header.step, header.task)
        return "won" if found is not None and found.nonce == nonce else "superseded"

    def commit_unconditionally(self, step: str, task: str, record: bytes) -> str:
        """`commit` for a store without CONDITIONAL_PUT, by the holder of the run's lease."""
        return self.commit(record, decode_record(record, f"{step}/{task}").nonce, conditional=False)

    def read_commit(self, step: str, task: str) -> Record | None:
        """The commit record of a task, its origin's if the task is reused; None if it has not committed."""
        return next(self.read_commits([(step, task)]))

    def read_commits(self, tasks: Iterable[tuple[str, str]], batch: int = BATCH) -> Iterator[Record | None]:
        """The commit records of (step, task) pairs, in order, read `batch` at a time."""
        for wanted in _batches(tasks, batch):
            places = [self._commit_key(step, task) for step, task in wanted]
            found = list(self.blobs.get_many(map(BlobRange, places)))
            if None in found and self._reuse is None:
                # nobody said whether this run takes tasks over from another: its record does
                self._load_reuse()
                again = {at: self._commit_key(*wanted[at]) for at, data in enumerate(found) if data is None}
                again = {at: key for at, key in again.items() if key != places[at]}
                for (at, key), data in zip(again.items(), self.blobs.get_many(map(BlobRange, again.values())), strict=True):
                    places[at], found[at] = key, data
            for key, data in zip(places, found, strict=True):
                yield None if data is None else decode_record(data, key)

    def reused_outcome(self, step: str, task: str) -> Outcome | None:
        """The outcome of a task that another run has committed for this one; None if this run has to execute it."""
        if self._load_reuse().find(step, task) is None:
            return None
        record = self.read_commit(step, task)
        return None if record is None else record.outcome

    def list_commits(self, step: str | None = None) -> Iterator[tuple[str, str]]:
        """(step, task) of every committed task, of one step or of all: those of this run by key, then reused ones."""
        prefix = f"{self._prefix}commits/{'' if step is None else f'{step}/'}"
        for stat in self.blobs.list(prefix):
            _, found, task = stat.key.rsplit("/", 2)
            yield found, task
        for _, found, task in self._load_reuse().tasks():
            if step is None or found == step:
                yield found, task

    def reused(self) -> Iterator[tuple[str, str, str]]:
        """(run, step, task) of every task that this run takes over from another, by the run that committed it."""
        yield from self._load_reuse().tasks()

    def list_attempts(self, step: str | None = None) -> Iterator[tuple[str, str, int]]:
        """(step, task, attempt) of every attempt that did not commit, of one step or of all."""
        for stat in self.blobs.list(f"{self._prefix}attempts/{'' if step is None else f'{step}/'}"):
            _, found, name = stat.key.rsplit("/", 2)
            task, _, attempt = name.rpartition("_")
            yield found, task, int(attempt)

    def attempted(self) -> Iterator[tuple[str, str]]:
        """(step, task) of every task with an attempt that did not commit."""
        yield from dict.fromkeys((step, task) for step, task, _ in self.list_attempts())

    def write_attempt(self, spec: TaskSpec, outcome: Outcome, record: bytes | None = None) -> None:
        """Keep what came of an attempt that did not commit, unless it is known: `record` as the attempt made it, else a bare one."""
        if record is None:
            now = time.time()
            record = encode_record(new_header(spec, "", outcome, started=now, ended=now))
        self.blobs.put_if_absent(keys.attempt_key(self.flow, self.run, spec.step, spec.task, spec.attempt), [record])

    def attempts(self, step: str, task: str) -> list[Record]:
        """The records of the task's attempts that did not commit, by their number."""
        return sorted(self._records(keys.attempts_prefix(self.flow, self.run, step, task)), key=lambda record: record.attempt)

    # logs

    def write_log_chunk(self, step: str, task: str, attempt: int, chunk: int, frames: bytes) -> None:
        """Write one chunk of an attempt's log; writing it again replaces it."""
        self.blobs.put_many([(keys.log_key(self.flow, self.run, step, task, attempt, chunk), [encode_chunk(frames)])])

    def read_log(self, step: str, task: str, attempt: int, first: int = 0) -> Iterator[LogLine]:
        """The lines of an attempt's log, from chunk `first` on."""
        for lines in self.read_log_chunks(step, task, attempt, first):
            yield from lines

    def read_log_chunks(self, step: str, task: str, attempt: int, first: int = 0) -> Iterator[list[LogLine]]:
        """The lines of each chunk that exists, from chunk `first` on; whoever follows a log counts them."""
        prefix = keys.log_prefix(self.flow, self.run, step, task, attempt)
        after = keys.log_key(self.flow, self.run, step, task, attempt, first - 1) if first else ""
        for stats in _batches(self.blobs.list(prefix, after=after), _LOG_BATCH):
            for stat, data in zip(stats, self.blobs.get_many([BlobRange(stat.key) for stat in stats]), strict=True):
                # one that was deleted meanwhile has no lines; whoever follows counts it all the same
                yield [] if data is None else decode_chunk(data, stat.key)

    def logged_attempts(self, step: str, task: str) -> list[int]:
        """The numbers of the attempts that have a log, in order."""
        prefix = keys.log_prefix(self.flow, self.run, step, task, 0)[: -len("0_")]
        return sorted({int(stat.key[len(prefix) :].partition("_")[0]) for stat in self.blobs.list(prefix)})

    # attachments

    def write_attachment(self, spec: TaskSpec, kind: str, name: str, data: bytes, meta: Mapping[str, Any]) -> None:
        """Keep bytes beside an attempt, with JSON that describes them; the same kind and name replaces."""
        key = keys.attachment_key(self.flow, self.run, spec.step, spec.task, spec.attempt, kind, name)
        # one write replaces both
        self.blobs.put_many([(key, [encode_record({"v": FORMAT, "meta": dict(meta)}, [data])])])

    def attachments(self, step: str, task: str) -> list[tuple[int, str, str]]:
        """(attempt, kind, name) of everything that the task's attempts kept."""
        listing = self.blobs.list(keys.attachments_prefix(self.flow, self.run, step, task))
        parts = (stat.key.rsplit("/", 3)[1:] for stat in listing)
        return [(int(where.rpartition("_")[2]), kind, name) for where, kind, name in parts]

    def read_attachment(self, step: str, task: str, attempt: int, kind: str, name: str) -> tuple[bytes, dict[str, Any]]:
        """The bytes and their JSON. Raises NotFoundError, CorruptDataError."""
        key = keys.attachment_key(self.flow, self.run, step, task, attempt, kind, name)
        found = self._get(key)
        if found is None:
            raise NotFoundError(f"{self.flow}/{self.run}/{step}/{task} has no {kind} {name!r}.", code="attachment-not-found")
        header, inline = decode_frame(found, key)
        return bytes(inline), trusted(key, lambda: dict(header["meta"]))

    # all of it

    def facts(self) -> Iterator[Fact]:
        """Everything that the index of facts should know of this run. Reused tasks are facts of the run that did the work."""
        from headrace_hookspecs.metadata import Fact

        yield run_fact(self.read_run())
        for kind in ("commits/", "attempts/"):
            for record in self._records(self._prefix + kind):
                yield task_fact(record)
        for kind in ("end", "tags"):
            for number, data in enumerate(self._sealed(f"{self._prefix}{kind}/")):
                yield Fact(kind, self.flow, self.run, number=number, time=float(data.get("ended", data.get("time", 0.0))), data=data)

    def _commit_key(self, step: str, task: str) -> str:
        origin = None if self._reuse is None else self._reuse.find(step, task)
        return keys.commit_key(self.flow, origin or self.run, step, task)

    def _load_reuse(self) -> Reuse:
        if self._reuse is None:
            key = keys.run_key(self.flow, self.run)
            data = self._get(key)
            self._reuse = Reuse(None if data is None else unseal(data, key).get("reuse"))
        return self._reuse

    def _append(self, key_of: Any, data: Mapping[str, Any]) -> int:
        number, sealed = 0, [seal({"format": FORMAT, **data})]
        while not self.blobs.put_if_absent(key_of(self.flow, self.run, number), sealed):
            number += 1
        return number

    def _sealed(self, prefix: str) -> list[dict[str, Any]]:
        names = [stat.key for stat in self.blobs.list(prefix)]
        found = zip(names, self.blobs.get_many(map(BlobRange, names)), strict=True)
        return [unseal(data, key) for key, data in found if data is not None]

    def _records(self, prefix: str) -> Iterator[Record]:
        for stats in _batches(self.blobs.list(prefix), BATCH):
            for stat, data in zip(stats, self.blobs.get_many([BlobRange(stat.key) for stat in stats]), strict=True):
                if data is not None:
                    yield decode_record(data, stat.key)

    def _get(self, key: str) -> bytes | None:
        return next(iter(self.blobs.get_many([BlobRange(key)])))


def run_fact(record: Mapping[str, Any]) -> Fact:
    """What the index keeps of a run record."""
    from headrace_hookspecs.metadata import Fact

    kept = ("created", "user", "parameters", "tags", "system_tags", "origin")
    data = {name: record[name] for name in kept if name in record}
    return Fact("run", record["flow"], record["run"], time=float(record["created"]), data=data)


def task_fact(record: Record) -> Fact:
    """What the index keeps of a commit or attempt record."""
    from headrace_hookspecs.metadata import Fact

    outcome = record.outcome
    data: dict[str, Any] = {"status": outcome.status, "attempt": record.attempt, "started": record.started, "ended": record.ended}
    if outcome.size is not None:
        data["size"] = outcome.size
    if outcome.failure is not None:
        data["failure"] = {**outcome.failure.to_json(), "traceback": ""}
    kind, number = ("commit", 0) if outcome.committed else ("attempt", record.attempt)
    return Fact(kind, record.flow, record.run, record.step, record.task, number, record.ended, data)


def flows(blobs: BlobStore) -> list[str]:
    """The names of all flows that have something in the datastore, sorted."""
    return list(blobs.folders(""))


def runs(blobs: BlobStore, flow: str) -> list[str]:
    """The ids of a flow's runs, newest first. What was left by one that could not write its record is none."""
    found = sorted(blobs.folders(f"{flow}/runs/"), reverse=True)
    records = blobs.stat_many(f"{flow}/runs/{run}/run.json" for run in found)
    return [run for run, record in zip(found, records, strict=True) if record is not None]


def _batches(items: Iterable[T], size: int) -> Iterator[Sequence[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
