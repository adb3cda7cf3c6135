"""Fail the n-th system call: whichever write or read of the store goes wrong, a run ends cleanly, and resumed it ends as if nothing had been.

strace counts calls per thread, and the first that fails ends the run; so runs are also resumed from each step on, with that step's calls first.
"""

from __future__ import annotations

import random
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from seeing import STEPS, Place, Told

pytestmark = pytest.mark.needs("strace")

STAGES = ("fresh", *STEPS[1:])
"""A run from the start, and resumed ones of which everything before that step is done."""

CALLS = {
    # what only the stores call: any of them, wherever it goes
    "link": None,
    "rename": None,
    "mkdir": None,
    "writev": None,
    "pwrite64": None,
    "ftruncate": None,
    "fsync": None,
    "fdatasync": None,
    "unlink": None,
    # what everybody calls: on one file of theirs
    "openat metadata": ".headrace/metadata.sqlite",
    "openat wal": ".headrace/metadata.sqlite-wal",
    "openat tmp": ".headrace/.tmp",
    "write gitignore": ".headrace/.gitignore",
    "pread64 metadata": ".headrace/metadata.sqlite",
    "openat run": ".headrace/Small/runs/ORIGIN/run.json",
    "pread64 run": ".headrace/Small/runs/ORIGIN/run.json",
    "openat commits": ".headrace/Small/runs/ORIGIN/commits",
    "getdents64 commits": ".headrace/Small/runs/ORIGIN/commits/start",
    "openat commit": ".headrace/Small/runs/ORIGIN/commits/start/0",
    "pread64 commit": ".headrace/Small/runs/ORIGIN/commits/start/0",
    "pread64 work": ".headrace/Small/runs/ORIGIN/commits/work/1",
}
"""System call, after a blank a name for the file, and the file that it is restricted to; ORIGIN is the run that is resumed."""

ERRORS = ("ENOSPC", "EIO", "EROFS", "ESTALE")


class Case(NamedTuple):
    """From the n-th call on (`lasting`), or only the n-th, fails with an error."""

    stage: str
    call: str
    n: int
    error: str
    lasting: bool


class Prepared:
    """For each stage a folder in which the run has got that far, and how often one thread makes each call on the way from there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._places: dict[str, tuple[Place, str | None]] = {}
        undisturbed = Place(folder / "undisturbed")
        done = undisturbed.run()
        assert (done.status, done.run is not None) == (0, True), done
        self.results = undisturbed.results(done.run or "")
        self._counted: dict[str, dict[str, int]] = {}

    def place(self, stage: str, where: Path) -> tuple[Place, str | None]:
        """A copy of the stage's folder, and the run to resume in it."""
        if stage not in self._places:
            made = Place(self._folder / stage)
            origin = None
            if stage != "fresh":
                stopped = made.run(STOP=stage)
                assert (stopped.status, stopped.code) == (1, "run-failed-exit"), stopped
                origin = stopped.run
            self._places[stage] = (made, origin)
        made, origin = self._places[stage]
        shutil.rmtree(where, ignore_errors=True)
        shutil.copytree(made.folder, where)
        return Place(where), origin

    def most(self, stage: str, call: str) -> int:
        """The most calls that one thread makes."""
        if stage not in self._counted:
            place, origin = self.place(stage, self._folder / "counted")
            log = place.folder / "log"
            done = traced(place, origin, ["-y", "-e", f"trace={','.join({name.split()[0] for name in CALLS})}"], log)
            assert done.status == 0, done
            lines = log.read_text().splitlines()
            self._counted[stage] = {name: self._count(name, file_of(name, place, origin), lines) for name in CALLS}
        return self._counted[stage][call]

    @staticmethod
    def _count(name: str, file: str | None, lines: list[str]) -> int:
        named = re.compile(rf"[\"<]{re.escape(file)}[\">]" if file else "")
        counts = Counter(line.split()[0] for line in lines if f" {name.split()[0]}(" in line and named.search(line))
        return max(counts.values(), default=0)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return Prepared(tmp_path_factory.mktemp("prepared"))


def file_of(call: str, place: Place, origin: str | None) -> str | None:
    """The file that the call is restricted to."""
    path = CALLS[call]
    return None if path is None else str(place.folder / path.replace("ORIGIN", origin or "none"))


