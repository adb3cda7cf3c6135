"""What only this store promises: one file, several processes, clean errors for files that are locked, damaged, foreign or too new."""

from __future__ import annotations

import errno
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from headrace_hookspecs import (
    CorruptDataError,
    Fact,
    Lease,
    Query,
    StoreError,
    StoreFullError,
    StoreReadOnlyError,
    StoreUnavailableError,
    UsageError,
)
from headrace_sqlite.errors import not_made
from headrace_sqlite.schema import APPLICATION, STEPS
from headrace_sqlite.store import SqliteStore
from headrace_testkit.processes import in_processes, start_process

FACT = Fact("run", "F", "1", time=1.0)
MANY = [Fact("run", "F", str(number), data={"x": "y" * 1000}) for number in range(500)]
CALLS: list[Callable[[SqliteStore], Any]] = [
    lambda store: store.record([FACT]),
    lambda store: store.find(Query()),
    lambda store: store.flows(),
    lambda store: store.acquire("a", "me", 1.0, now=0.0),
    lambda store: store.lease("a"),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a place" / "metadata.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(str(path))
    yield store
    store.close()


def pragma(path: Path, name: str) -> Any:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]
    finally:
        connection.close()


def test_the_file_is_made_by_the_first_write_and_git_leaves_its_folder_alone(store: SqliteStore, path: Path) -> None:
    assert (list(store.find(Query()).facts), list(store.flows()), store.lease("a")) == ([], [], None)
    store.close()
    assert not path.parent.exists()
    store.record([FACT])
    store.close()
    assert sorted(os.listdir(path.parent)) == [".gitignore", "metadata.sqlite"]
    assert (path.parent / ".gitignore").read_text() == "*\n"
    assert (pragma(path, "journal_mode"), pragma(path, "user_version"), pragma(path, "application_id")) == ("wal", len(STEPS), APPLICATION)
    assert store.location == str(path)
    assert list(store.find(Query()).facts) == [FACT], "closing only lets go of the file"


def test_a_folder_that_was_there_is_not_hidden_from_git(path: Path, store: SqliteStore) -> None:
    path.parent.mkdir()
    store.record([FACT])
    assert ".gitignore" not in os.listdir(path.parent)


def test_on_a_network_file_system_there_is_no_write_ahead_log_and_the_user_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = SqliteStore(str(path))
    before.record([FACT])
    said: list[str] = []
    monkeypatch.setattr("headrace_sqlite.database.network_file_system", lambda folder: "nfs4" if folder == str(path.parent) else None)
    busy = SqliteStore(str(path))
    assert list(busy.find(Query()).facts) == [FACT], "what others hold open stays as it is"
    busy.close()
    before.close()
    moved = SqliteStore(str(path), say=said.append)
    assert list(moved.find(Query()).facts) == [FACT]
    moved.record([FACT])
    moved.close()
    assert pragma(path, "journal_mode") == "delete"
    assert len(said) == 1
    assert "nfs4" in said[0]
    assert str(path) in said[0]


def test_processes_that_make_the_file_together_all_succeed(tmp_path: Path) -> None:
    def work(me: int, number: int) -> int:
        store = SqliteStore(f"{tmp_path}/{number}/metadata.sqlite")
        store.record([Fact("run", "F", str(me))])
        return len(store.find(Query()).facts)

    for number in range(15):
        seen = in_processes([lambda me=me, number=number: work(me, number) for me in range(4)])  # type: ignore[misc]
        assert sorted(seen)[-1] == 4


def test_a_process_that_is_killed_leaves_whole_batches_only(store: SqliteStore, path: Path) -> None:
    def write() -> None:
        mine, number = SqliteStore(str(path)), 0
        while True:
            number += 1
            mine.record([Fact("commit", "F", f"{os.getpid()}-{number}", "s", str(part)) for part in range(50)])

    store.record([FACT])
    for _ in range(8):
        child = start_process(write)
        while not store.find(Query(flow="F", run=f"{child}-2"), limit=1).facts:
            assert os.waitpid(child, os.WNOHANG) == (0, 0), "the child ended by itself"
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    sizes: dict[str, int] = {}
    for fact in store.find(Query(kind="commit"), limit=1_000_000).facts:
        sizes[fact.run] = sizes.get(fact.run, 0) + 1
    assert len(sizes) >= 8
    assert set(sizes.values()) == {50}
    assert store.acquire("a", "me", 1.0, now=0.0) == Lease("a", "me", 1, 1.0)


