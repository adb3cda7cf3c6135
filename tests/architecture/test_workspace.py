"""What is alike in every distribution, what the lock file may name, and that no test is left out of the tiers."""

import re
import sys
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
KERNEL = {"headrace-core", "headrace-client", "headrace-packaging", "headrace-cli"}
CONTRACT = "headrace-hookspecs>=1.0,<2"


def read(path):
    return tomllib.loads(path.read_text(encoding="utf-8"))


META = read(ROOT / "pyproject.toml")
LOCK = read(ROOT / "uv.lock")
FOLDERS = sorted(
    folder.relative_to(ROOT).as_posix()
    for pattern in META["tool"]["uv"]["workspace"]["members"]
    for folder in ROOT.glob(pattern)
    if (folder / "pyproject.toml").is_file()
)


def project(folder):
    return read(ROOT / folder / "pyproject.toml")["project"]


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_distribution_looks_the_same(folder):
    about = project(folder)
    (package,) = (path for path in (ROOT / folder / "src").iterdir() if path.is_dir())
    assert {key: about[key] for key in ("readme", "license", "license-files", "requires-python")} == {
        "readme": "README.md",
        "license": "Apache-2.0",
        "license-files": ["LICENSE"],
        "requires-python": META["project"]["requires-python"],
    }
    assert (package / "py.typed").is_file(), "type checkers ignore a package without py.typed"
    assert (ROOT / folder / "README.md").read_text(encoding="utf-8").startswith(f"# {about['name']}\n")
    assert (ROOT / folder / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_the_kernel_shares_one_version_and_everybody_declares_the_contract():
    abouts = {project(folder)["name"]: project(folder) for folder in FOLDERS}
    assert {abouts[name]["version"] for name in KERNEL} == {META["project"]["version"]}
    others = {name: about for name, about in abouts.items() if name != "headrace-hookspecs"}
    assert [name for name, about in others.items() if CONTRACT not in about["dependencies"]] == []
    pinned = {f"{name}=={META['project']['version']}" for name in KERNEL}
    assert {
        dependency
        for about in [META["project"], *others.values()]
        for dependency in about["dependencies"]
        if re.match(r"[\w-]+", dependency)[0] in KERNEL
    } == pinned


CHOSEN = {"headrace-testkit", "headrace-plugin-argo", "headrace-plugin-aws", "headrace-plugin-kubernetes", "headrace-plugin-s3"}
"""What people install by name: the kit, and what needs a service or an SDK."""


def test_the_meta_distribution_brings_every_distribution_but_those_that_people_choose():
    names = {re.match(r"[\w-]+", dependency)[0] for dependency in META["project"]["dependencies"]}
    assert names == {project(folder)["name"] for folder in FOLDERS} - CHOSEN


def test_the_embedded_defaults_bring_at_most_30_distributions():
    packages = {}
    for package in LOCK["package"]:
        packages.setdefault(package["name"], []).extend(package.get("dependencies", []))
    closure, waiting = set(), ["headrace"]
    while waiting:
        name = waiting.pop()
        if name not in closure:
            closure.add(name)
            waiting.extend(dependency["name"] for dependency in packages[name])
    assert len(closure) <= 30, sorted(closure)


def test_the_lock_file_names_one_public_index_and_this_tree():
    sources = [package["source"] for package in LOCK["package"]]
    assert {source["editable"] for source in sources if "editable" in source} == {*FOLDERS, "."}
    assert {kind for source in sources for kind in source} == {"editable", "registry"}
    assert len({source["registry"] for source in sources if "registry" in source}) == 1
    # over TLS, no port, no user, and a name that everybody can look up
    hosts = re.findall(r'"(\w+)://([^/"]+)', (ROOT / "uv.lock").read_text(encoding="utf-8"))
    assert hosts
    assert {(scheme, host) for scheme, host in hosts if scheme != "https" or not re.fullmatch(r"[a-z]+(\.[a-z]+)*\.org", host)} == set()


def test_every_test_belongs_to_a_suite_of_the_tier_test():
    budget = read(ROOT / "tests" / "budget.toml")
    covered = {path for name in budget["tiers"]["test"]["suites"] for path in budget["suites"][name].get("paths", [])}
    tests = {
        path.relative_to(ROOT)
        for top in META["tool"]["pytest"]["ini_options"]["testpaths"]
        for path in (ROOT / top).rglob("test_*.py")
        if "src" not in path.relative_to(ROOT).parts
    }
    left_out = {test.as_posix() for test in tests if not any(test.is_relative_to(path) for path in covered)}
    assert left_out == set(), "name their folders in tests/budget.toml"
