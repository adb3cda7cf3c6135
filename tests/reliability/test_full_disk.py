"""A disk that is full, files that may not grow, descriptors that run out: one clean error that names the path, and the run can be resumed."""

from __future__ import annotations

import itertools
import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from seeing import Place, Told

STORE = ("store-full", "run-failed-store")
"""What a run without room ends with: refused by the scheduler, or by a task."""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[Any, Any]:
    """What all tasks keep where there is room."""
    place = Place(tmp_path_factory.mktemp("undisturbed") / "place")
    done = place.run()
    assert (done.status, done.code) == (0, None)
    return place.results(done.run or "")


@contextmanager
def disk(place: Place, **room: str) -> Iterator[None]:
    """Have the store on a file system of its own, in memory, with so much room."""
    place.store.mkdir(exist_ok=True)
    options = ",".join(f"{name}={value}" for name, value in room.items())
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "headrace-test", str(place.store)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(place.store)], check=True)


def enlarge(place: Place) -> None:
    """Make room."""
    subprocess.run(["mount", "-o", "remount,size=64m,nr_inodes=10k", str(place.store)], check=True)


def ends_cleanly(place: Place, told: Told) -> bool:
    """Whether there was not enough room; then one error has to say so, naming the path."""
    assert place.left() == []
    if told.code is None:
        return False
    assert told.code in STORE, told
    assert f"{place.store}/" in told.errors, told
    assert "full" in told.errors or "too many open files" in told.errors or "takes no file of this size" in told.errors, told
    return True


def goes_on(place: Place, told: Told, undisturbed: dict[Any, Any]) -> None:
    """Now that there is room again, the run does."""
    before = place.committed(told.run)
    place.ran()
    resumed = place.resume(told.run)
    assert (resumed.status, resumed.code) == (0, None), resumed
    assert place.results(resumed.run or "") == undisturbed
    assert not before & set(place.ran()), "what had committed was executed again"
    assert place.flow("list", place.name).code is None


def tried(room: str, value: int, folder: Path, undisturbed: dict[Any, Any]) -> bool:
    """Whether so little room was too little."""
    place = Place(folder)
    enough = {"size": "64m", "nr_inodes": "10k"}
    with disk(place, **{**enough, room: str(value)}):
        told = place.run("--max-workers", "2")
        full = ends_cleanly(place, told)
        if full:
            enlarge(place)
            goes_on(place, told, undisturbed)
        else:
            # logs and index may have had no room; no artifact is missing
            assert place.results(told.run or "") == undisturbed
    return full


SIZES = {"nr_inodes": 1, "size": 4096}
"""What there can be too little of, and its smallest unit: files and folders, or bytes."""


@pytest.mark.needs("mount")
@pytest.mark.parametrize("room", SIZES)
def test_a_full_disk_is_one_clean_error_and_the_run_goes_on_when_there_is_room(
    room: str, seed: int, undisturbed: dict[Any, Any], tmp_path: Path
) -> None:
    units = random.Random(f"{room}/{seed}").randint(2, 36 if room == "nr_inodes" else 75)
    tried(room, units * SIZES[room], tmp_path / "place", undisturbed)


@pytest.mark.long
@pytest.mark.needs("mount")
@pytest.mark.parametrize("room", SIZES)
def test_whatever_is_the_last_thing_that_has_room(room: str, undisturbed: dict[Any, Any], tmp_path: Path) -> None:
    enough = 0
    for units in itertools.count(2):
        enough = 0 if tried(room, units * SIZES[room], tmp_path / f"place {units}", undisturbed) else enough + 1
        if enough > 3:
            break


@pytest.mark.needs("mount")
@pytest.mark.parametrize(("room", "least"), [("nr_inodes", 2), ("size", 4096)])
def test_without_any_room_nothing_begins(room: str, least: int, tmp_path: Path) -> None:
    place = Place(tmp_path / "place")
    with disk(place, **{"size": "64m", "nr_inodes": "10k", room: str(least)}):
        told = place.run()
        assert (told.status, told.code, told.run) == (1, "store-full", None)
        assert place.ran() == []
        enlarge(place)
        assert place.run().code is None


def limited(option: str, value: int) -> list[str]:
    """The words that start another program with a limit."""
    return ["sh", "-c", f'ulimit {option} {value} && exec "$@"', "limited"]


def test_a_file_that_may_not_grow_is_one_clean_error(undisturbed: dict[Any, Any], tmp_path: Path) -> None:
    place = Place(tmp_path / "place")

    # blocks of 512 bytes: the index and small records fit, a pack does not
    told = place.end(place.start("run", "-o", "metadata.sqlite.path=.index/metadata.sqlite", before=limited("-f", 75)))

    assert (told.status, told.code) == (1, "run-failed-store")
    assert "Step 'work' failed" in told.errors
    assert "takes no file of this size" in told.errors
    assert f"{place.store}/Small/blobs/sha256/" in told.errors
    assert place.committed(told.run) == {"start/0"}
    goes_on(place, told, undisturbed)


@pytest.mark.parametrize("most", range(5, 24))
def test_too_few_descriptors_are_one_clean_error(most: int, undisturbed: dict[Any, Any], tmp_path: Path) -> None:
    place = Place(tmp_path / "place")

    told = place.end(place.start("run", "--max-workers", "3", before=limited("-n", most)))

    assert place.left() == []
    if told.code is None:
        assert place.results(told.run or "") == undisturbed
    else:
        assert "ulimit -n" in told.errors, told
        goes_on(place, told, undisturbed)
