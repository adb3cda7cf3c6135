"""Each distribution on its own, as a wheel in an empty environment: what it declares is enough for it, and for its tests."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from wheelhouse import FOLDERS, META, ROOT, Wheelhouse, copy_tests, package

WITH_CODE = sorted(set(FOLDERS) - {META})
QUICK = {"headrace-hookspecs", "headrace-plugin-resilience", "headrace-plugin-resources", "headrace-serializer-plain"}


@pytest.mark.parametrize("name", WITH_CODE)
def test_every_module_can_be_imported_with_what_is_declared(wheelhouse: Wheelhouse, tmp_path: Path, name: str) -> None:
    wheelhouse.environment(tmp_path / "venv", name).import_all(package(name), cwd=tmp_path)


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tests of all distributions, without what they test."""
    folder = tmp_path_factory.mktemp("copied")
    copy_tests(folder)
    return folder


@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.long) for name in WITH_CODE])
def test_its_tests_pass_with_what_is_declared(wheelhouse: Wheelhouse, copied: Path, tmp_path: Path, name: str) -> None:
    environment = wheelhouse.environment(tmp_path / "venv", name, tests=True)
    tests = FOLDERS[name].relative_to(ROOT) / "tests"

    options = ("-q", "-p", "no:cacheprovider", "-m", "not long and not cluster", f"--basetemp={tmp_path / 'base'}")
    done = environment.run("python", "-m", "pytest", *options, tests, cwd=copied, HEADRACE_TIER="check")

    assert re.search(r"^[1-9]\d* passed", done.stdout, re.MULTILINE), done.stdout