def traced(place: Place, origin: str | None, options: list[str], log: Path) -> Told:
    """Run or resume below strace."""
    verb, more = ("run", []) if origin is None else ("resume", ["--origin", origin])
    words = ["strace", "-f", "-q", "-o", str(log), *options]
    told = place.end(place.start(verb, *more, "--max-workers", "2", "-o", "datastore.files.fsync=true", before=words))
    assert place.left() == []
    return told


def disturbed(place: Place, origin: str | None, case: Case, log: Path) -> Told:
    """Run or resume with the fault."""
    name, file = case.call.split()[0], file_of(case.call, place, origin)
    fault = f"inject={name}:error={case.error}:when={case.n}{'+' if case.lasting else ''}"
    return traced(place, origin, ["-e", f"trace={name}", "-e", fault, *(["-P", file] if file else [])], log)


def check(case: Case, prepared: Prepared, where: Path) -> bool:
    """Whether a fault was made at all; the rest is asserted."""
    place, origin = prepared.place(case.stage, where)
    log = place.folder / "log"
    told = disturbed(place, origin, case, log)
    code = told.code
    if code is None:
        assert place.results(told.run or "") == prepared.results
    else:
        assert str(place.store) in told.errors, told
        # what SQLite cannot read of its file it may take for damage
        damage = ("data-corrupt",) if case.call == "pread64 metadata" else ()
        assert code in ("store", "store-full", "store-read-only", "store-unreadable", "store-unavailable", "run-failed-store", *damage), (
            told
        )
        # a run that nobody was told of is begun again
        known = told.run or origin
        before = place.committed(known)
        place.ran()
        resumed = place.resume(known)
        assert (resumed.status, resumed.code) == (0, None), resumed
        assert place.results(resumed.run or "") == prepared.results
        assert not before & set(place.ran()), "what had committed was executed again"
    listed = place.flow("list", place.name)
    newest = listed.output.splitlines()[1].split()
    # whoever could not let go of its lease counts as running until that expires
    assert (listed.status, newest[1] in (("succeeded", "running") if code is None else ("succeeded",))) == (0, True), listed
    return "(INJECTED)" in log.read_text()


def cases(prepared: Prepared, stage: str, call: str) -> Iterator[Case]:
    """Every n of a stage and call, once and lasting, with one error after the other."""
    for n in range(1, prepared.most(stage, call) + 1):
        for lasting in (False, True):
            yield Case(stage, call, n, ERRORS[(n + lasting) % len(ERRORS)], lasting)


def test_a_store_call_that_fails_is_one_clean_error_and_the_run_can_be_resumed(prepared: Prepared, seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    stage = STAGES[seed % len(STAGES)]
    wanted = [call for call in CALLS if prepared.most(stage, call)]
    call = rng.choice(wanted)
    case = Case(stage, call, rng.randint(1, prepared.most(stage, call)), rng.choice(ERRORS), rng.random() < 0.5)
    tries = 0
    while not check(case, prepared, tmp_path / f"place{tries}"):
        # how often the index is written depends on what comes together; the first call always comes
        assert case.n > 1, f"no fault was made: {case}"
        case, tries = case._replace(n=case.n // 2), tries + 1


@pytest.mark.long
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("stage", STAGES)
def test_every_store_call_may_fail(prepared: Prepared, stage: str, call: str, tmp_path: Path) -> None:
    failed, made = [], 0
    for case in cases(prepared, stage, call):
        try:
            made += check(case, prepared, tmp_path / "place")
        except AssertionError as error:
            failed.append((case, str(error)))
    assert failed == []
    # the last few may not come: how often the index is written depends on what comes together
    assert made > 0 or not prepared.most(stage, call)


def test_the_calls_that_are_made_to_fail_are_made(prepared: Prepared) -> None:
    """Otherwise the tests above would be about nothing: each stage writes records, files and the index."""
    for stage in STAGES:
        made = {call for call in CALLS if prepared.most(stage, call)}
        assert made >= {"link", "mkdir", "writev", "pwrite64", "fsync", "unlink", "openat metadata", "pread64 metadata"}
        assert stage == "fresh" or made >= {"openat run", "pread64 run", "openat commits", "pread64 commit"}
