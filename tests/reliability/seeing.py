"""A flow in a folder of its own, called as a user calls it, and what can be seen of it from outside afterwards."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from records import FLOW, records

from headrace.project import open_project
from headrace.store.artifacts import ArtifactReader
from headrace.store.facts import RunStore
from headrace.store.serializers import SerializerSet

SMALL = """
import os
from headrace import FlowSpec, step

class Small(FlowSpec):
    def note(self, what):
        if os.environ.get("STOP") == what.partition("/")[0]:
            raise SystemExit("stopped")
        with open(os.environ["SIDE"], "a") as side:
            side.write(what + "\\n")

    @step
    def start(self):
        self.note("start/0")
        self.items = [10, 20, 30]
        self.next(self.work, foreach="items")

    @step
    def work(self):
        self.note(f"work/{self.index}")
        print("working on", self.input)
        self.square = self.input ** 2
        self.pad = bytes([self.index]) * 40_000
        self.next(self.join)

    @step
    def join(self, inputs):
        self.note("join/0")
        self.squares = [each.square for each in inputs]
        self.pads = sum(len(each.pad) for each in inputs)
        self.next(self.end)

    @step
    def end(self):
        self.note("end/0")
        self.total = sum(self.squares) + self.pads

if __name__ == "__main__":
    Small()
"""
"""A foreach of 3 whose artifacts are too large for the record. Each task adds a line to the file SIDE; the step STOP fails."""

STEPS = ("start", "work", "join", "end")

CODE = re.compile(r"^error\[([a-z0-9-]+)\]: ", re.MULTILINE)
OURS = re.compile(r'File ".*[/.](?:headrace|headrace_\w+)/.*"')


class Told(NamedTuple):
    """What a call of `flow` left: exit status, what it printed, and the run that it announced."""

    status: int
    output: str
    errors: str
    run: str | None

    @property
    def code(self) -> str | None:
        """The code of the one error; None if there was none. A traceback of ours, or a second error, fails the test."""
        text = self.output + self.errors
        assert OURS.findall(text) == [], text
        codes = CODE.findall(self.errors)
        assert len(codes) == (self.status != 0), text
        assert "internal" not in codes, text
        return codes[0] if codes else None


class Place:
    """A folder with the flow `name` in `flow.py`, its store in `.headrace` and a file in which tasks note that they run."""

    def __init__(self, folder: Path, name: str = "Small", text: str = SMALL) -> None:
        self.folder = folder
        self.name = name
        self.side = folder / "side"
        self.serializers: SerializerSet
        folder.mkdir(exist_ok=True)
        (folder / "flow.py").write_text(text)
        self.side.touch()

    @property
    def store(self) -> Path:
        """The root of the datastore."""
        return self.folder / ".headrace"

    def start(self, verb: str, *options: str, before: Sequence[str] = (), **environ: str) -> subprocess.Popen[str]:
        """Start `flow VERB flow.py …`, behind the words of another program."""
        (self.folder / "run-id").unlink(missing_ok=True)
        words = [*before, sys.executable, str(FLOW), verb, "flow.py", "--run-id-file", "run-id", *options]
        return self.call(words, **environ)

    def call(self, words: Sequence[str], **environ: str) -> subprocess.Popen[str]:
        """Start any program here."""
        return subprocess.Popen(
            words,
            cwd=self.folder,
            env={**os.environ, "SIDE": str(self.side), "HEADRACE_USER": "tester", **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="backslashreplace",
        )

    def end(self, process: subprocess.Popen[str], within: float = 60) -> Told:
        """Wait for a call; one that hangs is killed with everything below it and fails the test."""
        try:
            output, errors = process.communicate(timeout=within)
        except subprocess.TimeoutExpired:
            for pid in [process.pid, *children(process.pid)]:
                os.kill(pid, 9)
            output, errors = process.communicate()
            raise AssertionError(f"it hangs\n{output}\n{errors}") from None
        file = self.folder / "run-id"
        return Told(process.returncode, output, errors, file.read_text() if file.exists() else None)

    def run(self, *options: str, **environ: str) -> Told:
        """`flow run flow.py …`"""
        return self.end(self.start("run", *options, **environ))

    def resume(self, origin: str | None, *options: str, **environ: str) -> Told:
        """`flow resume flow.py --origin …`; a run from the start where none had begun."""
        if origin is None:
            return self.run(*options, **environ)
        return self.end(self.start("resume", "--origin", origin, *options, **environ))

    def flow(self, *words: str) -> Told:
        """Any other command."""
        return self.end(self.call([sys.executable, str(FLOW), *words]))

    def left(self, within: float = 10.0) -> list[str]:
        """The processes that calls from here have left behind, as their command lines, once they had time to end."""
        mark = f"SIDE={self.side}".encode()
        end = time.monotonic() + within
        while True:
            found = [command for environ, command in _processes() if mark in environ.split(b"\0")]
            if not found or time.monotonic() > end:
                return found
            time.sleep(0.02)

    def ran(self) -> list[str]:
        """What ran since the last call, as `step/task`."""
        found = self.side.read_text().split()
        self.side.write_text("")
        return found

    def committed(self, run: str | None) -> set[str]:
        """The tasks of a run that have committed, as `step/task`."""
        if run is None:
            return set()
        with self.open(run) as store:
            return {f"{step}/{task}" for step, task in store.list_commits()}

    def artifact(self, run: str | None, step: str, name: str, task: str = "0") -> object:
        """An artifact's value."""
        with self.open(run) as store:
            record = store.read_commit(step, task)
            assert record is not None, f"{step}/{task} has not committed"
            return ArtifactReader(record, store.blobs, self.serializers).load(name)

    @contextmanager
    def open(self, run: str | None) -> Iterator[RunStore]:
        """The run in the datastore, read in this process."""
        assert run is not None, "no run was announced"
        project = open_project(str(self.folder), flow=self.name)
        try:
            self.serializers = project.serializers
            yield project.run_store(self.name, run)
        finally:
            project.close()

    def results(self, run: str) -> dict[Any, Any]:
        """What all tasks of a run have kept: outcome and artifacts, byte for byte, by step and task."""
        kept = records(self.folder, self.name, run)["commits"]
        return {key: (commit["outcome"], commit["artifacts"]) for key, commit in kept.items()}


def _processes() -> Iterator[tuple[bytes, str]]:
    """Environment and command line of every process that still runs and may be looked at."""
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid():
            try:
                # of a zombie both are empty
                environ, command = (Path(f"/proc/{entry}/{name}").read_bytes() for name in ("environ", "cmdline"))
            except OSError:
                continue
            yield environ, command.replace(b"\0", b" ").decode(errors="backslashreplace")


def children(pid: int) -> list[int]:
    """All processes below `pid`, by /proc."""
    parents: dict[int, int] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                text = Path(f"/proc/{entry}/stat").read_text()
            except OSError:
                continue
            parents[int(entry)] = int(text.rpartition(")")[2].split()[1])
    found, stack = [], [pid]
    while stack:
        parent = stack.pop()
        below = [child for child, of in parents.items() if of == parent]
        found += below
        stack += below
    return found


def gone(pids: list[int], within: float = 10.0) -> list[int]:
    """Those of `pids` that are still alive when the time is over; polls, as their end cannot be waited for by others."""
    end = time.monotonic() + within
    while True:
        alive = []
        for pid in pids:
            try:
                state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if state not in "ZX":
                alive.append(pid)
        if not alive or time.monotonic() > end:
            return alive
        time.sleep(0.02)


def until(condition: Callable[[], object], within: float = 30.0) -> None:
    """Poll for what another process does; fails the test if it never does."""
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.002)
