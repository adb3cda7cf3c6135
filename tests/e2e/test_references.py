"""What a run can reach is all that it needs and nothing else: a collector of garbage may rely on it."""

from __future__ import annotations

import shutil
from pathlib import Path

from records import FLOW, flow_run, run

from headrace.project import open_project
from headrace.store.artifacts import ArtifactReader
from headrace.store.reach import references

FILE = """
import os
from headrace import FlowSpec, step

class Big(FlowSpec):
    @step
    def start(self):
        self.carried = os.urandom(50_000)
        self.items = [os.urandom(40_000) for _ in range(3)]
        self.next(self.work, foreach="items")

    @step
    def work(self):
        self.own = self.input[::-1]
        assert self.index != 1 or os.path.exists("mended"), "not yet"
        self.next(self.join)

    @step
    def join(self, inputs):
        self.merge_artifacts(inputs, include=["carried"])
        self.next(self.end)

    @step
    def end(self):
        pass
"""


def reached(folder: Path, run_id: str) -> set[str]:
    project = open_project(str(folder), flow="Big")
    try:
        found = list(references(project.run_store("Big", run_id)))
        assert len(found) == len(set(found))
        return set(found)
    finally:
        project.close()


def test_a_run_reaches_all_of_its_own_and_what_it_reuses(tmp_path: Path) -> None:
    (tmp_path / "big.py").write_text(FILE)
    first, _ = flow_run("big.py", "--max-workers", "1", cwd=tmp_path, status=1)
    store = tmp_path / ".headrace"
    there = {path.relative_to(store).as_posix() for path in (store / "Big").rglob("*") if path.is_file()}
    assert reached(tmp_path, first) == there

    (tmp_path / "mended").touch()
    run(FLOW, "resume", "big.py", "--run-id-file", "run-id", cwd=tmp_path)
    second = (tmp_path / "run-id").read_text()
    needed = reached(tmp_path, second)
    # whatever the second run does not reach may go: it is still whole
    for path in [path for path in (store / "Big").rglob("*") if path.is_file()]:
        if path.relative_to(store).as_posix() not in needed:
            path.unlink()
    assert not any("/attempts/" in key for key in needed)
    shutil.rmtree(tmp_path / ".headrace" / ".tmp", ignore_errors=True)
    project = open_project(str(tmp_path), flow="Big")
    try:
        kept = project.run_store("Big", second)
        tasks = sorted(kept.list_commits())
        assert len(tasks) == 6
        for record in kept.read_commits(tasks):
            assert record is not None
            reader = ArtifactReader(record, kept.blobs, project.serializers)
            assert all(len(reader.read(name)) >= 0 for name in reader.names())
            assert [len(reader.element(index)) for index in range(reader.size)] == [40_000] * reader.size
    finally:
        project.close()
