"""Builds the wheels of this workspace and installs them into empty environments, as a user would. Knows no test.

What is ours comes from the wheels alone, and the resolver reads what they declare. What is not ours is what `uv.lock` names for the distributions
asked for, out of uv's cache, so that no network is needed. A dependency that a project file does not declare is therefore not there.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")
META = "headrace"
OFFLINE = ("--quiet", "--offline", "--no-cache")


def read(path: Path) -> dict[str, Any]:
    """A TOML file."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _folders() -> dict[str, Path]:
    members = read(ROOT / "pyproject.toml")["tool"]["uv"]["workspace"]["members"]
    found = [ROOT, *(path.parent for pattern in members for path in sorted(ROOT.glob(f"{pattern}/pyproject.toml")))]
    return {read(folder / "pyproject.toml")["project"]["name"]: folder for folder in found}


FOLDERS: Mapping[str, Path] = _folders()
"""Name of each distribution of the workspace, the meta-distribution included, to its folder."""


def package(name: str) -> str:
    """The import package of a distribution that has code."""
    (only,) = (path.name for path in (FOLDERS[name] / "src").iterdir() if (path / "__init__.py").is_file())
    return only


class Environment(NamedTuple):
    """A virtual environment and its programs, run as in a shell where it is active and nothing else is set."""

    folder: Path

    def program(self, name: str = "python") -> Path:
        """A program that was installed here."""
        return self.folder / "bin" / name

    def run(self, *words: str | Path, cwd: Path, status: int = 0, **environ: str) -> subprocess.CompletedProcess[str]:
        """Call one of its programs in `cwd`; its exit status has to be `status`."""
        foreign = ("HEADRACE_", "PYTHON", "PYTEST_", "UV_", "VIRTUAL_ENV", "MYPY")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        path = os.pathsep.join([str(self.folder / "bin"), os.environ.get("PATH", os.defpath)])
        done = subprocess.run(
            [self.program(str(words[0])), *words[1:]],
            cwd=cwd,
            env={**kept, "PATH": path, **environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="backslashreplace",
            timeout=600,
            check=False,
        )
        assert done.returncode == status, f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def import_all(self, *packages: str, cwd: Path) -> None:
        """Import every module of the packages. Each has to come from this environment, which must know nothing of the workspace."""
        found = json.loads(self.run("python", "-c", _IMPORT_ALL, *packages, cwd=cwd).stdout)
        assert len(found["files"]) > len(packages)
        assert [path for path in found["files"] if not Path(path).is_relative_to(self.folder)] == []
        assert [path for path in found["path"] if path and Path(path).is_relative_to(ROOT)] == []


_IMPORT_ALL = """
import importlib, json, pkgutil, sys
files = []
for top in map(importlib.import_module, sys.argv[1:]):
    names = [each.name for each in pkgutil.walk_packages(top.__path__, top.__name__ + ".") if not each.name.endswith("__main__")]
    files += [top.__file__, *(importlib.import_module(name).__file__ for name in names)]
print(json.dumps({"files": files, "path": sys.path}))
"""


class Wheelhouse:
    """A folder with one wheel of each distribution; `wheels` is name to file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.wheels = build(folder, "--wheel")

    def environment(self, folder: Path, *names: str, tests: bool = False) -> Environment:
        """A new environment at `folder` with these distributions and what they depend on; where asked for, with what their tests need too."""
        groups = [group for name in names for group in (_test_group(name) if tests else ())]
        ours = [each for each in groups if re.split(r"[^\w-]", each)[0] in FOLDERS]
        python = ("--python", sys.executable)
        uv("venv", "--quiet", *python, folder)
        uv(
            *("sync", "--quiet", "--frozen", "--no-install-workspace", "--no-default-groups", *python),
            *(word for name in names for word in ("--package", name)),
            *(("--group", "test") if groups else ()),
            UV_PROJECT_ENVIRONMENT=str(folder),
        )
        environment = Environment(folder)
        into = ("--python", environment.program())
        uv("pip", "install", *OFFLINE, "--no-index", "--find-links", self.folder, *into, *names, *ours)
        uv("pip", "check", "--quiet", *into)
        return environment


def _test_group(name: str) -> list[str]:
    """What the tests of a distribution need; the test kit itself brings what its own tests need."""
    groups: dict[str, list[str]] = read(FOLDERS[name] / "pyproject.toml").get("dependency-groups", {})
    return groups.get("test", [])


def build(folder: Path, *options: str) -> dict[str, Path]:
    """Build every distribution into `folder` and return the wheels by name. Nothing is fetched: what builds them is in this environment."""
    uv("build", *OFFLINE, "--all-packages", "--no-build-isolation", "--python", sys.executable, "--out-dir", folder, *options)
    return {path.name.partition("-")[0].replace("_", "-"): path for path in sorted(folder.glob("*.whl"))}


def copy_tests(folder: Path) -> None:
    """Lay out the tests of all distributions as in the repository, with the configuration of pytest, but without any `src`."""
    ignored = shutil.ignore_patterns("src", "__pycache__", ".*")
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / "tests", folder / "tests", ignore=ignored)
    for each in FOLDERS.values():
        if (each / "tests").is_dir() and each != ROOT and not each.is_relative_to(ROOT / "tests"):
            shutil.copytree(each / "tests", folder / each.relative_to(ROOT) / "tests", ignore=ignored)


def uv(*words: str | Path, **environ: str) -> None:
    """Call uv on this workspace; what it says is shown only if it fails."""
    foreign = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "UV_PROJECT_ENVIRONMENT")
    kept = {name: value for name, value in os.environ.items() if name not in foreign}
    done = subprocess.run(
        [UV, *words], cwd=ROOT, env={**kept, "UV_PYTHON_DOWNLOADS": "never", **environ}, capture_output=True, encoding="utf-8", timeout=600
    )
    assert done.returncode == 0, f"uv {' '.join(map(str, words))}\n{done.stdout}\n{done.stderr}"
