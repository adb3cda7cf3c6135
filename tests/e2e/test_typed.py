"""The tutorials and a user's flow, as type checkers see them where nothing but the wheels of `headrace` is installed."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from records import FLOWS
from wheelhouse import META, ROOT, Environment, Wheelhouse

pytestmark = pytest.mark.needs("type-checkers")

CHECKERS = Path(sys.executable).parent

WRONG = """\
import headrace_testkit
from headrace import FlowSpec, Parameter, retry, step, stepp


class Wrong(FlowSpec):
    size = Parameter("size", default=3)

    @retry(tims=2)
    @step
    def start(self) -> None:
        self.size.upper()
"""
FAULTS = [("wrong.py", line) for line in (1, 2, 8, 11)]
"""Not installed, a misspelt name, a misspelt option, a value of another type."""


@pytest.fixture(scope="module")
def flows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the flows, and one that is wrong."""
    folder = tmp_path_factory.mktemp("flows")
    for file in [FLOWS / "shapes.py", *(ROOT / "docs" / "tutorials").glob("*/*.py")]:
        shutil.copy(file, folder)
    (folder / "wrong.py").write_text(WRONG)
    assert len(list(folder.iterdir())) == 5
    return folder


@pytest.fixture(scope="module")
def installed(wheelhouse: Wheelhouse, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Where a user has installed `headrace`."""
    return wheelhouse.environment(tmp_path_factory.mktemp("typed") / "venv", META)


def test_mypy_finds_nothing_but_what_is_wrong(installed: Environment, flows: Path, tmp_path: Path) -> None:
    options = ("--strict", "--config-file=", "--output=json", "--cache-dir", tmp_path, "--python-executable", installed.program())
    done = installed.run(CHECKERS / "mypy", *options, ".", cwd=flows, status=1)

    found = {(each["file"], each["line"]): each["message"] for each in map(json.loads, done.stdout.splitlines())}
    assert sorted(found) == FAULTS, found


def test_pyright_finds_nothing_but_what_is_wrong(installed: Environment, flows: Path) -> None:
    done = installed.run(CHECKERS / "pyright", "--outputjson", "--pythonpath", installed.program(), ".", cwd=flows, status=1)

    diagnostics = json.loads(done.stdout)["generalDiagnostics"]
    found = {(Path(each["file"]).name, each["range"]["start"]["line"] + 1): each["message"] for each in diagnostics}
    assert sorted(found) == FAULTS, found
