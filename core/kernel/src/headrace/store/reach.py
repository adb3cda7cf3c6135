"""What a run can reach in the datastore: the one answer that a collector of garbage may rely on. Reads records, loads no value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .facts import RunStore
from .keys import blob_key, commit_key, run_key, run_prefix
from .record import Record, trusted


def references(store: RunStore) -> Iterator[str]:
    """The keys, each once: the run's own facts and logs, what it reuses of other runs, and every blob that a record or the sources name."""
    seen: set[str] = set()
    for key in _all(store):
        if key not in seen:
            seen.add(key)
            yield key


def _all(store: RunStore) -> Iterator[str]:
    record = store.read_run()
    for stat in store.blobs.list(run_prefix(store.flow, store.run)):
        yield stat.key
    for digest in record.get("source", {}).get("files", {}).values():
        yield blob_key(store.flow, digest)
    for run, step, task in store.reused():
        # without its run record a reused task's record could not be listed any more
        yield run_key(store.flow, run)
        yield commit_key(store.flow, run, step, task)
    committed = list(store.list_commits())
    for found in store.read_commits(committed):
        if found is not None:
            yield from _blobs(found)
    for step, task in store.attempted():
        for failed in store.attempts(step, task):
            yield from _blobs(failed)


def _blobs(record: Record) -> Iterator[str]:
    def wheres() -> list[Any]:
        pages = record.header.get("foreach", {}).get("pages", ())
        return [row[3] for row in record.header["artifacts"].values()] + [page[1] for page in pages]

    for where in trusted(record.key, wheres):
        if where[0] == "b":
            yield blob_key(record.flow, where[1])
