"""What the operating system says, in the words of the contract: every OSError becomes one clean error that names the path."""

from __future__ import annotations

import errno
from typing import Final

from headrace_hookspecs.errors import StoreError, StoreFullError, StoreReadOnlyError, StoreUnavailableError

_FULL: Final = {
    errno.ENOSPC: "the disk is full, or has no room for more files",
    errno.EDQUOT: "the quota is reached",
    errno.EFBIG: "the file system takes no file of this size",
    errno.EMFILE: "this process has too many open files",
    errno.ENFILE: "this machine has too many open files",
}
_AWAY: Final = {errno.ESTALE, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.EAGAIN, errno.EINTR, errno.EBUSY}
_DENIED: Final = {errno.EACCES, errno.EPERM}


def failed(error: OSError, path: str, *, writing: bool) -> StoreError:
    """The error to raise for `error`, which happened on `path`."""
    number, reason = error.errno or 0, error.strerror or type(error).__name__
    verb = "written" if writing else "read"
    if number in _FULL:
        return StoreFullError(
            f"{path} cannot be {verb}: {_FULL[number]}.",
            remedy="Raise the limit with `ulimit -n`." if number in (errno.EMFILE, errno.ENFILE) else "Make room, then resume the run.",
        )
    if writing and (number == errno.EROFS or number in _DENIED):
        return StoreReadOnlyError(
            f"{path} cannot be written: {reason.lower()}.",
            remedy="Give yourself the right to write there, or choose another folder: -o datastore.files.root=DIR",
        )
    if number in _DENIED:
        return StoreError(
            f"{path} cannot be read: {reason.lower()}.", code="store-unreadable", remedy="Give yourself the right to read it."
        )
    if number in _AWAY:
        return StoreUnavailableError(f"{path} cannot be {verb} now: {reason.lower()}.", remedy="Try again when the file system answers.")
    if number in (errno.ENOTDIR, errno.EISDIR):
        return StoreError(f"{path} cannot be {verb}: a key cannot be both a blob and the folder of other blobs.", code="store-key-conflict")
    if number == errno.ELOOP:
        return StoreError(f"{path} is a symbolic link; the store follows none.", code="store-link")
    return StoreError(f"{path} cannot be {verb}: {reason.lower()}.")
