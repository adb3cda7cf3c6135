"""What a start costs, counted: the modules that are imported and the attrs classes that are created. Times are rows of `make bench`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

NEVER = {
    "asyncio", "boto3", "botocore", "cattr", "cattrs", "dataclasses", "email", "http", "httpx", "importlib.metadata", "importlib_metadata",
    "kubernetes", "multiprocessing", "pydantic", "ssl", "typing_extensions", "unittest", "xml",
}  # fmt: skip
"""Not on the path of a run, nor of a task."""

HELLO = """
from headrace import FlowSpec, step

class Hello(FlowSpec):
    @step
    def start(self):
        self.greeting = "hello"
        self.next(self.end)

    @step
    def end(self):
        {report}

if __name__ == "__main__":
    Hello()
"""

REPORT = """
import sys, json, gc
def report(name):
    classes = [c for c in gc.get_objects() if isinstance(c, type) and "__attrs_attrs__" in vars(c) and not c.__module__.startswith("attr")]
    with open(name, "w") as out:
        json.dump({"modules": sorted(sys.modules), "classes": sorted(f"{c.__module__}.{c.__qualname__}" for c in classes)}, out)
"""


def found(folder: Path, name: str) -> tuple[set[str], list[str]]:
    data = json.loads((folder / name).read_text())
    return set(data["modules"]), data["classes"]


def run(folder: Path, *words: str) -> str:
    environ = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(words, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "reporting.py").write_text(REPORT)
    (tmp_path / "hello.py").write_text(HELLO.format(report="from reporting import report; report('task.json')"))
    return tmp_path


def imported(folder: Path, code: str) -> set[str]:
    bare = set(json.loads(run(folder, sys.executable, "-c", "import sys, json; print(json.dumps(list(sys.modules)))")))
    return set(json.loads(run(folder, sys.executable, "-c", f"{code}; import sys, json; print(json.dumps(list(sys.modules)))"))) - bare


def tops(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


def test_the_author_surface_imports_neither_attrs_nor_pluggy_nor_click(folder: Path) -> None:
    modules = imported(folder, "from headrace import FlowSpec, step, Parameter, current")
    assert not tops(modules) & {"attr", "attrs", "pluggy", "click", "inspect", "ast", "json", "sqlite3", "hashlib"}
    assert {name for name in modules if name.startswith("headrace")} == {
        "headrace",
        "headrace.dsl",
        "headrace.dsl.flow",
        "headrace.dsl.parameters",
        "headrace.dsl.steps",
        "headrace.task",
        "headrace.task.current",
        "headrace_hookspecs",
        "headrace_hookspecs.errors",
    }


def test_help_reads_the_raw_index_and_click_only(folder: Path) -> None:
    code = "import sys; sys.argv = ['flow', '--help']\nfrom headrace_cli.main import main\ntry: main()\nexcept SystemExit: pass\n"
    (folder / "helped.py").write_text(f"{code}from reporting import report; report('help.json')\n")
    run(folder, sys.executable, "helped.py")
    modules, classes = found(folder, "help.json")
    assert classes == []
    assert not tops(modules) & {"attr", "attrs", "pluggy", "sqlite3", "tomllib", "tomli", *NEVER}
    ours = {name for name in modules if name.startswith("headrace") and not name.startswith("headrace_cli")}
    assert ours <= {"headrace", "headrace.host", "headrace.host.index", "headrace_hookspecs", "headrace_hookspecs.errors"}
    assert not {name for name in modules if name.startswith("headrace_cli.commands.")}


def test_a_run_creates_at_most_30_attrs_classes_and_imports_nothing_heavy(folder: Path) -> None:
    (folder / "driver.py").write_text(
        "import sys, runpy\nfrom reporting import report\nsys.argv = ['hello.py', 'run']\n"
        "try: runpy.run_path('hello.py', run_name='__main__')\nexcept SystemExit: pass\nreport('run.json')\n"
    )
    run(folder, sys.executable, "driver.py")
    modules, classes = found(folder, "run.json")
    assert len(classes) <= 30, classes
    assert not {name for name in modules if name in NEVER}
    assert not tops(modules) & {"pluggy"}


def test_a_task_in_a_fresh_interpreter_creates_at_most_15_attrs_classes(folder: Path) -> None:
    run(folder, sys.executable, "hello.py", "run", "-o", "launcher.name=spawn")
    modules, classes = found(folder, "task.json")
    assert len(classes) <= 15, classes
    assert not {name for name in modules if name in NEVER}
    assert not tops(modules) & {"click", "pluggy", "sqlite3", "headrace_cli", "headrace_sqlite", "headrace_processes"}


def test_flow_options_and_configuration_do_not_import_plugins_that_are_not_chosen(folder: Path) -> None:
    run(folder, sys.executable, "hello.py", "run", "-o", "launcher.name=spawn")
    modules, _ = found(folder, "task.json")
    assert not tops(modules) & {"headrace_resilience", "headrace_resources", "headrace_client"}
