"""Where files are, who may read them, what is out of reach, and what all that costs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headrace_files.store import FileStore
from headrace_hookspecs import BlobRange, StoreError

# layout


def test_a_blob_is_the_file_of_its_key_and_git_leaves_the_folder_alone(
    store: FileStore, root: Path, files: Callable[[Path], list[str]]
) -> None:
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


def test_nothing_heavy_is_imported_to_write_and_read(tmp_path: Path, files: Callable[[Path], list[str]]) -> None:
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
