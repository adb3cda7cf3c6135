"""One flow a construct, run by every launcher: the flow's own assertions hold, and the records are the same whoever ran it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from records import FLOWS, flow_run, records

FLOWS_AND_LINES = {
    "linear": ("Linear", "end 2 {'a': [1, 2]}"),
    "branches": ("Branches", "order ['zebra', 'ant', 'mole'] 3"),
    "nested": ("Nested", "table [[(0, 'a'), (0, 'b')], [(1, 'a'), (1, 'b')], [(2, 'a'), (2, 'b')]]"),
    "choices": ("Choices", "values [('L0', 0), ('R1', 3), ('L2', 0)]"),
    "resilient": ("Resilient", "resilient 2 ['timeout', 'exit'] True"),
}


def without_workloads(found: dict[str, Any]) -> dict[str, Any]:
    """The launcher's rendering is the one thing of a graph that may differ between launchers."""
    for step in found["graph"]["steps"].values() if isinstance(found["graph"]["steps"], dict) else found["graph"]["steps"]:
        step.pop("workload", None)
    return found


@pytest.mark.parametrize("name", FLOWS_AND_LINES)
def test_every_launcher_gives_the_same_records(name: str, tmp_path: Path) -> None:
    flow, line = FLOWS_AND_LINES[name]
    file = Path(shutil.copy(FLOWS / f"{name}.py", tmp_path))
    found = {}
    # a task that ends the process ends the inline launcher with it
    for launcher in ("fork", "spawn", "inline") if name != "resilient" else ("fork", "spawn"):
        run_id, output = flow_run(file, "-o", f"launcher.name={launcher}", cwd=tmp_path)
        assert line in output
        assert output.rstrip().endswith("Done!") or "Done!" in output
        found[launcher] = without_workloads(records(tmp_path, flow, run_id))
        assert found[launcher]["state"] == "succeeded"
    first = found.pop("fork")
    for launcher, other in found.items():
        for part in first:
            assert other[part] == first[part], f"{part} of {launcher}"


def test_an_artifact_that_was_not_touched_is_carried_by_reference(tmp_path: Path) -> None:
    file = tmp_path / "big.py"
    file.write_text(
        """
from headrace import FlowSpec, step

class Big(FlowSpec):
    @step
    def start(self):
        self.big = bytes(range(256)) * 4096
        self.next(self.middle)

    @step
    def middle(self):
        self.next(self.end)

    @step
    def end(self):
        assert len(self.big) == 1 << 20
"""
    )
    run_id, _ = flow_run(file, cwd=tmp_path)
    blobs = [path for path in (tmp_path / ".headrace" / "Big" / "blobs").rglob("*") if path.is_file()]
    assert sorted(path.stat().st_size for path in blobs) == [len(file.read_bytes()), 1 << 20]
    commits = records(tmp_path, "Big", run_id)["commits"]
    assert {key[0]: list(found["artifacts"]) for key, found in commits.items()} == {"start": ["big"], "middle": ["big"], "end": ["big"]}
