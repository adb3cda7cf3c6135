"""The tables, and how a file gets them: a new file at once, an older one by the steps it lacks, a newer or foreign one not at all."""

from __future__ import annotations

import sqlite3
from typing import Final

from .errors import foreign, too_new

APPLICATION: Final = 0x68647263
"""Marks the file as ours ("hdrc")."""

STEPS: Final[tuple[tuple[str, ...], ...]] = (
    (
        """CREATE TABLE facts (
            kind TEXT NOT NULL, flow TEXT NOT NULL, run TEXT NOT NULL, step TEXT NOT NULL, task TEXT NOT NULL,
            number INTEGER NOT NULL, time REAL NOT NULL, data TEXT NOT NULL,
            PRIMARY KEY (flow, run, kind, step, task, number)
        ) WITHOUT ROWID""",
        "CREATE INDEX facts_by_time ON facts (kind, flow, time)",
        """CREATE TABLE leases (
            name TEXT NOT NULL PRIMARY KEY, owner TEXT NOT NULL, fence INTEGER NOT NULL, expires REAL NOT NULL, note TEXT NOT NULL,
            held INTEGER NOT NULL
        ) WITHOUT ROWID""",
    ),
)
"""Step n brings a file of schema version n to n + 1."""


def version(connection: sqlite3.Connection, path: str) -> int:
    """The schema version of a file, 0 for an empty one; inside a transaction of the caller, as another process may be making the file.

    Raises StoreError for a file that is not ours or too new.
    """
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != APPLICATION and (tables or found):
        raise foreign(path)
    if found > len(STEPS):
        raise too_new(path, found, len(STEPS))
    return int(found)


def bring_up(connection: sqlite3.Connection, path: str) -> None:
    """Bring the file to the newest schema, inside a transaction of the caller that excludes other writers."""
    for step in STEPS[version(connection, path) :]:
        for statement in step:
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(f"PRAGMA user_version = {len(STEPS)}")
