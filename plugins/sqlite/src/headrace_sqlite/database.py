"""The connection to one SQLite file: opened with the first use, one to a process, never carried through a fork. Knows no table.

SQLite keeps what it knows of a file's locks in the process. A child that inherits an open connection believes in locks that it does not hold,
even for a connection of its own. So every connection is closed before a fork, and opened again by whoever goes on.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from time import monotonic, sleep
from typing import Final

from .errors import failed, not_made
from .network import network_file_system
from .schema import STEPS, bring_up, version


class Database:
    """The file `path`. Safe to use from several threads; every sqlite3 error is raised as a store error that names the file."""

    def __init__(self, path: str, timeout: float, say: Callable[[str], None]) -> None:
        self._path: Final = path
        self._timeout: Final = timeout
        self._say: Final = say
        self._connection: sqlite3.Connection | None = None
        self._lock = threading.RLock()
        _FORKS.watch(self)

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
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
    def read(self) -> Iterator[sqlite3.Connection | None]:
        """None where there is no file: then nothing was recorded, and looking makes none."""
        with self._opened(create=False) as connection:
            yield connection

    def close(self) -> None:
        """Let go of the file; the next use opens it again."""
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()

    def before_fork(self) -> None:
        """Close, and keep other threads from opening until the fork is done."""
        self._lock.acquire()
        self.close()

    def after_fork(self, *, child: bool) -> None:
        """Let others go on. The child's lock is a new one, as the old one belongs to a thread of the parent."""
        if child:
            self._lock = threading.RLock()
        else:
            self._lock.release()

    @contextmanager
    def _opened(self, *, create: bool) -> Iterator[sqlite3.Connection | None]:
        with self._lock:
            try:
                if self._connection is None and (create or os.path.exists(self._path)):
                    self._connection = self._connect()
                    # whoever looks at a run in a notebook closes nothing; an open file is not worth a warning there, not even in a cycle
                    weakref.finalize(self, self._connection.close).atexit = False
                yield self._connection
            except sqlite3.Error as error:
                raise failed(error, self._path) from error

    def _connect(self) -> sqlite3.Connection:
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
        connection = sqlite3.connect(name, timeout=self._timeout, isolation_level=None, check_same_thread=False, uri=name != self._path)
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


def _make(folder: str) -> None:
    """Make the folder, and have git leave it alone."""
    os.makedirs(folder, exist_ok=True)
    try:
        with open(os.path.join(folder, ".gitignore"), "x", encoding="utf-8") as ignore:
            ignore.write("*\n")
    except FileExistsError:
        pass


class _Forks:
    """Keeps every open database of the process from being carried through a fork. One fork at a time."""

    def __init__(self) -> None:
        self._databases: Final[weakref.WeakSet[Database]] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._held: list[Database] = []

    def watch(self, database: Database) -> None:
        """Close this one too."""
        self._databases.add(database)

    def before(self) -> None:
        self._lock.acquire()
        self._held = list(self._databases)
        for database in self._held:
            database.before_fork()

    def after(self, *, child: bool) -> None:
        for database in self._held:
            database.after_fork(child=child)
        self._held = []
        if child:
            self._lock = threading.Lock()
        else:
            self._lock.release()


# The hooks of a process cannot be taken back: hence one object in the module, which only a store that is used imports.
_FORKS: Final = _Forks()
os.register_at_fork(
    before=_FORKS.before, after_in_parent=partial(_FORKS.after, child=False), after_in_child=partial(_FORKS.after, child=True)
)
