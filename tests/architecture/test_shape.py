"""How big things are, where they lie and what they are called."""

import ast
import io
import re
import shutil
import subprocess
import tokenize

import pytest

from architecture import tree
from headrace.host.index import Index
from headrace.host.registry import Registry
from headrace_hookspecs import PluginError

DISTRIBUTIONS = tree.distributions()


def lines_of_code(source):
    """How many lines hold code: blank lines, comments and docstrings are free."""
    quiet = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    tokens = [token for token in tokenize.generate_tokens(io.StringIO(source).readline) if token.type not in quiet]
    written = {line for token in tokens for line in range(token.start[0], token.end[0] + 1)}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            written -= set(range(node.lineno, node.end_lineno + 1))
    return len(written)


@pytest.mark.parametrize(("name", "most"), [("hookspecs", 1500), ("core/kernel", 6500)])
def test_contract_and_kernel_stay_small(name, most):
    rooms = {}
    for path in tree.package(DISTRIBUTIONS[name]).rglob("*.py"):
        rooms[path.parent.name] = rooms.get(path.parent.name, 0) + lines_of_code(path.read_text(encoding="utf-8"))
    assert sum(rooms.values()) < most, rooms


def test_blank_lines_comments_and_docstrings_are_not_counted():
    source = '''"""A module."""

def helper():
    """One.

    Two.
    """

    # why
    text = """counted,
    as it is code"""
    return text
'''
    assert lines_of_code(source) == 4


def test_no_file_has_more_than_400_lines():
    lengths = {path.relative_to(tree.ROOT).as_posix(): path.read_text(encoding="utf-8").count("\n") for path in tree.sources()}
    assert {path: length for path, length in lengths.items() if length > 400} == {}


FOLDERS = {".ci", "cli", "core", "docs", "hookspecs", "plugins", "plugins-contrib", "serializers", "tests"}
PAPERS = {"CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md", "SECURITY.md"}
TOOLS = {".gitattributes", ".gitignore", "conftest.py", "pyproject.toml", "uv.lock"}


def in_the_repository():
    """The names at the top level that are part of the product: what git tracks, or in an unpacked archive what is not hidden."""
    git = shutil.which("git")
    if git and (tree.ROOT / ".git").exists():
        listed = subprocess.run([git, "ls-files", "-z"], cwd=tree.ROOT, capture_output=True, text=True, check=True).stdout
        return {path.partition("/")[0] for path in listed.split("\0") if path}
    return {path.name for path in tree.ROOT.iterdir() if not path.name.startswith(".")}


def test_the_top_level_holds_the_parts_the_papers_and_what_tools_need_there():
    assert in_the_repository() - FOLDERS - PAPERS - TOOLS == set()


def test_every_part_is_there():
    parts = {
        path.relative_to(tree.ROOT).as_posix() for top in ("core", "tests", "docs") for path in (tree.ROOT / top).iterdir() if path.is_dir()
    }
    wanted = {f"core/{name}" for name in ("kernel", "client", "packaging")}
    wanted |= {f"tests/{name}" for name in ("kit", "architecture", "e2e", "perf", "reliability")}
    wanted |= {f"docs/{name}" for name in ("tutorials", "how-to", "reference", "explanation", "adr", "changes")}
    assert wanted - parts == set()
    assert (tree.ROOT / "plugins-contrib" / "README.md").is_file()


NAMES = {
    "hookspecs": ("headrace-hookspecs", "headrace_hookspecs"),
    "core/kernel": ("headrace-core", "headrace"),
    "core/client": ("headrace-client", "headrace_client"),
    "core/packaging": ("headrace-packaging", "headrace_packaging"),
    "cli": ("headrace-cli", "headrace_cli"),
    "tests/kit": ("headrace-testkit", "headrace_testkit"),
}
PATTERNS = {
    "plugins": ("headrace-plugin-{0}", "headrace_{1}"),
    "serializers": ("headrace-serializer-{0}", "headrace_serializer_{1}"),
    "plugins-contrib": ("headrace-contrib-{0}", "headrace_contrib_{1}"),
}


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_folder_distribution_and_package_share_their_name(distribution):
    folder = DISTRIBUTIONS[distribution]
    kind, _, name = distribution.partition("/")
    expected = NAMES.get(distribution) or tuple(pattern.format(name, name.replace("-", "_")) for pattern in PATTERNS[kind])
    assert (tree.read(folder / "pyproject.toml")["project"]["name"], tree.package(folder).name) == expected
    assert (tree.package(folder) / "__init__.py").is_file(), "a namespace package has no owner"


