"""The laws on the tree as it is, and on trees that break each of them in every form of import."""

import ast
import re
import sys

import pytest

from architecture import tree
from architecture.imports import CONTRACT, breaches, package_imports

MODULES = tree.module_names()
PACKAGES = {name: tree.package(folder) for name, folder in tree.distributions().items()}


@pytest.mark.parametrize("distribution", PACKAGES)
def test_a_distribution_imports_only_what_its_class_may(distribution):
    assert breaches(PACKAGES[distribution], MODULES) == []


# every way to import `{path}`, a dotted path of at least two words whose first is `{top}`
FORMS = {
    "import": "import {top}",
    "import of a module": "import {path}",
    "import as": "import {path} as other",
    "one import of several": "import json, {path}",
    "from": "from {path} import thing",
    "from the package": "from {top} import thing",
    "star": "from {path} import *",
    "in a function": "def use():\n    import {path}",
    "in a function, from": "def use():\n    if True:\n        from {path} import thing",
    "in a coroutine": "async def use():\n    import {path}",
    "in a method": "class Use:\n    def it(self):\n        import {path}",
    "in a class body": "class Use:\n    import {path}",
    "in a try": "try:\n    import {path}\nexcept ImportError:\n    pass",
    "in a handler": "try:\n    pass\nexcept ImportError:\n    import {path}",
    "for type checkers": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import {path}",
    "for type checkers, from": "import typing\nif typing.TYPE_CHECKING:\n    from {path} import thing",
    "for all but type checkers": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    pass\nelse:\n    import {path}",
    "importlib": 'import importlib\nimportlib.import_module("{path}")',
    "importlib of the package": 'import importlib\nimportlib.import_module("{top}")',
    "importlib in a function": 'def use():\n    import importlib\n    return importlib.import_module("{path}")',
    "importlib in a lambda": 'import importlib\nuse = lambda: importlib.import_module("{path}")',
    "importlib by keyword": 'from importlib import import_module\nimport_module(name="{path}")',
    "importlib renamed": 'import importlib as loader\nloader.import_module("{path}")',
    "import_module renamed": 'from importlib import import_module as load\nload("{path}")',
    "import_module assigned": 'import importlib\nload = importlib.import_module\nload("{path}")',
    "the built-in": '__import__("{path}")',
    "the built-in, renamed": 'import builtins\nload = builtins.__import__\nload("{top}")',
    "a computed rest": 'from importlib import import_module\ndef use(name):\n    import_module(f"{top}.{{name}}")',
    "an added rest": 'from importlib import import_module\ndef use(name):\n    import_module("{top}." + name)',
    "a formatted rest": 'from importlib import import_module\ndef use(name):\n    import_module("{top}.%s" % name)',
    "a spec": 'from importlib.util import find_spec\nfind_spec("{path}")',
    "pkgutil": 'import pkgutil\npkgutil.resolve_name("{path}:thing")',
    "runpy": 'import runpy\nrunpy.run_module("{path}")',
    "a constant": 'from importlib import import_module\nHOME = "{path}"\ndef use():\n    import_module(HOME)',
    "a table": 'HOMES = {{"thing": "{path}:Thing"}}',
    "relative": "from ..{path} import thing",
    "relative, of a name": "from .. import {top}",
    "relative, by importlib": 'from importlib import import_module\nimport_module("..{path}", __package__)',
    "beside a good one": f"import {CONTRACT}\nfrom {CONTRACT} import ids; import {{path}}",
}

