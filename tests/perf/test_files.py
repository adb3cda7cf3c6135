"""How many files a run leaves behind. Everything under the store's root counts: records, logs, packs, sources, the index."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

WIDE = """
from headrace import FlowSpec, step


class Wide(FlowSpec):
    @step
    def start(self):
        self.items = list(range(97))
        print("start")
        self.next(self.work, foreach="items")

    @step
    def work(self):
        self.y = self.input * 2
        print("working on", self.input)
        self.next(self.join)

    @step
    def join(self, inputs):
        self.total = sum(i.y for i in inputs)
        print("joined")
        self.next(self.end)

    @step
    def end(self):
        print(self.total)


if __name__ == "__main__":
    Wide()
"""

MANY = """
from headrace import FlowSpec, step


class Many(FlowSpec):
    @step
    def start(self):
        for number in range(10_000):
            setattr(self, f"a{number}", number)
        print("stored")


if __name__ == "__main__":
    Many()
"""


def run(folder: Path, text: str) -> list[Path]:
    file = folder / "flow_file.py"
    file.write_text(text, encoding="utf-8")
    done = subprocess.run([sys.executable, str(file), "run"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return [path for path in (folder / ".headrace").rglob("*") if path.is_file()]


def test_a_run_of_100_tasks_leaves_at_most_320_files(tmp_path: Path) -> None:
    files = run(tmp_path, WIDE)
    logs = [path for path in files if "/logs/" in path.as_posix()]
    commits = [path for path in files if "/commits/" in path.as_posix()]
    assert (len(logs), len(commits)) == (100, 100)
    assert len(files) <= 320


def test_a_task_with_10000_small_artifacts_leaves_at_most_three_files_of_its_own(tmp_path: Path) -> None:
    files = run(tmp_path, MANY)
    own = [path for path in files if not path.name.startswith("metadata.sqlite") and path.name not in (".gitignore", "run.json")]
    # log, commit record, one pack; and the run's end and its one source file
    assert len(own) <= 5
    assert len(files) <= 320
