"""What is in the wheels, and that a user who has nothing but them can run a flow, with the command line and without."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from importlib.metadata import PathDistribution
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from records import FLOWS
from wheelhouse import FOLDERS, META, ROOT, Environment, Wheelhouse, build, package, read

WITH_CODE = sorted(set(FOLDERS) - {META})
BROUGHT = sorted(Requirement(each).name for each in read(ROOT / "pyproject.toml")["project"]["dependencies"])
"""What the meta-distribution brings."""
DEFAULTS = [name for name in BROUGHT if name.startswith(("headrace-plugin-", "headrace-serializer-"))]
TUTORIALS = ["00-hello", "01-penguins", "02-parameters"]


def contents(wheel: Path) -> dict[str, bytes]:
    """The files of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}


def metadata(wheel: Path) -> PathDistribution:
    """What a wheel says of itself."""
    name, version, *_ = wheel.name.split("-")
    return PathDistribution(zipfile.Path(wheel, f"{name}-{version}.dist-info/"))


def test_there_is_one_wheel_of_each_distribution_for_every_machine(wheelhouse: Wheelhouse) -> None:
    versions = {name: read(folder / "pyproject.toml")["project"]["version"] for name, folder in FOLDERS.items()}

    assert {path.name for path in wheelhouse.folder.glob("*.whl")} == {
        f"{name.replace('-', '_')}-{version}-py3-none-any.whl" for name, version in versions.items()
    }


@pytest.mark.parametrize("name", FOLDERS)
def test_a_wheel_says_what_its_project_file_says(wheelhouse: Wheelhouse, name: str) -> None:
    project: dict[str, Any] = read(FOLDERS[name] / "pyproject.toml")["project"]
    declared = project.get("entry-points", {}) | ({"console_scripts": project["scripts"]} if "scripts" in project else {})

    found = metadata(wheelhouse.wheels[name])

    assert {
        key: found.metadata[key] for key in ("Name", "Version", "Summary", "Requires-Python", "License-Expression", "License-File")
    } == {
        "Name": name,
        "Version": project["version"],
        "Summary": project["description"],
        "Requires-Python": project["requires-python"],
        "License-Expression": "Apache-2.0",
        "License-File": "LICENSE",
    }
    assert {Requirement(each) for each in found.requires or ()} == {Requirement(each) for each in project["dependencies"]}
    assert {(entry.group, entry.name, entry.value) for entry in found.entry_points} == {
        (group, each, value) for group, entries in declared.items() for each, value in entries.items()
    }


@pytest.mark.parametrize("name", WITH_CODE)
def test_a_wheel_holds_its_package_and_nothing_else(wheelhouse: Wheelhouse, name: str) -> None:
    source = FOLDERS[name] / "src"
    modules = {path.relative_to(source).as_posix() for path in source.rglob("*.py")}

    found = contents(wheelhouse.wheels[name])

    info = next(path.partition("/")[0] for path in found if ".dist-info/" in path)
    assert modules <= set(found)
    assert found[f"{package(name)}/py.typed"] == b""
    assert found[f"{info}/licenses/LICENSE"] == (ROOT / "LICENSE").read_bytes()
    assert {path.partition("/")[0] for path in found} == {package(name), info}
    assert [path for path in found if re.search(r"(^|/)(tests?|conftest\.py|test_\w+\.py|__pycache__|\.[^/]*)(/|$)", path)] == []


def test_the_meta_distribution_has_no_code(wheelhouse: Wheelhouse) -> None:
    assert {path.rpartition("/")[0] for path in contents(wheelhouse.wheels[META])} == {
        "headrace-0.1.0.dist-info",
        "headrace-0.1.0.dist-info/licenses",
    }


@pytest.mark.long
def test_a_source_distribution_builds_the_same_wheel(wheelhouse: Wheelhouse, tmp_path: Path) -> None:
    again = build(tmp_path)

    assert sorted(path.name.rpartition("-")[0].replace("_", "-") for path in tmp_path.glob("*.tar.gz")) == sorted(FOLDERS)
    assert {name: contents(wheel) for name, wheel in again.items()} == {name: contents(wheel) for name, wheel in wheelhouse.wheels.items()}


# an empty environment


