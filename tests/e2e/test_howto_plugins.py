"""The plugins of the how-to pages, built from the pages as distributions of their own, do in a real run what the pages say."""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"
TOOLS = Path(sys.executable).parent

FLOW = """
from pathlib import Path
from headrace import FlowSpec, step

class TwoFlow(FlowSpec):
    @step
    def start(self):
        "Count how often this ran."
        with open("ran.txt", "a") as file:
            file.write("start ")
        self.numbers = list(range(100))
        self.next(self.end)

    @step
    def end(self):
        if not Path("mended").exists():
            raise RuntimeError("not mended")
        print("sum", sum(self.numbers))
"""


class Place(NamedTuple):
    """A folder with a flow, and what is installed for it beside this environment."""

    folder: Path
    installed: Path

    def run(self, *words: str | Path, status: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a command there; asserts its exit status."""
        environ = {**os.environ, "PYTHONPATH": str(self.installed), "PYTHONIOENCODING": "utf-8"}
        done = subprocess.run(words, cwd=self.folder, env=environ, capture_output=True, encoding="utf-8", timeout=240)
        assert done.returncode == status, done.stdout + done.stderr
        return done

    def flow(self, *words: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        return self.run(TOOLS / "flow", *words, status=status)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "two.py").write_text(FLOW)
    return Place(tmp_path / "work", tmp_path / "installed")


def write_page(page: str, folder: Path) -> None:
    """The files of a page: each block of code that begins with a comment that is a path."""
    text = (HOW_TO / page).read_text(encoding="utf-8")
    for name, content in re.findall(r"^```(?:python|toml)\n# (\S+)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def install(folder: Path, place: Place) -> None:
    """Build the distribution and install it where only `place` looks."""
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--offline", "--python", sys.executable]
    place.run(TOOLS / "uv", "pip", "install", *options, "--target", place.installed, folder)


def test_the_datastore_passes_the_kit_and_serves_run_and_resume(tmp_path: Path, place: Place) -> None:
    project = tmp_path / "headrace-plugin-onefile"
    write_page("write-a-datastore.md", project)
    (project / "README.md").write_text("A datastore for headrace that keeps every blob in one SQLite file.\n")
    (project / "src" / "headrace_onefile" / "py.typed").touch()
    install(project, place)

    done = place.run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"{project}/tests/test_conformance.py")
    assert re.search(r"^[1-9]\d* passed, [1-9]\d* deselected in", done.stdout, re.MULTILINE), done.stdout

    (place.folder / "headrace.toml").write_text((project / "headrace.toml").read_text().replace("/data/flows.db", "flows.db"))
    place.flow("run", "two.py", status=1)
    (place.folder / "mended").touch()
    assert "sum 4950" in place.flow("resume", "two.py").stdout

    assert (place.folder / "ran.txt").read_text() == "start "
    assert "sum 4950" in place.flow("logs", "TwoFlow/latest/end").stdout
    with contextlib.closing(sqlite3.connect(place.folder / "flows.db")) as db:
        kinds = {key.split("/")[3] for (key,) in db.execute("SELECT key FROM blobs WHERE key LIKE 'TwoFlow/runs/%'")}
    assert kinds >= {"run.json", "commits", "attempts", "logs", "end"}
    assert not (place.folder / ".headrace" / "TwoFlow").exists()


@pytest.fixture
def acme(tmp_path: Path) -> Path:
    """The hooks plugin of the page, as a folder."""
    project = tmp_path / "headrace-acme"
    write_page("write-a-hooks-plugin.md", project)
    return project


def test_the_hooks_plugin_has_about_twenty_lines(acme: Path) -> None:
    lines = (acme / "src" / "headrace_acme" / "__init__.py").read_text().splitlines()

    assert len([line for line in lines if line.strip()]) <= 20


def test_the_hooks_plugin_sets_defaults_judges_and_is_told(acme: Path, place: Place) -> None:
    install(acme, place)

    assert re.search(r"^run\.max_workers\b.*\b4\b.*plugin acme", place.flow("config", "show", "run.max_workers").stdout, re.MULTILINE)
    checked = place.flow("check", "two.py")
    assert "Step end says nothing about itself." in checked.stdout + checked.stderr
    assert "Step start" not in checked.stdout + checked.stderr
    place.flow("run", "two.py", "--run-id-file", "id", status=1)
    assert (place.folder / "failed-runs.txt").read_text() == f"TwoFlow/{(place.folder / 'id').read_text()}\n"


def test_a_broken_observer_is_named_and_the_run_goes_on(acme: Path, place: Place) -> None:
    source = acme / "src" / "headrace_acme" / "__init__.py"
    source.write_text(source.read_text() + "    raise SystemExit('out of paper')\n")
    install(acme, place)
    (place.folder / "mended").touch()

    done = place.flow("run", "two.py")

    assert "sum 4950" in done.stdout
    assert done.stderr.count("out of paper") == 1
    assert "'acme' failed in headrace_on_event" in done.stderr


def test_a_broken_policy_is_named_and_nothing_runs(acme: Path, place: Place) -> None:
    source = acme / "src" / "headrace_acme" / "__init__.py"
    source.write_text(source.read_text().replace("if not step.doc:", "if step.undocumented:"))
    install(acme, place)
    (place.folder / "mended").touch()

    done = place.flow("run", "two.py", status=1)

    assert "error[plugin-failed]" in done.stderr
    assert "'acme' failed in headrace_graph_check" in done.stderr
    assert not (place.folder / "ran.txt").exists()


def test_a_plugin_that_cannot_be_imported_is_left_out_unless_it_is_required(acme: Path, place: Place) -> None:
    source = acme / "src" / "headrace_acme" / "__init__.py"
    source.write_text("import no_such_module\n" + source.read_text())
    install(acme, place)
    (place.folder / "mended").touch()

    done = place.flow("run", "two.py")
    assert "sum 4950" in done.stdout
    assert "headrace-acme" in done.stderr
    assert "no_such_module" in done.stderr

    (place.folder / "headrace.toml").write_text('[plugins]\nrequired = ["acme"]\n')
    refused = place.flow("run", "two.py", status=1)
    assert "error[plugin-import]" in refused.stderr
