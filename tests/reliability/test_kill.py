"""kill -9 at random moments, then resume: nothing that was committed runs again, and the end is that of an undisturbed run."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest
from records import FLOW, flow_run, run
from seeing import children, gone

from headrace.project import open_project
from headrace.store.artifacts import ArtifactReader

WIDE = """
import os
from headrace import FlowSpec, step

class Wide(FlowSpec):
    def note(self, what):
        with open(os.environ["SIDE"], "a") as side:
            side.write(what + "\\n")

    @step
    def start(self):
        self.note("start/0")
        self.items = list(range(12))
        self.next(self.work, foreach="items")

    @step
    def work(self):
        self.note(f"work/{self.index}")
        self.y = self.input ** 2
        self.pad = bytes([self.index]) * 40_000
        self.next(self.more)

    @step
    def more(self):
        self.note(f"more/{self.index}")
        self.z = self.y + len(self.pad)
        self.next(self.join)

    @step
    def join(self, inputs):
        self.note("join/0")
        self.values = [(i.y, i.z) for i in inputs]
        self.next(self.end)

    @step
    def end(self):
        self.note("end/0")

if __name__ == "__main__":
    Wide()
"""
EXPECTED = [(n**2, n**2 + 40_000) for n in range(12)]


def committed(folder: Path, run_id: str) -> set[str]:
    project = open_project(str(folder), flow="Wide")
    try:
        return {f"{step}/{task}" for step, task in project.run_store("Wide", run_id).list_commits()}
    finally:
        project.close()


def artifact(folder: Path, run_id: str, step: str, name: str) -> object:
    project = open_project(str(folder), flow="Wide")
    try:
        store = project.run_store("Wide", run_id)
        record = store.read_commit(step, "0")
        assert record is not None
        return ArtifactReader(record, store.blobs, project.serializers).load(name)
    finally:
        project.close()


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc to find the processes")
@pytest.mark.parametrize("victim", ["scheduler", "zygote", "task", "everything"])
def test_kill_and_resume_until_done(victim: str, seed: int, tmp_path: Path) -> None:
    rng = random.Random(f"{victim}/{seed}")
    file = tmp_path / "wide.py"
    file.write_text(WIDE)
    side = tmp_path / "side"
    side.touch()
    done: Counter[str] = Counter()
    run_id, kills = "", 0
    for _ in range(40):
        words = [str(FLOW), "resume" if run_id else "run", str(file), "--run-id-file", "run-id", "--max-workers", "2"]
        words += ["--origin", run_id] if run_id else []
        before = committed(tmp_path, run_id) if run_id else set()
        side.write_text("")
        (tmp_path / "run-id").unlink(missing_ok=True)
        process = subprocess.Popen(
            words, cwd=tmp_path, env={**os.environ, "SIDE": str(side)}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        limit = rng.randint(1, 9)
        below: list[int] = []
        if kills < 6:
            # the moment: when so many tasks have begun
            while process.poll() is None and len(side.read_text().splitlines()) < limit:
                time.sleep(0.001)
            below = children(process.pid)
            kills += 1
            tasks = [pid for pid in below if children(pid) == [] and pid in {c for z in children(process.pid) for c in children(z)}]
            zygotes = [pid for pid in below if pid not in tasks]
            chosen = {"scheduler": [process.pid], "zygote": zygotes[:1], "task": tasks[:1], "everything": [process.pid, *below]}[victim]
            for pid in chosen:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        _, errors = process.communicate(timeout=60)
        assert gone(below) == []
        assert "internal" not in errors, errors
        ran = side.read_text().split()
        # a task that had committed is never executed again
        assert not before & set(ran), before & set(ran)
        done.update(ran)
        if (tmp_path / "run-id").exists():
            run_id = (tmp_path / "run-id").read_text()
        if process.returncode == 0:
            break
    assert process.returncode == 0, errors
    assert artifact(tmp_path, run_id, "join", "values") == EXPECTED
    assert len(committed(tmp_path, run_id)) == 12 * 2 + 3


def test_a_partial_line_stalls_nobody_and_is_in_the_log_at_the_end(tmp_path: Path) -> None:
    file = tmp_path / "partial.py"
    file.write_text(
        """
import os, sys
from headrace import FlowSpec, step

class Partial(FlowSpec):
    @step
    def start(self):
        self.next(self.waits, self.talks)

    @step
    def waits(self):
        # ends only after the other branch has: it would hang if a partial line held up the scheduler
        print("10%...", end="")
        while not os.path.exists("other-done"):
            os.sched_yield()
        print("100%", end="")
        self.next(self.join)

    @step
    def talks(self):
        print("line")
        sys.stdout.buffer.write(b"no utf-8: \\xff\\xfe\\n")
        self.next(self.after)

    @step
    def after(self):
        open("other-done", "w").close()
        self.next(self.join)

    @step
    def join(self, inputs):
        self.next(self.end)

    @step
    def end(self):
        pass

if __name__ == "__main__":
    Partial()
"""
    )
    run_id, output = flow_run(file, "--max-workers", "2", cwd=tmp_path)
    assert "10%...100%" in output
    assert run(FLOW, "logs", f"Partial/{run_id}/waits/0", cwd=tmp_path).stdout.rstrip().endswith("10%...100%")
    assert "no utf-8: \\xff\\xfe" in run(FLOW, "logs", f"Partial/{run_id}/talks/0", cwd=tmp_path).stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_tells_the_tasks_records_it_and_leaves_nothing_behind(number: signal.Signals, tmp_path: Path) -> None:
    file = tmp_path / "sleepy.py"
    file.write_text(
        """
import os, signal, sys, time
from headrace import FlowSpec, step

def told(*_):
    open("told", "a").write("x")
    sys.exit(1)

class Sleepy(FlowSpec):
    @step
    def start(self):
        self.next(self.polite, self.stubborn)

    @step
    def polite(self):
        signal.signal(signal.SIGTERM, told)
        open("ready-polite", "w").close()
        time.sleep(600)
        self.next(self.join)

    @step
    def stubborn(self):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        open("ready-stubborn", "w").close()
        while True:
            time.sleep(600)
        self.next(self.join)

    @step
    def join(self, inputs):
        self.next(self.end)

    @step
    def end(self):
        pass

if __name__ == "__main__":
    Sleepy()
"""
    )
    words = [str(FLOW), "run", str(file), "--run-id-file", "run-id", "--max-workers", "2", "-o", "run.grace=0.5"]
    process = subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not ((tmp_path / "ready-polite").exists() and (tmp_path / "ready-stubborn").exists()):
        time.sleep(0.005)
    below = children(process.pid)
    assert len(below) >= 2
    process.send_signal(number)
    output, errors = process.communicate(timeout=30)
    assert process.returncode == 1, output + errors
    assert (tmp_path / "told").read_text() == "x"
    assert "Traceback" not in errors
    assert gone(below) == []
    run_id = (tmp_path / "run-id").read_text()
    project = open_project(str(tmp_path), flow="Sleepy")
    try:
        assert project.run_store("Sleepy", run_id).state() == "cancelled"
        assert project.metadata.lease(f"run/Sleepy/{run_id}") is None
    finally:
        project.close()