@pytest.fixture(scope="module")
def installed(wheelhouse: Wheelhouse, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Where a user has installed `headrace`."""
    return wheelhouse.environment(tmp_path_factory.mktemp("installed") / "venv", META)


@pytest.fixture(scope="module")
def without_cli(wheelhouse: Wheelhouse, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The kernel and the embedded defaults."""
    return wheelhouse.environment(tmp_path_factory.mktemp("without-cli") / "venv", "headrace-core", *DEFAULTS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A user's folder with `shapes.py`, which fails at its end until `mended` is there."""
    shutil.copy(FLOWS / "shapes.py", tmp_path)
    return tmp_path


LINE = "triangle = 180 degrees, pentagon = 540 degrees; largest: Polygon(name='pentagon', sides=5)"


def test_headrace_is_at_most_30_distributions_and_those_of_ours_that_it_names(installed: Environment, tmp_path: Path) -> None:
    list_them = "from importlib.metadata import distributions as d; print(*sorted(each.metadata['Name'] for each in d()), sep='\\n')"
    names = installed.run("python", "-c", list_them, cwd=tmp_path).stdout.split()

    assert len(names) == len(set(names)) <= 30
    assert {name for name in names if name.startswith("headrace")} == {META, *BROUGHT}
    installed.import_all(*map(package, BROUGHT), cwd=tmp_path)


@pytest.mark.parametrize("start", [("flow", "run", "shapes.py"), ("python", "shapes.py", "run")], ids=["flow", "python"])
def test_an_installed_headrace_runs_resumes_and_lists_a_flow(installed: Environment, folder: Path, start: tuple[str, ...]) -> None:
    failed = installed.run(*start, cwd=folder, status=1)
    assert "RuntimeError: not mended yet: Shapes/" in failed.stdout + failed.stderr

    (folder / "mended").touch()
    resumed = installed.run("flow", "resume", "shapes.py", cwd=folder)

    assert LINE in resumed.stdout
    assert sorted((folder / "measured.txt").read_text().split()) == ["0", "1"], "what was done was done again"
    listed = json.loads(installed.run("flow", "list", "Shapes", "--json", cwd=folder).stdout)["runs"]
    assert [run["state"] for run in listed] == ["succeeded", "failed"]
    assert LINE in installed.run("flow", "logs", "Shapes/latest/end", cwd=folder).stdout


def test_the_tutorials_come_with_it(installed: Environment, folder: Path) -> None:
    listed = json.loads(installed.run("flow", "tutorials", "list", "--json", cwd=folder).stdout)
    assert [each["name"] for each in listed] == TUTORIALS

    installed.run("flow", "tutorials", "pull", "hello", "--to", "learning", cwd=folder)

    pulled = {path.name: path.read_bytes() for path in (folder / "learning" / "00-hello").iterdir()}
    source = ROOT / "docs" / "tutorials" / "00-hello"
    assert pulled == {name: (source / name).read_bytes() for name in ("README.md", "hello.py")}
    assert "Hello, world!" in installed.run("flow", "run", "hello.py", cwd=folder / "learning" / "00-hello").stdout


DRIVE = """
from pathlib import Path
from shapes import Shapes

first = Shapes.run(unit="deg")
Path("mended").touch()
second = Shapes.run(names={"4": "square"})
print(first.state, first.failed_task.removeprefix(f"Shapes/{first.run}/"), second.state)
"""


def test_without_the_command_line_a_flow_runs_from_python(without_cli: Environment, folder: Path) -> None:
    (folder / "drive.py").write_text(DRIVE)

    done = without_cli.run("python", "drive.py", cwd=folder)

    assert done.stdout.splitlines()[-1] == "failed end/0 succeeded"
    assert not without_cli.program("flow").exists()
    without_cli.import_all("headrace", cwd=folder)


def test_without_the_command_line_a_flow_file_says_what_to_install(without_cli: Environment, folder: Path) -> None:
    done = without_cli.run("python", "shapes.py", "run", cwd=folder, status=2)

    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "error[flow-cli-missing]: The command line of headrace is not installed.",
        "  pip install headrace-cli, or run the flow from Python with Shapes.run().",
    ]


def test_without_the_client_its_names_say_what_to_install(without_cli: Environment, tmp_path: Path) -> None:
    done = without_cli.run("python", "-c", "from headrace import Run", cwd=tmp_path, status=1)

    assert done.stderr.splitlines()[-1] == "ImportError: headrace.Run needs the client: pip install headrace-client"