def test_no_distribution_is_left_out_of_the_workspace():
    found = {
        path.parent.relative_to(tree.ROOT).as_posix()
        for path in tree.ROOT.glob("*/**/pyproject.toml")
        if not any(part.startswith(".") for part in path.relative_to(tree.ROOT).parts) and path.is_relative_to(tree.ROOT)
    }
    outside = {path for path in found if path.startswith(("docs/", "tests/")) and path != "tests/kit"}
    assert found - outside == set(DISTRIBUTIONS)


PROVIDERS = [name for name in DISTRIBUTIONS if name.partition("/")[0] in PATTERNS]


@pytest.mark.parametrize("distribution", PROVIDERS)
def test_a_provider_is_tried_by_the_class_of_its_kind(distribution):
    path = DISTRIBUTIONS[distribution] / "tests" / "test_conformance.py"
    module = ast.parse(path.read_text(encoding="utf-8"))
    imported = {
        alias.asname or alias.name
        for node in module.body
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "headrace_testkit"
        for alias in node.names
    }
    bases = {
        ast.unparse(base) for node in module.body if isinstance(node, ast.ClassDef) and node.name.startswith("Test") for base in node.bases
    }
    assert bases & imported, f"no class in {path.name} derives from one of the test kit"


GROUPS = {
    "headrace.datastore",
    "headrace.metadata",
    "headrace.serializer",
    "headrace.secrets",
    "headrace.launcher",
    "headrace.orchestrator",
    "headrace.decorator",
    "headrace.environment",
    "headrace.card",
    "headrace.card_component",
    "headrace.command",
    "headrace.hooks",
    "headrace.front_end",
    "pytest11",
}


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_entry_points_are_in_known_groups_and_name_modules_of_their_own(distribution):
    folder = DISTRIBUTIONS[distribution]
    groups = tree.read(folder / "pyproject.toml")["project"].get("entry-points", {})
    assert set(groups) - GROUPS == set()
    src = tree.package(folder).parent
    for entries in groups.values():
        for name, target in entries.items():
            module = target.partition(":")[0].split(".")
            place = src.joinpath(*module)
            assert module[0] == tree.package(folder).name, f"{name} names a module of another distribution"
            assert place.with_suffix(".py").is_file() or (place / "__init__.py").is_file(), f"{name} names {target}, which is not there"


def test_the_groups_are_those_of_the_architecture_page():
    page = (tree.ROOT / "docs" / "explanation" / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(headrace\.[a-z_]+)`", page))
    assert named & GROUPS == GROUPS - {"headrace.front_end", "pytest11"}


EMBEDDED = {
    "headrace.datastore": {"files"},
    "headrace.metadata": {"sqlite"},
    "headrace.serializer": {"plain", "pickle"},
    "headrace.launcher": {"fork", "spawn", "inline"},
    "headrace.decorator": {"retry", "catch", "timeout", "resources", "environment"},
}


def test_a_plain_installation_brings_the_embedded_defaults():
    brought = {re.match(r"[\w-]+", each)[0] for each in tree.read(tree.ROOT / "pyproject.toml")["project"]["dependencies"]}
    found = {}
    for name, folder in DISTRIBUTIONS.items():
        project = tree.read(folder / "pyproject.toml")["project"]
        if name.partition("/")[0] in ("plugins", "serializers") and project["name"] in brought:
            for group, entries in project.get("entry-points", {}).items():
                found.setdefault(group, set()).update(entries)
    assert found == EMBEDDED


@pytest.mark.parametrize("distribution", [name for name in DISTRIBUTIONS if name.partition("/")[0] in ("plugins", "serializers")])
def test_the_pip_line_for_a_missing_name_of_ours_is_its_distribution(distribution):
    project = tree.read(DISTRIBUTIONS[distribution] / "pyproject.toml")
    for group, entries in project["project"].get("entry-points", {}).items():
        for name in entries:
            with pytest.raises(PluginError) as missing:
                Registry(Index(())).entry(group, name)
            assert missing.value.remedy.endswith(f"pip install {project['project']['name']}")
