"""A store that may not be written, or not be read: said so, with the path; what is in it can be used as far as rights go, and nothing is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from seeing import Place, Told
from tiers import rights

OBEDIENT = [
    sys.executable,
    "-c",
    f"import os, sys; sys.path.insert(0, {os.path.dirname(os.path.dirname(__file__))!r}); "
    "from tiers.rights import obey_file_modes; obey_file_modes(); os.execv(sys.argv[1], sys.argv[1:])",
]
"""The words that start another program without root's power over files."""

pytestmark = pytest.mark.skipif(rights.absence() is not None, reason=str(rights.absence()))


@contextmanager
def modes(place: Place) -> Iterator[None]:
    """Take the right to write away from all that is in the store."""
    found = [(path, path.stat().st_mode) for path in [place.store, *place.store.rglob("*")]]
    for path, mode in found:
        path.chmod(mode & ~0o222)
    try:
        yield
    finally:
        for path, mode in found:
            path.chmod(mode)


@contextmanager
def mounted(place: Place) -> Iterator[None]:
    """Have the store on a file system that is read-only."""
    subprocess.run(["mount", "--bind", str(place.store), str(place.store)], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(place.store)], check=True)
        yield
    finally:
        subprocess.run(["umount", str(place.store)], check=True)


Lock = Callable[[Place], AbstractContextManager[None]]
LOCKS = [pytest.param(modes, id="modes"), pytest.param(mounted, id="mount", marks=pytest.mark.needs("mount"))]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A run that has got as far as `join`."""
    place = Place(tmp_path / "place")
    stopped = place.run(STOP="join")
    assert (stopped.status, stopped.code) == (1, "run-failed-exit")
    place.ran()
    return place


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[Any, Any]:
    """What all tasks keep."""
    place = Place(tmp_path_factory.mktemp("undisturbed") / "place")
    return place.results(place.run().run or "")


def run(place: Place, verb: str, *options: str) -> Told:
    """`flow run` or `flow resume`, obeying the modes of files."""
    told = place.end(place.start(verb, *options, before=OBEDIENT))
    assert place.left() == []
    return told


def look(place: Place, *words: str) -> Told:
    """Any other command, likewise."""
    from records import FLOW

    return place.end(place.call([*OBEDIENT, sys.executable, str(FLOW), *words]))


@pytest.mark.parametrize("lock", LOCKS)
@pytest.mark.parametrize("index", ["inside", "elsewhere"])
@pytest.mark.parametrize("verb", ["run", "resume"])
def test_a_store_that_may_only_be_read_is_refused_before_anything_runs(
    lock: Lock, index: str, verb: str, place: Place, undisturbed: dict[Any, Any]
) -> None:
    elsewhere = ["-o", "metadata.sqlite.path=elsewhere/metadata.sqlite"] if index == "elsewhere" else []
    with lock(place):
        told = run(place, verb, *elsewhere)
    assert (told.status, told.code, told.run) == (1, "store-read-only", None)
    assert f"{place.store}/" in told.errors
    assert place.ran() == []

    resumed = run(place, "resume")
    assert (resumed.status, resumed.code) == (0, None)
    assert place.results(resumed.run or "") == undisturbed
    assert place.ran() == ["join/0", "end/0"]


@pytest.mark.parametrize("lock", LOCKS)
def test_what_is_in_a_store_that_may_only_be_read_can_be_looked_at(lock: Lock, place: Place) -> None:
    commands = [
        ("list",),
        ("list", "Small"),
        ("list", "Small/latest"),
        ("logs", "Small/latest/work"),
        ("dump", "Small/latest/work/2", "--name", "square"),
    ]
    with lock(place):
        found = [look(place, *words) for words in commands]
    assert [(told.status, told.code) for told in found] == [(0, None)] * len(commands)
    assert "failed" in found[1].output
    assert found[3].output.splitlines() == [f"[work/{index}] working on {value}" for index, value in enumerate((10, 20, 30))]
    assert "= 900" in found[4].output


TURNS = """
from headrace import FlowSpec, step
import os

class Turns(FlowSpec):
    @step
    def start(self):
        self.kept = b"x" * 40_000
        self.next(self.middle)

    @step
    def middle(self):
        self.more = b"y" * 40_000
        if "MENDED" not in os.environ:
            os.chmod(".headrace/.tmp", 0o555)
        self.next(self.end)

    @step
    def end(self):
        self.both = self.kept[:1] + self.more[:1]
"""


def test_a_store_that_turns_read_only_while_a_task_runs_fails_that_task(tmp_path: Path) -> None:
    place = Place(tmp_path / "place", "Turns", TURNS)

    told = run(place, "run")

    (place.store / ".tmp").chmod(0o755)
    assert (told.status, told.code) == (1, "run-failed-store")
    assert "Step 'middle' failed in attempt 0" in told.errors
    assert f"{place.store}/Turns/blobs/sha256/" in told.errors
    assert "cannot be written: permission denied" in told.errors
    assert place.committed(told.run) == {"start/0"}
    resumed = place.resume(told.run, MENDED="yes")
    assert (resumed.status, resumed.code) == (0, None)
    assert place.artifact(resumed.run, "end", "both") == b"xy"


UNREADABLE = {
    ".headrace": [("list",), ("list", "Small"), ("logs", "Small/RUN/work/1"), ("dump", "Small/RUN/work/1"), ("resume", "flow.py")],
    ".headrace/metadata.sqlite": [("list",), ("list", "Small"), ("run", "flow.py"), ("resume", "flow.py")],
    ".headrace/Small/runs/RUN/run.json": [("logs", "Small/RUN/work"), ("resume", "flow.py")],
    ".headrace/Small/runs/RUN/commits/work": [("list", "Small/RUN"), ("resume", "flow.py")],
    ".headrace/Small/runs/RUN/commits/work/1": [("dump", "Small/RUN/work/1"), ("resume", "flow.py")],
    ".headrace/Small/runs/RUN/logs/work/1_0_000000": [("logs", "Small/RUN/work/1")],
}
"""What may not be read, and the commands that cannot do without it."""


@pytest.mark.parametrize(("path", "words"), [(path, words) for path, many in UNREADABLE.items() for words in many])
def test_what_may_not_be_read_is_named_and_never_taken_for_nothing(path: str, words: tuple[str, ...], place: Place) -> None:
    (run_folder,) = (place.store / "Small" / "runs").iterdir()
    target = place.folder / path.replace("RUN", run_folder.name)
    mode = target.stat().st_mode
    target.chmod(0)
    try:
        told = look(place, *(word.replace("RUN", run_folder.name) for word in words))
    finally:
        target.chmod(mode)
    assert (told.status, told.code) == (1, "store-unreadable"), told
    assert str(target) in told.errors
    assert place.ran() == []


def test_an_artifact_whose_bytes_may_not_be_read_is_named(place: Place) -> None:
    for blob in (place.store / "Small" / "blobs").rglob("*"):
        if blob.is_file():
            blob.chmod(0)
    told = look(place, "dump", "Small/latest/work/1", "--name", "pad", "--max-value-size", "100000")
    assert (told.status, told.code) == (1, "store-unreadable"), told
    assert f"{place.store}/Small/blobs/sha256/" in told.errors

    resumed = run(place, "resume")
    assert (resumed.status, resumed.code) == (1, "run-failed-store"), resumed
    assert "Step 'join' failed" in resumed.errors
    assert f"{place.store}/Small/blobs/sha256/" in resumed.errors