def test_no_open_connection_is_carried_into_a_fork(store: SqliteStore) -> None:
    store.record([FACT])

    def child() -> list[bool]:
        closed = store._file._connection is None
        store.record([Fact("run", "F", "child")])
        return [closed, store._file._connection is not None]

    assert in_processes([child]) == [[True, True]]
    assert store._file._connection is None
    assert sorted(fact.run for fact in store.find(Query()).facts) == ["1", "child"]


def test_a_fork_waits_for_what_another_thread_is_writing(store: SqliteStore) -> None:
    stop, counts = threading.Event(), [0]

    def write() -> None:
        while not stop.is_set():
            counts[0] += 1
            store.record([Fact("commit", "F", "1", "s", str(counts[0]))])

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for number in range(20):
            pid = start_process(lambda number=number: store.record([Fact("run", "F", str(number))]))  # type: ignore[misc]
            os.waitpid(pid, 0)
    finally:
        stop.set()
        thread.join()
    assert {fact.run for fact in store.find(Query(kind="run")).facts} == {str(number) for number in range(20)}
    assert len(store.find(Query(kind="commit"), limit=1_000_000).facts) == counts[0] > 0


# what cannot be used


def test_a_file_that_another_process_holds_is_unavailable(path: Path, store: SqliteStore) -> None:
    store.record([FACT])
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    hasty = SqliteStore(str(path), busy_timeout=0.05)
    for call in (CALLS[0], CALLS[3]):
        with pytest.raises(StoreUnavailableError, match="locked by another process") as refused:
            call(hasty)
        assert str(path) in refused.value.message
    holder.close()
    hasty.record([Fact("run", "F", "2")])
    hasty.close()
    assert len(store.find(Query()).facts) == 2


@pytest.mark.parametrize("call", CALLS)
def test_a_later_schema_is_refused_and_left_alone(path: Path, store: SqliteStore, call: Callable[[SqliteStore], Any]) -> None:
    store.record([FACT])
    store.close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {len(STEPS) + 1}")
    connection.close()
    content = path.read_bytes()
    with pytest.raises(StoreError, match=f"its schema is {len(STEPS) + 1}, this version knows up to {len(STEPS)}") as refused:
        call(store)
    assert refused.value.code == "store-too-new"
    store.close()
    assert path.read_bytes() == content


@pytest.mark.parametrize("call", CALLS)
def test_a_database_of_somebody_else_is_refused_and_left_alone(path: Path, store: SqliteStore, call: Callable[[SqliteStore], Any]) -> None:
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE facts (mine TEXT)")
    connection.close()
    content = path.read_bytes()
    with pytest.raises(StoreError, match="none of headrace") as refused:
        call(store)
    assert refused.value.code == "store-foreign"
    store.close()
    assert path.read_bytes() == content


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "damage", [b"this is no database at all, but long enough to look like one" * 20, b"SQLite format 3\0" + bytes(5000)]
)
def test_a_damaged_file_is_an_error_that_says_how_to_go_on(
    path: Path, store: SqliteStore, call: Callable[[SqliteStore], Any], damage: bytes
) -> None:
    path.parent.mkdir()
    path.write_bytes(damage)
    with pytest.raises(CorruptDataError, match=r"metadata\.sqlite is damaged") as refused:
        call(store)
    assert "still in the datastore" in str(refused.value.remedy)


def test_an_empty_file_is_a_new_one(path: Path, store: SqliteStore) -> None:
    path.parent.mkdir()
    path.touch()
    assert list(store.find(Query()).facts) == []
    store.record([FACT])
    assert list(store.find(Query()).facts) == [FACT]


def test_a_file_that_may_only_be_read_is_read_and_refuses_writes(tmp_path: Path, unprivileged: Callable[..., None]) -> None:
    path = tmp_path / "store" / "metadata.sqlite"
    store = SqliteStore(str(path))
    store.record([FACT])
    store.close()
    path.chmod(0o444)
    path.parent.chmod(0o555)

    def work() -> None:
        mine = SqliteStore(str(path))
        for call in (CALLS[0], CALLS[3]):
            with pytest.raises(StoreReadOnlyError, match=r"metadata\.sqlite") as refused:
                call(mine)
            assert refused.value.remedy
        assert list(mine.find(Query()).facts) == [FACT]
        assert list(mine.flows()) == ["F"]

    unprivileged(work)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, unprivileged: Callable[..., None]) -> None:
    tmp_path.chmod(0o555)

    def work() -> None:
        for call in (CALLS[0], CALLS[3]):
            with pytest.raises(StoreReadOnlyError, match=r"below/metadata\.sqlite"):
                call(SqliteStore(f"{tmp_path}/below/metadata.sqlite"))

    unprivileged(work)


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"file/metadata\.sqlite cannot be opened"):
        SqliteStore(f"{tmp_path}/file/metadata.sqlite").record([FACT])


