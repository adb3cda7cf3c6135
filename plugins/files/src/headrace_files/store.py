"""Blobs as files below one directory. A blob appears whole or not at all: it is written beside its place, then renamed or linked to it.

Words that start with a dot are the store's own: `.tmp` for what is being written, `.gitignore` so that git leaves the directory alone.
"""

from __future__ import annotations

import errno
import itertools
import os
import re
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Final

from headrace_hookspecs.capabilities import Capability
from headrace_hookspecs.datastore import BlobRange, BlobStat, Buffer
from headrace_hookspecs.errors import StoreError

from .errors import failed
from .system import read, rmdir, sweep, sync, unlink, write_all

_KEY: Final = re.compile(r"[A-Za-z0-9_=-][A-Za-z0-9._=-]*(/[A-Za-z0-9_=-][A-Za-z0-9._=-]*)*\Z")
_NO_LINKS: Final = {errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
_READ: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_ABANDONED: Final = 24 * 3600.0  # seconds after which nobody is still writing a temporary file
_TRIES: Final = 1000  # of making a folder that somebody else removes because it is empty


class FileStore:
    """Implements `headrace_hookspecs.BlobStore` on the directory `root`, an absolute path.

    `fsync` makes every write durable before it is visible; `umask` replaces the process's own for what the store makes.
    """

    capabilities = frozenset({Capability.CONDITIONAL_PUT, Capability.READ_YOUR_LISTS})

    def __init__(self, root: str, *, fsync: bool = False, umask: int | None = None) -> None:
        self._root: Final = root
        self._temporary: Final = f"{root}/.tmp"
        self._fsync: Final = fsync
        self._umask: Final = umask
        self._safe: Final[set[str]] = set()
        self._serial: Final = itertools.count()
        self._swept = False

    @property
    def location(self) -> str:
        """The directory."""
        return self._root

    def put_many(self, items: Iterable[tuple[str, Sequence[Buffer]]]) -> None:
        """Write each blob, one after the other."""
        for key, buffers in items:
            path = self._path(key)
            try:
                temporary = self._write(buffers)
                try:
                    self._into(path, partial(os.rename, temporary, path))
                except BaseException:
                    unlink(temporary)
                    raise
            except OSError as error:
                raise self._failed(error, path, writing=True) from error

    def put_if_absent(self, key: str, data: Sequence[Buffer]) -> bool:
        """A hard link fails where its name exists, on every file system that has them; elsewhere a lock makes it so."""
        path = self._path(key)
        try:
            if os.path.lexists(path):
                return False
            temporary = self._write(data)
            try:
                self._into(path, partial(os.link, temporary, path))
                return True
            except FileExistsError:
                # a network file system that lost its answer says so although the link was made
                return os.stat(temporary).st_nlink == 2
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                return self._rename_if_absent(temporary, path)
            finally:
                unlink(temporary)
        except OSError as error:
            raise self._failed(error, path, writing=True) from error

    def get_many(self, ranges: Iterable[BlobRange]) -> Iterator[bytes | None]:
        """Consecutive ranges of one blob share its open file."""
        opened: str | None = None
        descriptor = size = -1
        try:
            for key, offset, length in ranges:
                path = self._path(key)
                try:
                    if key != opened:
                        if descriptor >= 0:
                            os.close(descriptor)
                        opened, descriptor, size = key, -1, -1
                        descriptor = os.open(path, _READ)
                        found = os.fstat(descriptor)
                        size = found.st_size if stat.S_ISREG(found.st_mode) else -1
                    end = size if length is None else min(size, offset + length)
                    yield None if size < 0 else read(descriptor, offset, end)
                except (FileNotFoundError, NotADirectoryError):
                    yield None
                except OSError as error:
                    raise self._failed(error, path, writing=False) from error
        finally:
            if descriptor >= 0:
                os.close(descriptor)

    def stat_many(self, keys: Iterable[str]) -> Iterator[BlobStat | None]:
        """One `lstat` each."""
        for key in keys:
            path = self._path(key)
            try:
                found = os.lstat(path)
            except (FileNotFoundError, NotADirectoryError):
                yield None
            except OSError as error:
                raise self._failed(error, path, writing=False) from error
            else:
                yield BlobStat(key, found.st_size, found.st_mtime) if stat.S_ISREG(found.st_mode) else None

    def list(self, prefix: str, *, after: str = "", limit: int | None = None) -> Iterator[BlobStat]:
        """One folder at a time is read and sorted; folders that cannot hold an answer are not."""
        return itertools.islice(self._walk(prefix[: prefix.rfind("/") + 1], prefix, after), limit)

    def folders(self, prefix: str) -> Iterator[str]:
        """The directories below `prefix`."""
        return iter(sorted(name[:-1] for name, _ in self._scan(prefix) if name.endswith("/")))

    def delete_many(self, keys: Iterable[str]) -> None:
        """Delete the files, and the folders that are empty then."""
        for key in keys:
            path = self._path(key)
            try:
                os.unlink(path)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                if os.path.isdir(path):
                    continue
                raise self._failed(error, path, writing=True) from error
            folder = key.rpartition("/")[0]
            while folder and rmdir(f"{self._root}/{folder}"):
                self._safe.discard(folder)
                folder = folder.rpartition("/")[0]

    def close(self) -> None:
        """Nothing is open between two calls."""

    def _failed(self, error: OSError, path: str, *, writing: bool) -> StoreError:
        if error.errno in (errno.ENOTDIR, errno.EEXIST) and not os.path.isdir(self._root):
            remedy = "Move it away, or choose another folder: -o datastore.files.root=DIR"
            return StoreError(f"{self._root} is no folder.", code="store-root", remedy=remedy)
        return failed(error, path, writing=writing)

    def _path(self, key: str) -> str:
        """The file of a key. Raises StoreError for what is no key, or would leave the directory through a link."""
        if not _KEY.match(key) or ".." in key:
            raise StoreError(f"{key!r} is no key of a datastore.", code="store-key-invalid")
        self._check(key.rpartition("/")[0])
        return f"{self._root}/{key}"

    def _check(self, folder: str) -> None:
        if folder in self._safe:
            return
        expected = os.path.join(os.path.realpath(self._root), folder) if folder else os.path.realpath(self._root)
        if os.path.realpath(f"{self._root}/{folder}") != expected:
            raise StoreError(f"{self._root}/{folder} goes through a symbolic link; the store follows none.", code="store-link")
        self._safe.add(folder)

    def _write(self, buffers: Sequence[Buffer]) -> str:
        """A new temporary file that holds the buffers; its path."""
        path = f"{self._temporary}/{os.getpid()}-{next(self._serial)}-{os.urandom(6).hex()}"
        if not self._swept:
            self._swept = True
            sweep(self._temporary, time.time() - _ABANDONED)
        try:
            descriptor = os.open(path, _CREATE, 0o666)
        except FileNotFoundError:
            self._prepare()
            descriptor = os.open(path, _CREATE, 0o666)
        try:
            try:
                write_all(descriptor, buffers)
                if self._umask is not None:
                    os.fchmod(descriptor, 0o666 & ~self._umask)
                if self._fsync:
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except BaseException:
            unlink(path)
            raise
        return path

    def _into(self, path: str, action: Callable[[], None]) -> None:
        """Do `action`, which gives a file the name `path`, and make its folder first where that is missing."""
        folder = path.rpartition("/")[0]
        for left in reversed(range(_TRIES)):
            try:
                action()
                break
            except FileNotFoundError:
                if not left:
                    raise
                self._make(folder)
        if self._fsync:
            sync(folder)

    def _rename_if_absent(self, temporary: str, path: str) -> bool:
        """`put_if_absent` where there are no hard links. The system takes the lock from a process that dies."""
        import fcntl

        descriptor = os.open(f"{self._temporary}/.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.path.lexists(path):
                return False
            self._into(path, partial(os.rename, temporary, path))
            return True
        finally:
            os.close(descriptor)

    def _prepare(self) -> None:
        """Make the directory and what the store itself needs in it."""
        self._make(self._temporary)
        ignore = f"{self._root}/.gitignore"
        if not os.path.lexists(ignore):
            try:
                descriptor = os.open(ignore, _CREATE, 0o666)
            except FileExistsError:
                return
            try:
                os.write(descriptor, b"*\n")
            finally:
                os.close(descriptor)

    def _make(self, folder: str) -> None:
        try:
            os.mkdir(folder)
        except FileExistsError:
            return
        except FileNotFoundError:
            self._make(os.path.dirname(folder))
            self._make(folder)
            return
        if self._umask is not None:
            special = os.stat(folder).st_mode & 0o7000
            os.chmod(folder, special | (0o777 & ~self._umask))
        if self._fsync:
            sync(os.path.dirname(folder))

    def _scan(self, folder: str) -> Sequence[tuple[str, os.DirEntry[str]]]:
        """The entries of a folder (its key with a `/` at the end) sorted as keys sort; directories have a `/` at the end."""
        path = self._root
        if folder:
            path = self._path(folder[:-1])
            self._check(folder[:-1])
        found = []
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    if not entry.name.startswith("."):
                        if entry.is_dir(follow_symlinks=False):
                            found.append((f"{entry.name}/", entry))
                        elif entry.is_file(follow_symlinks=False):
                            found.append((entry.name, entry))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise self._failed(error, path, writing=False) from error
        found.sort(key=lambda one: one[0])
        return found

    def _walk(self, folder: str, prefix: str, after: str) -> Iterator[BlobStat]:
        for name, entry in self._scan(folder):
            key = folder + name
            if name.endswith("/"):
                if (key.startswith(prefix) or prefix.startswith(key)) and (key > after or after.startswith(key)):
                    yield from self._walk(key, prefix, after)
            elif key.startswith(prefix) and key > after:
                try:
                    found = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                yield BlobStat(key, found.st_size, found.st_mtime)
