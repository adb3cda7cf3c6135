"""Facts and leases in one SQLite file, opened with the first use, once a process. Knows nothing of datastores."""

from __future__ import annotations

import json
from _thread import allocate_lock  # what `threading.Lock` is, without an import
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from headrace_hookspecs.capabilities import Capability
from headrace_hookspecs.errors import UsageError
from headrace_hookspecs.metadata import Fact, Lease, Page, Query

if TYPE_CHECKING:
    from .database import Database

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
        self._database: Database | None = None
        self._making: Final = allocate_lock()

    @property
    def location(self) -> str:
        """The file."""
        return self._path

    def record(self, facts: Sequence[Fact]) -> None:
        """One transaction."""
        rows = [(*(getattr(fact, name) for name in _ORDER), json.dumps(fact.data, separators=(",", ":"))) for fact in facts]
        with self._file.write() as connection:
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
        with self._file.read() as connection:
            rows = []
            if connection is not None:
                sql = f"SELECT {', '.join(_ORDER)}, data FROM facts {where} ORDER BY {order} LIMIT ?"
                rows = connection.execute(sql, (*values, limit + 1)).fetchall()
        facts = [_fact(row) for row in rows[:limit]]
        return Page(facts, json.dumps(rows[limit - 1][:7]) if facts and len(rows) > limit else None)

    def flows(self) -> Sequence[str]:
        """From the index of facts by kind and flow."""
        with self._file.read() as connection:
            if connection is None:
                return []
            rows = connection.execute("SELECT DISTINCT flow FROM facts WHERE kind = 'run' ORDER BY flow").fetchall()
        return [flow for (flow,) in rows]

    def acquire(self, name: str, owner: str, ttl: float, *, now: float, note: str = "") -> Lease | None:
        """The row of a released lease stays, so that its fence never repeats."""
        with self._file.write() as connection:
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
        with self._file.write() as connection:
            held = "name = ? AND owner = ? AND fence = ? AND held = 1"
            done = connection.execute(f"UPDATE leases SET expires = ? WHERE {held}", (now + ttl, lease.name, lease.owner, lease.fence))
            return lease._replace(expires=now + ttl) if done.rowcount else None

    def release(self, lease: Lease) -> None:
        """Marks the row as free."""
        with self._file.write() as connection:
            held = "name = ? AND owner = ? AND fence = ?"
            connection.execute(f"UPDATE leases SET held = 0 WHERE {held}", (lease.name, lease.owner, lease.fence))

    def lease(self, name: str) -> Lease | None:
        """As it is written, expired or not."""
        with self._file.read() as connection:
            if connection is None:
                return None
            sql = "SELECT name, owner, fence, expires, note FROM leases WHERE name = ? AND held = 1"
            row = connection.execute(sql, (name,)).fetchone()
        return None if row is None else Lease(*row)

    def close(self) -> None:
        """Close the file."""
        if self._database is not None:
            self._database.close()

    @property
    def _file(self) -> Database:
        with self._making:
            if self._database is None:
                from .database import Database

                self._database = Database(self._path, self._timeout, self._say)
            return self._database


def _fact(row: Sequence[Any]) -> Fact:
    time, kind, flow, run, step, task, number, data = row
    return Fact(kind, flow, run, step, task, number, time, json.loads(data))


def _position(cursor: str) -> list[Any]:
    try:
        position = json.loads(cursor)
        if not isinstance(position, list) or len(position) != len(_ORDER):
            raise ValueError(cursor)
    except ValueError:
        raise UsageError(f"{cursor!r} is no cursor of this store.", code="cursor-invalid") from None
    return position
