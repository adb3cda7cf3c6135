"""A real `flow run` with the launcher, in a process of its own: refused before anything runs."""

import os
import subprocess
import sys

import pytest

FLOW = """
from headrace import FlowSpec, step
from headrace_kubernetes import kubernetes

class SmallFlow(FlowSpec):
    @{decorator}step
    def start(self):
        open("ran", "w").close()
        self.next(self.end)

    @step
    def end(self):
        pass
"""


def run(folder, source, *arguments):
    (folder / "flow.py").write_text(source)
    command = [sys.executable, "-m", "headrace_cli", "run", "flow.py", *arguments]
    environ = {**os.environ, "HOME": str(folder)}
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(
    ("decorator", "arguments"),
    [("", ["-o", "launcher.name=kubernetes"]), ("kubernetes\n    @", []), ("", ["--with", "kubernetes:cpu=2"])],
    ids=["configured", "decorated", "with"],
)
def test_nothing_runs_and_nothing_is_recorded(tmp_path, decorator, arguments):
    done = run(tmp_path, FLOW.format(decorator=decorator), *arguments)
    assert done.returncode == 1
    assert "The launcher 'kubernetes' describes pods for engines that run them; it cannot start any from here." in done.stderr
    assert "flow deploy FILE --to argo" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "ran").exists()
    assert not list(tmp_path.rglob("*SmallFlow*"))


def test_a_wrong_value_is_shown_with_the_users_line(tmp_path):
    done = run(tmp_path, FLOW.format(decorator="kubernetes(memory='8X')\n    @"))
    assert done.returncode == 1
    assert "@kubernetes: memory='8X' is no size." in done.stderr
    assert "flow.py:6, step start" in done.stderr
