"""What only this store promises: where files are, that killed writers leave no trace, and clean errors for what goes wrong with disks."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headrace_files.errors import failed
from headrace_files.store import FileStore
from headrace_hookspecs import BlobRange, StoreError, StoreFullError, StoreReadOnlyError, StoreUnavailableError
from headrace_testkit.processes import in_processes, start_process

WRITES: list[Callable[[FileStore], object]] = [
    lambda store: store.put_many([("f/new", [b"1"])]),
    lambda store: store.put_if_absent("f/new", [b"1"]),
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "a place" / "store"


@pytest.fixture
def store(root: Path) -> FileStore:
    return FileStore(str(root))


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir())


# layout


def test_a_blob_is_the_file_of_its_key_and_git_leaves_the_folder_alone(store: FileStore, root: Path) -> None:
    store.put_many([("Flow/runs/1/run.json", [b"{}"])])
    store.put_if_absent("Flow/runs/1/commits/start/0", [b"c"])
    assert files(root) == [".gitignore", "Flow/runs/1/commits/start/0", "Flow/runs/1/run.json"]
    assert (root / ".gitignore").read_text() == "*\n"
    assert (root / "Flow/runs/1/run.json").read_bytes() == b"{}"
    assert store.location == str(root)


def test_reading_makes_nothing(store: FileStore, root: Path) -> None:
    assert list(store.get_many([BlobRange("a/b")])) == [None]
    assert list(store.stat_many(["a/b"])) == [None]
    assert list(store.list("")) == list(store.folders("")) == []
    store.delete_many(["a/b"])
    assert not root.parent.exists()


def test_a_gitignore_of_the_users_own_stays(store: FileStore, root: Path) -> None:
    root.mkdir(parents=True)
    (root / ".gitignore").write_text("mine")
    store.put_many([("a", [b"1"])])
    assert (root / ".gitignore").read_text() == "mine"


def test_what_is_not_the_stores_is_not_listed(store: FileStore, root: Path) -> None:
    store.put_many([("f/a", [b"1"])])
    for name in (".DS_Store", "f/.nfs0001"):
        (root / name).write_text("x")
    (root / "f" / "link").symlink_to(root / "f" / "a")
    (root / "linked").symlink_to(root / "f")
    assert [stat.key for stat in store.list("")] == ["f/a"]
    assert list(store.folders("")) == ["f"]


# trust


def test_nothing_outside_is_reached_through_a_link(store: FileStore, root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("s")
    store.put_many([("f/a", [b"1"])])
    (root / "out").symlink_to(outside)
    (root / "f" / "file").symlink_to(outside / "secret")
    calls: list[Callable[[], object]] = [
        lambda: list(store.get_many([BlobRange("out/secret")])),
        lambda: list(store.stat_many(["out/secret"])),
        lambda: store.put_many([("out/new", [b"1"])]),
        lambda: store.put_if_absent("out/deep/new", [b"1"]),
        lambda: store.delete_many(["out/secret"]),
        lambda: list(store.list("out/")),
        lambda: list(store.folders("out/")),
        lambda: list(store.get_many([BlobRange("f/file")])),
    ]
    for call in calls:
        with pytest.raises(StoreError) as refused:
            call()
        assert refused.value.code == "store-link"
    store.put_many([("f/file", [b"mine"])])
    assert [path.name for path in outside.iterdir()] == ["secret"]
    assert (outside / "secret").read_text() == "s"


def test_the_root_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    FileStore(f"{tmp_path}/link").put_many([("a/b", [b"1"])])
    assert (tmp_path / "real" / "a" / "b").read_bytes() == b"1"


# writers that die, and races


def test_killed_writers_leave_whole_blobs_only(store: FileStore, root: Path) -> None:
    def write() -> None:
        number = 0
        while True:
            number += 1
            store.put_many([("shared", [b"%d" % (number % 10)] * 200_000)])
            store.put_if_absent(f"own/{os.getpid()}-{number}", [b"%d" % (number % 10)] * 200_000)

    for _ in range(8):
        child = start_process(write)
        while not list(store.list(f"own/{child}-", limit=1)):
            assert os.waitpid(child, os.WNOHANG) == (0, 0), "the child ended by itself"
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    keys = [stat.key for stat in store.list("")]
    for key, data in zip(keys, store.get_many(map(BlobRange, keys)), strict=True):
        assert data is not None
        assert data == data[:1] * 200_000, key
    assert all(key == "shared" or key.startswith("own/") for key in keys)


def test_what_killed_writers_left_is_swept_when_it_is_old(store: FileStore, root: Path) -> None:
    store.put_many([("a", [b"1"])])
    old, fresh, lock = (root / ".tmp" / name for name in ("1-0-ab", "2-0-cd", ".lock"))
    for path in (old, fresh, lock):
        path.write_text("half")
    for path in (old, lock):
        os.utime(path, (time.time() - 90_000,) * 2)
    FileStore(str(root)).put_many([("b", [b"1"])])
    assert sorted(path.name for path in (root / ".tmp").iterdir()) == [".lock", "2-0-cd"]


def test_folders_may_vanish_while_others_write_into_them(store: FileStore, root: Path) -> None:
    def work(me: int) -> None:
        for number in range(300):
            key = f"f/g/{me}-{number}"
            store.put_many([(key, [b"1"])])
            store.delete_many([key])
            assert store.put_if_absent(key, [b"2"])
            store.delete_many([key])

    in_processes([lambda me=me: work(me) for me in range(3)])  # type: ignore[misc]
    assert files(root) == [".gitignore"]
    assert list((root / ".tmp").iterdir()) == []


def test_a_link_whose_answer_was_lost_counts(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.link

    def link(source: str, target: str) -> None:
        real(source, target)
        raise FileExistsError(errno.EEXIST, "File exists")

    store.put_many([("a/x", [b""])])
    monkeypatch.setattr(os, "link", link)
    assert store.put_if_absent("a/b", [b"1"]) is True


def test_without_links_a_dead_process_holds_no_lock(store: FileStore, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(source: str, target: str) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(os, "link", no_links)
    assert store.put_if_absent("a/b", [b"1"]) is True
    ready, told = os.pipe()

    def hold() -> None:
        descriptor = os.open(root / ".tmp" / ".lock", os.O_RDWR)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.write(told, b"x")
        signal.pause()

    child = start_process(hold)
    os.read(ready, 1)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(ready)
    os.close(told)
    assert store.put_if_absent("a/b", [b"2"]) is False
    assert store.put_if_absent("a/c", [b"2"]) is True


# disks


def limited(what: int, limit: int, work: Callable[[], None]) -> None:
    """Do `work` in a process with a resource limit."""

    def child() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(what, (limit, resource.getrlimit(what)[1]))
        work()

    in_processes([child])


@pytest.mark.parametrize("write", WRITES)
def test_a_file_that_does_not_fit_is_an_error_that_leaves_nothing(
    store: FileStore, root: Path, write: Callable[[FileStore], object]
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


def as_ordinary_user(work: Callable[[], None]) -> None:
    """Do `work` in a process without root's rights."""

    def child() -> None:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
        work()

    in_processes([child])


