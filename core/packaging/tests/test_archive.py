from __future__ import annotations

import io
import os
import random
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace_hookspecs.errors import CorruptDataError, StoreError, UsageError
from headrace_packaging import PackagedFile, archive, collect, unpack

NAMES = st.text("abcxyzé._-7 ", min_size=1, max_size=60).filter(lambda text: text[0] not in ". " and text.strip("._- "))
TREES = st.dictionaries(
    st.lists(NAMES, min_size=1, max_size=4).map("/".join),
    st.tuples(st.binary(max_size=200), st.booleans()),
    max_size=8,
).map(lambda tree: {path: value for path, value in tree.items() if not any(f"{path}/" in f"{other}/" for other in tree if other != path)})


def make(root: Path, tree: dict[str, tuple[bytes, bool]], seed: int) -> list[PackagedFile]:
    """The tree on disk, its files created in an order and with times that `seed` draws."""
    order = list(tree)
    random.Random(seed).shuffle(order)
    for name in order:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(tree[name][0])
        path.chmod(0o755 if tree[name][1] else 0o640)
        os.utime(path, (seed, seed))
    return collect(root, root / "flow.py", ("*",))


@given(tree=TREES, seed=st.integers(1, 10**9))
def test_the_same_tree_made_in_another_order_gives_the_same_bytes(tree: dict[str, tuple[bytes, bool]], seed: int) -> None:
    tree = {**tree, "flow.py": (b"pass\n", False)}
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        assert archive(make(Path(one), tree, 0)) == archive(list(reversed(make(Path(two), tree, seed))))


@given(tree=TREES)
def test_what_was_packed_comes_out(tree: dict[str, tuple[bytes, bool]]) -> None:
    tree = {**tree, "flow.py": (b"pass\n", True)}
    with tempfile.TemporaryDirectory() as here, tempfile.TemporaryDirectory() as there:
        files = make(Path(here), tree, 1)
        out = Path(there, "new", "folder")

        assert unpack(archive(files), out) == sorted(tree)
        assert {str(path.relative_to(out)): (path.read_bytes(), os.access(path, os.X_OK)) for path in out.rglob("*") if path.is_file()} == {
            name: (content, bool((out / name).stat().st_mode & 0o100)) for name, (content, _) in tree.items()
        }
        assert {name: bool((out / name).stat().st_mode & 0o111) for name in tree} == {name: mode for name, (_, mode) in tree.items()}


def test_the_archive_holds_no_time_and_no_owner(tmp_path: Path) -> None:
    data = archive(make(tmp_path, {"flow.py": (b"", False), "run": (b"", True)}, 12345))

    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        members = [(m.name, m.mtime, m.uid, m.gid, m.uname, m.gname, oct(m.mode)) for m in tar]
    assert members == [("flow.py", 0, 0, 0, "", "", "0o644"), ("run", 0, 0, 0, "", "", "0o755")]
    assert data[:10] == b"\x1f\x8b\x08\0\0\0\0\0\0\xff"


@pytest.mark.parametrize("change", [lambda path: path.write_text("other"), lambda path: path.unlink()])
def test_a_file_that_changed_since_it_was_collected_is_an_error(tmp_path: Path, change: Callable[[Path], object]) -> None:
    files = make(tmp_path, {"flow.py": (b"one", False)}, 1)
    change(tmp_path / "flow.py")

    with pytest.raises(UsageError) as caught:
        archive(files)
    assert caught.value.code == "package-changed"
    assert str(tmp_path / "flow.py") in caught.value.message


def packed(*members: tarfile.TarInfo) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for member in members:
            member.size = 1 if member.isreg() else 0
            tar.addfile(member, io.BytesIO(b"x"))
    return out.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize(
    "bad",
    [
        [member("/etc/x")],
        [member("../x")],
        [member("a/../../x")],
        [member("a//b")],
        [member("./x")],
        [member("a\\b")],
        [member("C:x")],
        [member("link", tarfile.SYMTYPE, "/etc")],
        [member("hard", tarfile.LNKTYPE, "good")],
        [member("pipe", tarfile.FIFOTYPE)],
        [member("device", tarfile.CHRTYPE)],
        [member("folder", tarfile.DIRTYPE)],
        [member("twice"), member("twice")],
        [member("a"), member("a/b")],
        [member("taken")],
        [member("way/x")],
    ],
    ids=lambda bad: bad[-1].name,
)
def test_an_unsafe_archive_is_refused_before_anything_is_written(tmp_path: Path, bad: list[tarfile.TarInfo]) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "taken").write_text("mine")
    (folder / "way").symlink_to(tmp_path)

    with pytest.raises(CorruptDataError) as caught:
        unpack(packed(member("good"), *bad), folder)

    assert caught.value.code == "package-unsafe"
    assert sorted(path.name for path in folder.iterdir()) == ["taken", "way"]
    assert (folder / "taken").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder"]


@given(data=st.binary(max_size=300), cut=st.integers(0, 200))
def test_bytes_that_are_no_archive_are_said_to_be_none(data: bytes, cut: int) -> None:
    whole = packed(member("good"))
    with tempfile.TemporaryDirectory() as folder:
        for broken in (data, whole[: min(cut, len(whole) - 9)]):
            with pytest.raises(CorruptDataError) as caught:
                unpack(broken, Path(folder, "out"))
            assert caught.value.code == "package-corrupt"
        assert os.listdir(folder) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError) as caught:
        unpack(packed(member("good")), tmp_path / "file")
    assert caught.value.code == "package-unwritable"
    assert str(tmp_path / "file") in caught.value.message
