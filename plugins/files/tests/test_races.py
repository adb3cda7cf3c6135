"""Killed writers leave no trace, and who races with others neither loses nor doubles anything."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from headrace_files.store import FileStore
from headrace_hookspecs import BlobRange
from headrace_testkit.processes import in_processes, start_process


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


def test_folders_may_vanish_while_others_write_into_them(store: FileStore, root: Path, files: Callable[[Path], list[str]]) -> None:
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
