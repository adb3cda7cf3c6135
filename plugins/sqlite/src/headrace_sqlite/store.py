"""Facts and leases in one SQLite file, opened with the first use, once a process. Knows nothing of datastores."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from headrace_hookspecs.capabilities import Capability
from headrace_hookspecs.errors import UsageError
from headrace_hookspecs.metadata import Fact, Lease, Page, Query

if TYPE_CHECKING:
    import sqlite3

_KEY: Final = ("kind", "flow", "run", "step", "task", "number")
_ORDER: Final = ("time", *_KEY)
_MARKS: Final = ", ".join("?" * len(_ORDER))


class SqliteStore:
    """Implements `headrace_hookspecs.MetadataStore` on the file `path`. `say` is told once where the file has to be kept in a slower way."""

    capabilities = frozenset({Capability.LEASES})

    def __init__(self, path: str, *, busy_timeout: float = 30.0, say: Callable[[str], None] = lambda line: None) -> None:
        self._path: Final = path
        self._timeout: Final = busy_timeout
        self._say: Final = say
        self._connection: sqlite3.Connection | None = None
        self._process = -1
        self._lock: Any = None
        self._inherited: Final[list[Any]] = []

    @property
    def location(self) -> str:
        """The file."""
        return self._path

    def record(self, facts: Sequence[Fact]) -> None:
        """One transaction."""
        rows = [(*(getattr(fact, name) for name in _ORDER), json.dumps(fact.data, separators=(",", ":"))) for fact in facts]
        with self._write() as connection:
            connection.executemany(f"INSERT OR IGNORE INTO facts ({', '.join(_ORDER)}, data) VALUES ({_MARKS}, ?)", rows)

    def find(self, query: Query, *, limit: int = 1000, cursor: str | None = None) -> Page:
        """Newest first is the exact reverse of `ascending`: ties are ordered by the fact's key."""
        wanted = [(name, value) for name, value in zip(query._fields[:5], query[:5], strict=True) if value is not None]
        conditions, values = [f"{name} = ?" for name, _ in wanted], [value for _, value in wanted]
        if query.since is not None:
            conditions.append("time >= ?")
            values.append(query.since)  # type: ignore[arg-type]
        if cursor is not None:
            conditions.append(f"({', '.join(_ORDER)}) {'>' if query.ascending else '<'} ({_MARKS})")
            values.extend(_position(cursor))
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        order = ", ".join(f"{name} {'ASC' if query.ascending else 'DESC'}" for name in _ORDER)
        with self._read() as connection:
            rows = []
            if connection is not None:
                sql = f"SELECT {', '.join(_ORDER)}, data FROM facts {where} ORDER BY {order} LIMIT ?"
                rows = connection.execute(sql, (*values, limit + 1)).fetchall()
        facts = [_fact(row) for row in rows[:limit]]
        return Page(facts, json.dumps(rows[limit - 1][:7]) if facts and len(rows) > limit else None)

    def flows(self) -> Sequence[str]:
        """From the index of facts by kind and flow."""
        with self._read() as connection:
            if connection is None:
                return []
            rows = connection.execute("SELECT DISTINCT flow FROM facts WHERE kind = 'run' ORDER BY flow").fetchall()
        return [flow for (flow,) in rows]

    def acquire(self, name: str, owner: str, ttl: float, *, now: float, note: str = "") -> Lease | None:
        """The row of a released lease stays, so that its fence never repeats."""
        with self._write() as connection:
            row = connection.execute("SELECT owner, fence, expires, held FROM leases WHERE name = ?", (name,)).fetchone()
            holder, fence, expires, held = row or ("", 0, 0.0, 0)
            alive = held and expires > now
            if alive and holder != owner:
                return None
            lease = Lease(name, owner, fence if alive else fence + 1, now + ttl, note)
            connection.execute("INSERT OR REPLACE INTO leases (name, owner, fence, expires, note, held) VALUES (?, ?, ?, ?, ?, 1)", lease)
        return lease

    def renew(self, lease: Lease, ttl: float, *, now: float) -> Lease | None:
        """A lease that expired and that nobody took is still its holder's."""
        with self._write() as connection:
            held = "name = ? AND owner = ? AND fence = ? AND held = 1"
            done = connection.execute(f"UPDATE leases SET expires = ? WHERE {held}", (now + ttl, lease.name, lease.owner, lease.fence))
            return lease._replace(expires=now + ttl) if done.rowcount else None

    def release(self, lease: Lease) -> None:
        """Marks the row as free."""
        with self._write() as connection:
            held = "name = ? AND owner = ? AND fence = ?"
            connection.execute(f"UPDATE leases SET held = 0 WHERE {held}", (lease.name, lease.owner, lease.fence))

    def lease(self, name: str) -> Lease | None:
        """As it is written, expired or not."""
        with self._read() as connection:
            if connection is None:
                return None
            sql = "SELECT name, owner, fence, expires, note FROM leases WHERE name = ? AND held = 1"
            row = connection.execute(sql, (name,)).fetchone()
        return None if row is None else Lease(*row)

    def close(self) -> None:
        """Close the file, if this process has opened it."""
        connection, self._connection = self._connection, None
        if connection is not None:
            (connection.close if self._process == os.getpid() else lambda: self._inherited.append(connection))()

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        """A transaction that excludes other writers; makes the file."""
        with self._opened(create=True) as connection:
            assert connection is not None
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _read(self) -> Iterator[sqlite3.Connection | None]:
        """None where there is no file: then nothing was recorded, and looking makes none."""
        with self._opened(create=False) as connection:
            yield connection

    @contextmanager
    def _opened(self, *, create: bool) -> Iterator[sqlite3.Connection | None]:
        import sqlite3

        from .errors import failed

        if self._process != os.getpid():
            self._adopt()
        with self._lock:
            try:
                if self._connection is None and (create or os.path.exists(self._path)):
                    self._connection = self._connect()
                yield self._connection
            except sqlite3.Error as error:
                raise failed(error, self._path) from error

    def _adopt(self) -> None:
        """Make the store this process's own. A connection from before a fork is the parent's: it is kept, and never touched again."""
        import threading

        if self._connection is not None:
            self._inherited.append(self._connection)
        self._connection, self._lock, self._process = None, threading.Lock(), os.getpid()

    def _connect(self) -> sqlite3.Connection:
        import sqlite3

        from .errors import not_made
        from .network import network_file_system
        from .schema import STEPS, bring_up, version

        folder = os.path.dirname(self._path)
        try:
            if not os.path.isdir(folder):
                _make(folder)
        except OSError as error:
            raise not_made(error, self._path) from error
        name, network = self._path, network_file_system(folder)
        if os.path.exists(self._path) and not os.access(folder, os.W_OK) and not os.path.exists(f"{self._path}-wal"):
            # reading needs files beside it, too, unless SQLite is told that nobody else writes; without a log nobody does
            name = "file:" + self._path.replace("%", "%25").replace("?", "%3f").replace("#", "%23") + "?immutable=1"
        connection = sqlite3.connect(name, self._timeout, isolation_level=None, check_same_thread=False, uri=name != self._path)
        try:
            connection.execute("BEGIN")
            old = version(connection, self._path) < len(STEPS)
            connection.execute("COMMIT")
            if network is not None:
                self._say(
                    f"{self._path} is on a network file system ({network}): it is kept without a write-ahead log, which is slower. "
                    "A local file is better: -o metadata.sqlite.path=FILE"
                )
                self._journal(connection, "delete", self._timeout if old else 0.0)
            elif old:
                self._journal(connection, "wal", self._timeout)
            if old:
                connection.execute("BEGIN IMMEDIATE")
                bring_up(connection, self._path)
                connection.execute("COMMIT")
            # the index can be rebuilt, so it need not survive a power cut
            connection.execute("PRAGMA synchronous = NORMAL")
        except BaseException:
            connection.close()
            raise
        return connection

    def _journal(self, connection: sqlite3.Connection, kind: str, patience: float) -> None:
        """Choose the journal. SQLite does not wait for a process that opens the file at the same time, so we do; a file that others hold
        open stays as it is.
        """
        import sqlite3
        from time import monotonic, sleep

        deadline = monotonic() + patience
        connection.execute("PRAGMA busy_timeout = 0")
        while True:
            try:
                connection.execute(f"PRAGMA journal_mode = {kind}")
                break
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or (patience and monotonic() > deadline):
                    raise
                if not patience:
                    break
                sleep(0.01)
        connection.execute(f"PRAGMA busy_timeout = {int(self._timeout * 1000)}")


def _fact(row: Sequence[Any]) -> Fact:
    time, kind, flow, run, step, task, number, data = row
    return Fact(kind, flow, run, step, task, number, time, json.loads(data))


def _make(folder: str) -> None:
    """Make the folder, and have git leave it alone."""
    os.makedirs(folder, exist_ok=True)
    try:
        with open(os.path.join(folder, ".gitignore"), "x", encoding="utf-8") as ignore:
            ignore.write("*\n")
    except FileExistsError:
        pass


def _position(cursor: str) -> list[Any]:
    try:
        position = json.loads(cursor)
        if not isinstance(position, list) or len(position) != len(_ORDER):
            raise ValueError(cursor)
    except ValueError:
        raise UsageError(f"{cursor!r} is no cursor of this store.", code="cursor-invalid") from None
    return position
