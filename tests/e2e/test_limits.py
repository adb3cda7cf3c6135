"""Every limit that can be configured is kept, and says so where it was met."""

from __future__ import annotations

from pathlib import Path

from records import FLOW, flow_run, records, run

RETRYING = """
from headrace import FlowSpec, retry, step

class Retrying(FlowSpec):
    @retry(times=5)
    @step
    def start(self):
        self.next(self.end)

    @step
    def end(self):
        pass
"""

WIDE = """
from headrace import FlowSpec, step

class Wide(FlowSpec):
    @step
    def start(self):
        self.items = list(range(6))
        self.small = "s" * 200
        print("x" * 60)
        print("y" * 60)
        print("z" * 60)
        self.next(self.work, foreach="items")

    @step
    def work(self):
        self.next(self.join)

    @step
    def join(self, inputs):
        self.next(self.end)

    @step
    def end(self):
        pass
"""


def write(folder: Path, text: str) -> Path:
    file = folder / "flow_file.py"
    file.write_text(text)
    return file


def test_more_retries_than_attempts_are_allowed_is_refused_before_anything_runs(tmp_path: Path) -> None:
    file = write(tmp_path, RETRYING)
    done = run(FLOW, "run", file, "-o", "limits.attempts=5", cwd=tmp_path, status=1)
    assert "error[retry-too-many]" in done.stderr
    assert "flow_file.py:7, step start" in done.stderr
    assert "limits.attempts" in done.stderr
    assert not (tmp_path / ".headrace" / "Retrying").exists()
    run(FLOW, "run", file, "-o", "limits.attempts=6", cwd=tmp_path)


def test_a_foreach_that_is_too_wide_fails_before_its_split_commits(tmp_path: Path) -> None:
    file = write(tmp_path, WIDE)
    run_id, output = flow_run(file, "--max-num-splits", "5", cwd=tmp_path, status=1)
    assert "maximum of 5" in output
    assert records(tmp_path, "Wide", run_id)["commits"] == {}
    # only the limit has to be raised, and nothing was lost
    run_id, _ = flow_run(file, "-o", "run.max_num_splits=6", cwd=tmp_path)
    assert len(records(tmp_path, "Wide", run_id)["commits"]) == 9


def test_a_log_is_cut_at_its_limit_and_says_so_while_the_console_shows_all(tmp_path: Path) -> None:
    file = write(tmp_path, WIDE)
    run_id, output = flow_run(file, "-o", "limits.log_bytes=100", cwd=tmp_path)
    assert "z" * 60 in output
    lines = [line[2] for line in records(tmp_path, "Wide", run_id)["logs"]["start", "0"]]
    assert lines == [b"x" * 60, b"[TRUNCATED - MAXIMUM LOG SIZE REACHED]"]


def test_what_is_inline_follows_the_configured_sizes(tmp_path: Path) -> None:
    file = write(tmp_path, WIDE)
    flow_run(file, cwd=tmp_path)
    blobs = tmp_path / ".headrace" / "Wide" / "blobs"
    assert sum(path.is_file() for path in blobs.rglob("*")) == 1  # the flow file
    flow_run(file, "-o", "limits.inline_value=100", cwd=tmp_path)
    assert sum(path.is_file() for path in blobs.rglob("*")) == 2  # and a pack


def test_no_more_tasks_at_a_time_than_workers(tmp_path: Path) -> None:
    file = write(tmp_path, WIDE)
    _, output = flow_run(file, "--max-workers", "1", cwd=tmp_path)
    starts = [line for line in output.splitlines() if "work/" in line and ("Task is starting" in line or "Task finished" in line)]
    assert [("starting" in line) for line in starts] == [True, False] * 6