@pytest.fixture
def readable(tmp_path: Path) -> Path:
    """An open folder for a store, as folders of pytest are for their owner only."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.geteuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    return tmp_path / "store"


def test_a_store_that_may_only_be_read_is_read_and_refuses_writes(readable: Path) -> None:
    FileStore(str(readable)).put_many([("f/old", [b"old"])])
    folders = [readable, readable / "f", readable / ".tmp"]
    for folder in folders:
        folder.chmod(0o555)

    def work() -> None:
        store = FileStore(str(readable))
        assert list(store.get_many([BlobRange("f/old")])) == [b"old"]
        assert [stat.key for stat in store.list("")] == ["f/old"]
        for write in [*WRITES, lambda store: store.delete_many(["f/old"])]:
            with pytest.raises(StoreReadOnlyError, match=str(readable)) as refused:
                write(store)
            assert refused.value.remedy

    as_ordinary_user(work)
    for folder in folders:
        folder.chmod(0o755)
    assert files(readable) == [".gitignore", "f/old"]


def test_a_root_that_cannot_be_made_is_named(readable: Path) -> None:
    readable.mkdir()
    readable.chmod(0o555)

    def work() -> None:
        for write in WRITES:
            with pytest.raises(StoreReadOnlyError, match="below"):
                write(FileStore(f"{readable}/below"))

    as_ordinary_user(work)


def test_a_blob_that_may_not_be_read_is_an_error_and_not_an_absent_one(readable: Path) -> None:
    FileStore(str(readable)).put_many([("f/old", [b"old"])])
    (readable / "f" / "old").chmod(0)

    def work() -> None:
        with pytest.raises(StoreError, match="f/old") as refused:
            list(FileStore(str(readable)).get_many([BlobRange("f/old")]))
        assert refused.value.code == "store-unreadable"

    as_ordinary_user(work)


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


# configuration


def test_fsync_makes_the_file_durable_before_its_name_and_then_the_folder(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[str] = []
    real_sync, real_rename = os.fsync, os.rename

    def fsync(descriptor: int) -> None:
        happened.append(os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}")))
        real_sync(descriptor)

    def rename(source: str, target: str) -> None:
        real_rename(source, target)
        happened.append("renamed")

    durable = FileStore(str(root), fsync=True)
    durable.put_many([("f/first", [b"1"])])
    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "rename", rename)
    durable.put_many([("f/a", [b"1"])])
    temporary, *rest = happened
    assert temporary.startswith(f"{os.getpid()}-")
    assert rest == ["renamed", "f"]
    happened.clear()
    FileStore(str(root)).put_many([("f/a", [b"1"])])
    assert happened == ["renamed"]


def test_a_umask_of_its_own_decides_who_may_read(root: Path) -> None:
    before = os.umask(0o077)
    try:
        FileStore(str(root), umask=0o007).put_many([("f/shared", [b"1"])])
        FileStore(str(root)).put_many([("g/private", [b"1"])])
    finally:
        os.umask(before)
    modes = {name: oct((root / name).stat().st_mode & 0o777) for name in ("f", "f/shared", "g", "g/private")}
    assert modes == {"f": "0o770", "f/shared": "0o660", "g": "0o700", "g/private": "0o600"}


USE = """
import json, sys
sys.path[:0] = json.loads(sys.argv[2])
import attrs
from headrace_hookspecs.datastore import BlobRange
from headrace_hookspecs.providers import ProviderContext
before = set(sys.modules)
from headrace_files import plugin
store = plugin.create(plugin.config_class()(root="s"), ProviderContext(sys.argv[1], "", {}, print))
store.put_many([("a/b", [b"1"])]); store.put_if_absent("a/c", [b"1"]); list(store.get_many([BlobRange("a/b")])); list(store.list(""))
new = {name: getattr(sys.modules[name], "__file__", None) or "" for name in set(sys.modules) - before}
print(*sorted(name for name, file in new.items() if file.endswith(".py") and not name.startswith("headrace_")))
"""


def test_nothing_heavy_is_imported_to_write_and_read(tmp_path: Path) -> None:
    command = [sys.executable, "-S", "-c", USE, str(tmp_path), json.dumps(sys.path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout.split(), done.stderr) == ([], "")
    assert files(tmp_path / "s") == [".gitignore", "a/b", "a/c"]


def test_many_small_writes_are_quick_enough_to_not_matter(store: FileStore) -> None:
    """Not a time: the number of system calls a blob, by what the store asks of the os module."""
    counted: dict[str, int] = {}
    names = ("open", "close", "writev", "rename", "link", "unlink", "mkdir", "stat", "lstat", "fsync", "scandir")
    store.put_many([("f/warm", [b""])])
    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            patch.setattr(os, name, counting(counted, name, getattr(os, name)))
        store.put_many([("f/a", [b"1", b"2"])])
        assert counted == {"open": 1, "writev": 1, "close": 1, "rename": 1}
        counted.clear()
        store.put_if_absent("f/b", [b"1"])
        assert counted == {"open": 1, "writev": 1, "close": 1, "link": 1, "unlink": 1, "lstat": 1}


def counting(counted: dict[str, int], name: str, real: Any) -> Any:
    def call(*arguments: Any, **keywords: Any) -> Any:
        counted[name] = counted.get(name, 0) + 1
        return real(*arguments, **keywords)

    return call
