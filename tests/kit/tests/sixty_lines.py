"""A datastore as a third party would write one: everything in one SQLite file."""

import re
import sqlite3
import time

from headrace_hookspecs import BlobStat, Capability, StoreError

KEY = re.compile(r"(?!.*\.\.)[\w.=-]+(/[\w.=-]+)*\Z", re.ASCII)


def check(key):
    if not KEY.match(key):
        raise StoreError(f"{key!r} is no key", code="store-key-invalid")
    return key


class OneFileStore:
    capabilities = frozenset({Capability.CONDITIONAL_PUT, Capability.READ_YOUR_LISTS})

    def __init__(self, path):
        self.location = path
        self._run("CREATE TABLE IF NOT EXISTS blobs (key TEXT PRIMARY KEY, data BLOB, modified REAL)")

    def _run(self, sql, *values):
        connection = sqlite3.connect(self.location, timeout=60)
        try:
            with connection:
                connection.execute("PRAGMA synchronous = OFF")
                cursor = connection.execute(sql, values)
                return cursor.fetchall() or cursor.rowcount
        except sqlite3.OperationalError as error:
            raise StoreError(f"{self.location}: {error}") from error
        finally:
            connection.close()

    def put_many(self, items):
        for key, buffers in items:
            self._run("INSERT OR REPLACE INTO blobs VALUES (?, ?, ?)", check(key), b"".join(buffers), time.time())

    def put_if_absent(self, key, data):
        return self._run("INSERT OR IGNORE INTO blobs VALUES (?, ?, ?)", check(key), b"".join(data), time.time()) == 1

    def get_many(self, ranges):
        for key, offset, length in ranges:
            found = self._run("SELECT data FROM blobs WHERE key = ?", check(key))
            yield found[0][0][offset : None if length is None else offset + length] if isinstance(found, list) else None

    def stat_many(self, keys):
        for key in keys:
            found = self._run("SELECT key, length(data), modified FROM blobs WHERE key = ?", check(key))
            yield BlobStat(*found[0]) if isinstance(found, list) else None

    def list(self, prefix, *, after="", limit=None):
        sql = "SELECT key, length(data), modified FROM blobs WHERE substr(key, 1, ?) = ? AND key > ? ORDER BY key LIMIT ?"
        found = self._run(sql, len(prefix), prefix, after, -1 if limit is None else limit)
        return iter([BlobStat(*row) for row in found] if isinstance(found, list) else [])

    def folders(self, prefix):
        below = (stat.key[len(prefix) :] for stat in self.list(prefix))
        return iter(sorted({rest.partition("/")[0] for rest in below if "/" in rest}))

    def delete_many(self, keys):
        for key in keys:
            self._run("DELETE FROM blobs WHERE key = ?", check(key))

    def close(self):
        pass