BROKEN_LAWS = [
    (CONTRACT, "headrace.api"),
    (CONTRACT, "headrace_packaging.build"),
    (CONTRACT, "headrace_files.store"),
    ("headrace", "headrace_client.runs"),
    ("headrace", "headrace_cli.main"),
    ("headrace", "headrace_files.store"),
    ("headrace", "headrace_resilience.retrying"),
    ("headrace", "headrace_testkit.decorators"),
    ("headrace_packaging", "headrace_files.store"),
    ("headrace_packaging", "headrace_cli.main"),
    ("headrace_client", "headrace_cli.main"),
    ("headrace_client", "headrace_sqlite.store"),
    ("headrace_cli", "headrace_files.store"),
    ("headrace_cli", "headrace_serializer_pickle.serializer"),
    ("headrace_cli", "headrace_testkit.decorators"),
    ("headrace_files", "headrace.api"),
    ("headrace_files", "headrace_client.runs"),
    ("headrace_files", "headrace_cli.main"),
    ("headrace_files", "headrace_sqlite.store"),
    ("headrace_files", "headrace_packaging.build"),
    ("headrace_files", "headrace_testkit.decorators"),
    ("headrace_serializer_plain", "headrace_serializer_pickle.serializer"),
    ("headrace_contrib_ray", "headrace.api"),
    ("headrace_contrib_ray", "headrace_processes.launcher"),
    ("headrace_testkit", "headrace_files.store"),
    ("headrace_testkit", "headrace_cli.main"),
    ("headrace", "headrace_aws.clients"),
    ("headrace_client", "headrace_aws.clients"),
    ("headrace_cli", "headrace_aws.clients"),
    ("headrace_testkit", "headrace_aws.clients"),
    ("headrace_aws", "headrace.api"),
    ("headrace_aws", "headrace_s3.store"),
    ("headrace_s3", "headrace_files.store"),
]


def write(folder, package, source, file="work.py"):
    top = folder / package
    top.mkdir()
    (top / "__init__.py").write_text('"""A package."""\n')
    (top / file).write_text(source)
    return top


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("importer", "path"), BROKEN_LAWS, ids=lambda value: value)
def test_a_broken_law_is_seen_in_every_form(tmp_path, importer, path, form):
    source = FORMS[form].format(path=path, top=path.partition(".")[0])
    compile(source, form, "exec")
    found = breaches(write(tmp_path, importer, source), {path})
    assert found
    assert all(re.fullmatch(rf"work\.py:\d+ imports {path.partition('.')[0]}(\.\w+)*\.?\*?", each) for each in found)


@pytest.mark.parametrize("form", set(FORMS) - {name for name in FORMS if name.startswith("relative")})
@pytest.mark.parametrize(
    ("importer", "path"),
    [
        ("headrace_files", f"{CONTRACT}.ids"),
        ("headrace_files", "headrace_files.store"),
        ("headrace_s3", "headrace_aws.clients"),
        ("headrace_aws", f"{CONTRACT}.ids"),
        ("headrace", f"{CONTRACT}.ids"),
        ("headrace", "headrace.api"),
        ("headrace_packaging", f"{CONTRACT}.ids"),
        ("headrace_packaging", "headrace.project"),
        ("headrace_client", "headrace.api"),
        ("headrace_cli", "headrace.api"),
        ("headrace_cli", "headrace_client.runs"),
        ("headrace_testkit", f"{CONTRACT}.ids"),
        (CONTRACT, f"{CONTRACT}.ids"),
        ("headrace_files", "os.path"),
    ],
    ids=lambda value: value,
)
def test_what_is_allowed_is_left_alone_in_every_form(tmp_path, importer, path, form):
    source = FORMS[form].format(path=path, top=path.partition(".")[0])
    assert breaches(write(tmp_path, importer, source), {path}) == []


def test_the_code_package_is_imported_by_the_kernel_in_functions_only(tmp_path):
    late = "def build():\n    from headrace_packaging import build\n    return build\n"
    early = "from headrace_packaging import build\n"
    assert breaches(write(tmp_path, "headrace", late + early), set()) == ["work.py:4 imports headrace_packaging"]


