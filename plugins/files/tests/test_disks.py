"""Clean errors for what goes wrong with disks, limits and rights."""

from __future__ import annotations

import errno
import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from headrace_files.errors import failed
from headrace_files.store import FileStore
from headrace_hookspecs import BlobRange, StoreError, StoreFullError, StoreReadOnlyError, StoreUnavailableError
from headrace_testkit.processes import in_processes

WRITES: list[Callable[[FileStore], object]] = [
    lambda store: store.put_many([("f/new", [b"1"])]),
    lambda store: store.put_if_absent("f/new", [b"1"]),
]


def limited(what: int, limit: int, work: Callable[[], None]) -> None:
    """Do `work` in a process with a resource limit."""

    def child() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(what, (limit, resource.getrlimit(what)[1]))
        work()

    in_processes([child])


@pytest.mark.parametrize("write", WRITES)
def test_a_file_that_does_not_fit_is_an_error_that_leaves_nothing(
    store: FileStore, root: Path, write: Callable[[FileStore], object], files: Callable[[Path], list[str]]
) -> None:
    store.put_many([("f/old", [b"old"])])

    def work() -> None:
        large = [b"x" * 100_000] * 3
        with pytest.raises(StoreFullError, match="big") as refused:
            store.put_many([("f/big", large)]) if write is WRITES[0] else store.put_if_absent("f/big", large)
        assert str(root) in refused.value.message
        write(store)

    limited(resource.RLIMIT_FSIZE, 150_000, work)
    assert files(root) == [".gitignore", "f/new", "f/old"]
    assert list((root / ".tmp").iterdir()) == []


def test_too_many_open_files_are_an_error_with_the_way_out(store: FileStore) -> None:
    store.put_many([("f/old", [b"old"])])

    def work() -> None:
        for call in (
            lambda: store.put_many([("f/x", [b""])]),
            lambda: list(store.get_many([BlobRange("f/old")])),
            lambda: list(store.list("")),
        ):
            with pytest.raises(StoreFullError, match="too many open files") as refused:
                call()
            assert "ulimit" in str(refused.value.remedy)

    limited(resource.RLIMIT_NOFILE, 0, work)


def test_a_store_that_may_only_be_read_is_read_and_refuses_writes(
    root: Path, unprivileged: Callable[..., None], files: Callable[[Path], list[str]]
) -> None:
    FileStore(str(root)).put_many([("f/old", [b"old"])])
    folders = [root, root / "f", root / ".tmp"]
    for folder in folders:
        folder.chmod(0o555)

    def work() -> None:
        store = FileStore(str(root))
        assert list(store.get_many([BlobRange("f/old")])) == [b"old"]
        assert [stat.key for stat in store.list("")] == ["f/old"]
        for write in [*WRITES, lambda store: store.delete_many(["f/old"])]:
            with pytest.raises(StoreReadOnlyError, match=str(root)) as refused:
                write(store)
            assert refused.value.remedy

    unprivileged(work)
    for folder in folders:
        folder.chmod(0o755)
    assert files(root) == [".gitignore", "f/old"]


def test_a_root_that_cannot_be_made_is_named(root: Path, unprivileged: Callable[..., None]) -> None:
    root.mkdir(parents=True)
    root.chmod(0o555)

    def work() -> None:
        for write in WRITES:
            with pytest.raises(StoreReadOnlyError, match="below"):
                write(FileStore(f"{root}/below"))

    unprivileged(work)


def test_a_blob_that_may_not_be_read_is_an_error_and_not_an_absent_one(root: Path, unprivileged: Callable[..., None]) -> None:
    FileStore(str(root)).put_many([("f/old", [b"old"])])
    (root / "f" / "old").chmod(0)

    def work() -> None:
        with pytest.raises(StoreError, match="f/old") as refused:
            list(FileStore(str(root)).get_many([BlobRange("f/old")]))
        assert refused.value.code == "store-unreadable"

    unprivileged(work)


def test_a_root_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file")
    for write in WRITES:
        with pytest.raises(StoreError, match="store is no folder") as refused:
            write(FileStore(f"{tmp_path}/store"))
        assert refused.value.code == "store-root"


def test_a_key_below_another_key_is_refused(store: FileStore) -> None:
    store.put_many([("a/b", [b"1"]), ("c", [b"1"])])
    for key in ("a", "c/d"):
        with pytest.raises(StoreError) as refused:
            store.put_many([(key, [b"2"])])
        assert refused.value.code == "store-key-conflict"
    with pytest.raises(StoreError) as refused:
        store.put_if_absent("c/d", [b"2"])
    assert refused.value.code == "store-key-conflict"
    assert list(store.get_many([BlobRange("a/b"), BlobRange("c")])) == [b"1", b"1"]


@pytest.mark.parametrize(
    ("number", "writing", "kind", "code"),
    [
        (errno.ENOSPC, True, StoreFullError, "store-full"),
        (errno.EDQUOT, True, StoreFullError, "store-full"),
        (errno.EROFS, True, StoreReadOnlyError, "store-read-only"),
        (errno.EACCES, True, StoreReadOnlyError, "store-read-only"),
        (errno.EACCES, False, StoreError, "store-unreadable"),
        (errno.ESTALE, True, StoreUnavailableError, "store-unavailable"),
        (errno.ETIMEDOUT, False, StoreUnavailableError, "store-unavailable"),
        (errno.EIO, False, StoreError, "store"),
        (errno.ENAMETOOLONG, True, StoreError, "store"),
    ],
    ids=lambda value: errno.errorcode.get(value, "") if isinstance(value, int) else "",
)
def test_every_error_of_the_system_has_its_class_and_names_the_path(number: int, writing: bool, kind: type, code: str) -> None:
    error = failed(OSError(number, os.strerror(number)), "/the/path", writing=writing)
    assert (type(error), error.code) == (kind, code)
    assert error.message.startswith("/the/path cannot be ")
