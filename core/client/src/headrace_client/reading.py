"""What is known of one run: from the index of facts where that is complete, from the datastore where it is not. Knows no flow file.

The index may be behind (a scheduler that crashed) or empty (a datastore copied from elsewhere); what is missing there is read and indexed.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from headrace_hookspecs import Fact, Query
from headrace_hookspecs.errors import StoreError

if TYPE_CHECKING:
    from headrace.project import Project
    from headrace.store.facts import RunStore
    from headrace.store.record import Record
    from headrace_hookspecs import FlowGraph

LEASE: Final = "run/{}/{}"
"""The name of a run's lease."""

_ENDED: Final = ("commit", "attempt")


class RunReader:
    """Reads one run. What never changes is read once; everything else is as it is now."""

    def __init__(self, project: Project, flow: str, run: str) -> None:
        self.project = project
        self.flow = flow
        self.run = run
        self._commits: dict[tuple[str, str], Record] = {}

    @cached_property
    def store(self) -> RunStore:
        """The run's part of the datastore."""
        return self.project.run_store(self.flow, self.run)

    @cached_property
    def record(self) -> dict[str, Any]:
        """The run record. Raises NotFoundError."""
        return self.store.read_run()

    @cached_property
    def graph(self) -> FlowGraph:
        """The graph that the run was planned with."""
        from headrace.graph.codec import graph_from_json

        return graph_from_json(self.record["graph"])

    @cached_property
    def fact(self) -> Fact:
        """The run's own fact: who started it, when, with which parameters and tags. Raises NotFoundError."""
        found = self._query("run")
        if found:
            return found[0]
        from headrace.store.facts import run_fact

        fact = run_fact(self.record)
        self._index([fact])
        return fact

    def state(self) -> str:
        """The run's state: running while its lease is alive, else what its newest end says, else lost.

        A run that an engine drives has no lease; it runs until its end is written.
        """
        lease = self.project.leases.lease(LEASE.format(self.flow, self.run))
        if lease is not None and lease.expires > time.time():
            return "running"
        end = self.end()
        if end is None:
            return "running" if "orchestrator" in self.record else "lost"
        return str(end["state"])

    def end(self) -> Mapping[str, Any] | None:
        """The newest end of the run."""
        found = self._query("end")
        if found:
            return max(found, key=lambda fact: (fact.number, fact.time)).data
        ends = self.store.ends()
        return ends[-1] if ends else None

    def tasks(self, step: str | None = None) -> dict[tuple[str, str], list[Fact]]:
        """(step, task id) -> what is known of its ended attempts, oldest first; tasks that another run did for this one included."""
        known: dict[tuple[str, str], list[Fact]] = {}
        for kind in _ENDED:
            for fact in self._query(kind, step=step):
                known.setdefault((fact.step, fact.task), []).append(fact)
        for fact in self._unindexed(step, known):
            known.setdefault((fact.step, fact.task), []).append(fact)
        for facts in known.values():
            facts.sort(key=lambda fact: (fact.data.get("attempt", 0), fact.time))
        return known

    def _unindexed(self, step: str | None, known: Mapping[tuple[str, str], Sequence[Fact]]) -> list[Fact]:
        """What the datastore holds of the ended attempts and the index does not; it does from now on."""
        numbers = {key: {fact.number for fact in facts if fact.kind == "attempt"} for key, facts in known.items()}
        failed = dict.fromkeys(
            (name, task) for name, task, number in self.store.list_attempts(step) if number not in numbers.get((name, task), ())
        )
        committed = [key for key in self.store.list_commits(step) if not any(fact.kind == "commit" for fact in known.get(key, ()))]
        if not failed and not committed:
            return []
        from headrace.store.facts import task_fact

        found = [task_fact(record) for record in self.store.read_commits(committed) if record is not None]
        for key in failed:
            found += [task_fact(record) for record in self.store.attempts(*key) if record.attempt not in numbers.get(key, ())]
        self._index([fact for fact in found if fact.run == self.run])
        return found

    def task(self, step: str, task: str) -> list[Fact]:
        """What is known of the ended attempts of one task, oldest first."""
        known = {fact.data.get("attempt", 0): fact for fact in self._query("attempt", step=step, task=task)}
        from headrace.store.facts import task_fact

        for record in self.store.attempts(step, task):
            known.setdefault(record.attempt, task_fact(record))
        commit = self.commit(step, task)
        if commit is not None:
            known[commit.attempt] = task_fact(commit)
        return [known[number] for number in sorted(known)]

    def commit(self, step: str, task: str) -> Record | None:
        """The task's commit record; that of the run that did the work, where it was reused."""
        record = self._commits.get((step, task)) or self.store.read_commit(step, task)
        if record is not None:
            self._commits[step, task] = record
        return record

    def attempt(self, step: str, task: str, number: int) -> Record | None:
        """The record of one attempt, committed or not."""
        commit = self.commit(step, task)
        if commit is not None and commit.attempt == number:
            return commit
        return next((record for record in self.store.attempts(step, task) if record.attempt == number), None)

    def home(self, step: str, task: str) -> RunReader:
        """The reader of the run that executed the task: another one where it was reused."""
        commit = self.commit(step, task)
        return self if commit is None or commit.run == self.run else RunReader(self.project, self.flow, commit.run)

    def logged(self, step: str | None = None) -> list[tuple[str, str]]:
        """(step, task id) of every task that has a log: those that run now among them."""
        prefix = f"{self.flow}/runs/{self.run}/logs/{'' if step is None else f'{step}/'}"
        found: dict[tuple[str, str], None] = {}
        for stat in self.project.blobs.list(prefix):
            name, _, last = stat.key.rpartition("/")
            found[name.rpartition("/")[2], last.split("_", 1)[0]] = None
        return list(found)

    def facts(self) -> Iterator[Fact]:
        """Everything that is known, oldest first."""
        facts = [self.fact, *self._query("end"), *self._query("tags")]
        facts += [fact for found in self.tasks().values() for fact in found]
        return iter(sorted(facts, key=lambda fact: (fact.time, fact.kind, fact.step, fact.task, fact.number)))

    def _query(self, kind: str, step: str | None = None, task: str | None = None) -> list[Fact]:
        return list(find(self.project, Query(kind, self.flow, self.run, step, task)))

    def _index(self, facts: Sequence[Fact]) -> None:
        # a reader that may not write is still a reader
        with contextlib.suppress(StoreError):
            if facts:
                self.project.metadata.record(facts)


def find(project: Project, query: Query) -> Iterator[Fact]:
    """All facts of the index that match, page by page."""
    cursor: str | None = None
    while True:
        page = project.metadata.find(query, cursor=cursor)
        yield from page.facts
        cursor = page.cursor
        if cursor is None:
            return


def flow_names(project: Project) -> list[str]:
    """The flows that have run, by the index and by the datastore, sorted."""
    from headrace.store.facts import flows, runs

    indexed = set(project.metadata.flows())
    return sorted(
        indexed | {name for name in flows(project.blobs) if name.isidentifier() and name not in indexed and runs(project.blobs, name)}
    )


def run_ids(project: Project, flow: str) -> list[str]:
    """The runs of a flow, newest first. Run ids sort by time."""
    from headrace.store.facts import runs

    indexed = {fact.run for fact in find(project, Query("run", flow))}
    return sorted(indexed | set(runs(project.blobs, flow)), reverse=True)


def by_index(task: str) -> tuple[tuple[int, ...], int]:
    """What a task id sorts by: its numbers, so that `10` comes after `9`."""
    numbers, _, visit = task.partition("-")
    return tuple(map(int, numbers.split("."))), int(visit or 0)
