"""What SQLite and the operating system say, in the words of the contract: one clean error that names the file."""

from __future__ import annotations

import errno
import os
import sqlite3
from typing import Final

from headrace_hookspecs.errors import CorruptDataError, StoreError, StoreFullError, StoreReadOnlyError, StoreUnavailableError

_ELSEWHERE: Final = "Give yourself the right to write there, or choose another file: -o metadata.sqlite.path=FILE"
_REBUILD: Final = "Move the file away. It is an index: what it held is still in the datastore."


def failed(error: sqlite3.Error, path: str) -> StoreError:
    """The error to raise for one of SQLite. By its text, as Python 3.10 tells no code."""
    text = str(error).lower()
    if "locked" in text or "busy" in text:
        return StoreUnavailableError(f"{path} is locked by another process.", remedy="Try again, or raise metadata.sqlite.busy_timeout.")
    if "readonly" in text or "read-only" in text:
        return StoreReadOnlyError(f"{path} cannot be written.", remedy=_ELSEWHERE)
    if "full" in text:
        return StoreFullError(f"{path} cannot be written: the disk is full.", remedy="Make room, then resume the run.")
    if "unable to open" in text or "i/o error" in text:
        # SQLite keeps to itself what the system said; asked again, the system says it again
        try:
            _ask(path)
        except OSError as reason:
            return not_made(reason, path)
    if "malformed" in text or "not a database" in text or "no such table" in text or "no such column" in text:
        return CorruptDataError(f"{path} is damaged: {error}.", remedy=_REBUILD)
    return StoreError(f"{path}: {error}.")


def not_made(error: OSError, path: str) -> StoreError:
    """The error to raise where the system refuses the file, or its folder."""
    reason = (error.strerror or type(error).__name__).lower()
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        if error.filename == path:
            return StoreError(f"{path} cannot be read: {reason}.", code="store-unreadable", remedy="Give yourself the right to read it.")
        return StoreReadOnlyError(f"{path} cannot be written: {reason}.", remedy=_ELSEWHERE)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreFullError(f"{path} cannot be written: {reason}.", remedy="Make room, then resume the run.")
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return StoreFullError(f"{path} cannot be opened: {reason}.", remedy="Raise the limit with `ulimit -n`.")
    return StoreError(f"{path} cannot be opened: {reason}.", remedy=_ELSEWHERE)


def _ask(path: str) -> None:
    """Try what SQLite does: hold the file and its two companions open, and write beside it. Raises OSError."""
    descriptors: list[int] = []
    beside = f"{path}-{os.getpid()}-{os.urandom(6).hex()}"
    try:
        if os.path.exists(path):
            descriptors.append(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
        descriptors.append(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        os.unlink(beside)
        os.write(descriptors[-1], bytes(4096))
        descriptors.append(os.dup(descriptors[-1]))
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def foreign(path: str) -> StoreError:
    """The error for a database that is somebody else's."""
    return StoreError(f"{path} is a database, but none of headrace.", code="store-foreign", remedy=_ELSEWHERE)


def too_new(path: str, found: int, known: int) -> StoreError:
    """The error for a file of a later version."""
    return StoreError(
        f"{path} was written by a later version: its schema is {found}, this version knows up to {known}.",
        code="store-too-new",
        remedy="Upgrade: pip install --upgrade headrace-plugin-sqlite",
    )
