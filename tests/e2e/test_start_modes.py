"""However a flow is started, objects of its own classes go through the store and come back, also when the next start is another one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from records import FLOW, run

FILE = """
from headrace import FlowSpec, Parameter, step


class Point:
    def __init__(self, x: int) -> None:
        self.x = x

    class Inner:
        value = 7


class Shapes(FlowSpec):
    stop = Parameter("stop", default=False)

    @step
    def start(self):
        self.point = Point(3)
        self.inner = Point.Inner()
        self.points = [Point(i) for i in range(2)]
        self.next(self.work, foreach="points")

    @step
    def work(self):
        assert type(self.input) is Point
        self.x = self.input.x + self.point.x
        self.next(self.join)

    @step
    def join(self, inputs):
        self.merge_artifacts(inputs, exclude=["x"])
        self.xs = [i.x for i in inputs]
        self.next(self.check)

    @step
    def check(self):
        import os
        assert not os.path.exists("stop-here"), "told to stop"
        self.next(self.end)

    @step
    def end(self):
        assert type(self.point) is Point
        assert type(self.inner) is Point.Inner
        print("points", self.xs, self.inner.value, type(self).__name__)


class Other(Shapes):
    pass


if __name__ == "__main__":
    Shapes()
"""

CALLER = """
from pkg.shapes import Shapes

if __name__ == "__main__":
    result = Shapes.run()
    print("state", result.state, result.successful)
"""

READER = """
import sys
from pkg.shapes import Point
from headrace import Flow

run = Flow("Shapes").latest_run
print("read", run.data.point.x, type(run.data.point) is Point, sorted(t.data.x for t in run["work"]))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "__init__.py").touch()
    (tmp_path / "pkg" / "shapes.py").write_text(FILE)
    (tmp_path / "headrace.toml").write_text("")
    (tmp_path / "caller.py").write_text(CALLER)
    (tmp_path / "reader.py").write_text(READER)
    return tmp_path


def commands(verb: str) -> dict[str, list[str]]:
    return {
        "flow FILE": [str(FLOW), verb, "pkg/shapes.py:Shapes"],
        "python FILE": [sys.executable, "pkg/shapes.py", verb],
        "flow -m": [str(FLOW), verb, "-m", "pkg.shapes:Shapes"],
    }


@pytest.mark.parametrize("how", [*commands("run"), "import"])
def test_objects_of_the_flow_files_classes_survive(how: str, folder: Path) -> None:
    words = commands("run").get(how) or [sys.executable, "caller.py"]
    done = run(*words, cwd=folder)
    if how == "import":
        assert "state succeeded True" in done.stdout
    else:
        assert "points [3, 4] 7 Shapes" in done.stdout
    # and whoever imports the module in the ordinary way reads them as that module's
    assert run(sys.executable, "reader.py", cwd=folder).stdout.strip() == "read 3 True [3, 4]"


@pytest.mark.parametrize("second", commands("resume"))
@pytest.mark.parametrize("first", commands("run"))
def test_a_run_is_resumed_by_another_kind_of_start(first: str, second: str, folder: Path) -> None:
    (folder / "stop-here").touch()
    failed = run(*commands("run")[first], cwd=folder, status=1)
    assert "told to stop" in failed.stdout + failed.stderr
    (folder / "stop-here").unlink()
    done = run(*commands("resume")[second], cwd=folder)
    assert "points [3, 4] 7 Shapes" in done.stdout
    assert done.stdout.count("Task is starting") == 2


def test_a_file_with_two_flows_asks_which_and_runs_the_one_named(folder: Path) -> None:
    refused = run(FLOW, "run", "pkg/shapes.py", cwd=folder, status=2)
    assert "error[flow-file-several]" in refused.stderr
    assert "pkg/shapes.py:Shapes" in refused.stderr
    assert "points [3, 4] 7 Other" in run(FLOW, "run", "pkg/shapes.py:Other", cwd=folder).stdout


def test_a_runner_starts_a_flow_from_python(folder: Path) -> None:
    (folder / "runner.py").write_text(
        "from headrace import Runner\nrun = Runner('pkg/shapes.py:Other').run(stop=True).run\nprint(run.pathspec, run.successful, run.data.xs)\n"
    )
    words = run(sys.executable, "runner.py", cwd=folder).stdout.splitlines()[-1].split(maxsplit=2)
    assert words[0].startswith("Other/")
    assert words[1:] == ["True", "[3, 4]"]