def test_the_test_kit_imports_the_kernel_in_functions_only(tmp_path):
    late = "def codec():\n    import headrace.graph.codec\n"
    early = "import headrace.graph.codec\n"
    assert breaches(write(tmp_path, "headrace_testkit", late + early), set()) == ["work.py:3 imports headrace.graph.codec"]


NAMED = (
    "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from headrace_resilience import retry\n    from headrace_client import Run\n"
)


def test_headrace_itself_names_the_embedded_decorators_and_the_client_for_type_checkers(tmp_path):
    lazy = 'HOME = {"Run": "headrace_client"}\n'
    assert breaches(write(tmp_path, "headrace", NAMED + lazy, "__init__.py"), {"headrace_client"}) == []


@pytest.mark.parametrize("file", ["names.py", "nested/__init__.py"])
def test_no_other_module_of_the_kernel_does(tmp_path, file):
    (tmp_path / "headrace" / "nested").mkdir(parents=True)
    (tmp_path / "headrace" / file).write_text(NAMED)
    assert breaches(tmp_path / "headrace", set()) == [f"{file}:3 imports headrace_resilience", f"{file}:4 imports headrace_client"]


@pytest.mark.parametrize("line", ["from headrace_resilience import retry", "import headrace_client", "HOME = 'headrace_resilience'"])
def test_headrace_itself_imports_none_of_them(tmp_path, line):
    assert len(breaches(write(tmp_path, "headrace", line, "__init__.py"), {"headrace_resilience"})) == 1


@pytest.mark.parametrize(
    "line", ["from headrace import _x", "from headrace._y import z", "import headrace._y", "from headrace.api import _x"]
)
def test_what_is_private_is_nobody_else_s(tmp_path, line):
    assert len(breaches(write(tmp_path, "headrace_cli", line), set())) == 1
    (tmp_path / "headrace_cli" / "work.py").write_text("from headrace import __version__\n")
    assert breaches(tmp_path / "headrace_cli", set()) == []


# third parties

PROJECTS = {package.name: tree.read(tree.ROOT / folder / "pyproject.toml")["project"] for folder, package in PACKAGES.items()}
DISTRIBUTIONS = {"attr": "attrs", **{package: about["name"] for package, about in PROJECTS.items()}}

LATE = {"headrace": {"headrace-packaging"}, "headrace_testkit": {"headrace-core"}}
"""Imported in functions, by those who have it."""


def declared(package):
    return {re.match(r"[\w-]+", each)[0] for each in PROJECTS[package]["dependencies"]}


def foreign(package):
    """The distributions that a package needs at run time; one imported in a `try` that catches ImportError is not needed."""
    found = set()
    for _, each in package_imports(package):
        if each.place in ("top", "function") and not each.optional and each.top not in {package.name, *sys.stdlib_module_names}:
            found.add(DISTRIBUTIONS.get(each.top, each.top.replace("_", "-")))
    return found


@pytest.mark.parametrize("distribution", PACKAGES)
def test_a_distribution_declares_what_it_imports(distribution):
    package = PACKAGES[distribution]
    with_the_contract = declared(CONTRACT) if package.name != CONTRACT else set()
    assert foreign(package) - declared(package.name) - with_the_contract - LATE.get(package.name, set()) == set()


def test_the_contract_imports_attrs_and_pluggy_only():
    assert foreign(PACKAGES["hookspecs"]) == declared(CONTRACT) == {"attrs", "pluggy"}


INPUT_AND_OUTPUT = {
    *("asyncio", "io", "multiprocessing", "os", "pathlib", "select", "selectors", "shutil", "signal", "socket", "sqlite3", "subprocess"),
    *("tempfile", "threading", "urllib"),
}


def test_the_contract_does_no_input_and_output():
    package = PACKAGES["hookspecs"]
    assert [(file, each.path) for file, each in package_imports(package) if each.top in INPUT_AND_OUTPUT] == []
    calls = [
        (path.name, node.func.id)
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"open", "print", "input", "exec", "eval"}
    ]
    assert calls == []