def test_a_full_disk_is_an_error_and_the_next_write_works(store: SqliteStore) -> None:
    store.record([FACT])
    connection = store._file._connection
    assert connection is not None
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(StoreFullError, match=r"metadata\.sqlite"):
        store.record(MANY)
    connection.execute("PRAGMA max_page_count = 1000000")
    store.record([Fact("run", "F", "after")])
    assert sorted(fact.run for fact in store.find(Query()).facts) == ["1", "after"]


def test_a_write_that_the_system_refuses_is_an_error_and_the_next_write_works(store: SqliteStore) -> None:
    store.record([FACT])
    store.close()

    def work() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
        with pytest.raises(StoreError, match=r"metadata\.sqlite"):
            store.record(MANY)
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        store.record([Fact("run", "F", "after")])

    in_processes([work])
    assert sorted(fact.run for fact in store.find(Query()).facts) == ["1", "after"]


def test_too_many_open_files_are_an_error_with_the_way_out(store: SqliteStore) -> None:
    store.record([FACT])
    store.close()

    def work() -> None:
        store.find(Query(), limit=1)  # imports what it needs
        store.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        for call in CALLS:
            with pytest.raises(StoreFullError, match=r"metadata\.sqlite cannot be opened: too many open files") as refused:
                call(store)
            assert "ulimit" in str(refused.value.remedy)

    in_processes([work])


def test_a_file_that_may_not_be_read_is_an_error_and_not_an_absent_one(
    path: Path, store: SqliteStore, tmp_path: Path, unprivileged: Callable[..., None]
) -> None:
    store.record([FACT])
    store.close()
    path.chmod(0)

    def work() -> None:
        for call in CALLS:
            with pytest.raises(StoreError, match=r"metadata\.sqlite cannot be read") as refused:
                call(SqliteStore(str(path)))
            assert refused.value.code == "store-unreadable"

    unprivileged(work)


def test_a_folder_without_room_for_a_file_beside_is_full(path: Path) -> None:
    """SQLite itself says no more than that it cannot open something."""
    path.parent.mkdir()
    error = OSError(errno.ENOSPC, "No space left on device", f"{path}-1-x")
    assert isinstance(not_made(error, str(path)), StoreFullError)


# questions


@pytest.mark.parametrize("cursor", ["", "x", "[]", "[1,2,3]", "{}", "null"])
def test_a_cursor_of_another_store_is_refused(store: SqliteStore, cursor: str) -> None:
    store.record([FACT])
    with pytest.raises(UsageError) as refused:
        store.find(Query(), cursor=cursor)
    assert refused.value.code == "cursor-invalid"


@pytest.mark.parametrize(
    "condition",
    ["kind = 'run' AND flow = 'F' ORDER BY kind, flow, time DESC", "flow = 'F' AND run = '1'", "kind = 'run' AND time >= 3 AND flow = 'F'"],
)
def test_common_questions_are_answered_by_an_index(store: SqliteStore, path: Path, condition: str) -> None:
    store.record([FACT])
    connection = sqlite3.connect(path)
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN SELECT * FROM facts WHERE {condition}")]
    connection.close()
    assert len(plan) == 1
    assert plan[0].startswith("SEARCH facts")


def test_importing_the_plugin_or_making_a_store_does_not_import_sqlite(tmp_path: Path) -> None:
    code = (
        "import sys; from headrace_sqlite import plugin; from headrace_hookspecs import ProviderContext\n"
        f"store = plugin.create(plugin.config_class()(), ProviderContext({str(tmp_path)!r}, '', {{}}, print))\n"
        "print('sqlite3' in sys.modules, store.location)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", f"{tmp_path}/.headrace/metadata.sqlite"]


def test_a_store_that_nobody_closed_closes_itself(path: Path) -> None:
    code = f"from headrace_sqlite.store import SqliteStore\nSqliteStore({str(path)!r}).record([])\nimport gc; gc.collect(); print('gone')"
    done = subprocess.run([sys.executable, "-W", "error", "-X", "dev", "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("gone\n", "", 0)
