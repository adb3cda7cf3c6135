import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

import headrace_hookspecs

ROOT = Path(headrace_hookspecs.__file__).parent
MODULES = sorted(info.name for info in pkgutil.iter_modules([str(ROOT)]))


def table():
    """name -> module, as the lazy loader knows it."""
    return dict(headrace_hookspecs._HOME)


def loaded_by(statement):
    """What a fresh interpreter has imported after `statement`."""
    code = f"import sys; {statement}; print(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_every_name_resolves_to_the_thing_in_its_module():
    for name, module in table().items():
        assert getattr(headrace_hookspecs, name) is getattr(importlib.import_module(f"headrace_hookspecs.{module}"), name)
    assert headrace_hookspecs.__all__ == ["API_VERSION", *sorted(table())]
    assert set(headrace_hookspecs.__all__) <= set(dir(headrace_hookspecs))


def test_another_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'headrace_hookspecs' has no attribute 'Datastore'"):
        _ = headrace_hookspecs.Datastore


def test_type_checkers_see_what_is_there_at_run_time():
    block = next(
        node
        for node in ast.parse((ROOT / "__init__.py").read_text()).body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    seen = {}
    for line in block.body:
        assert isinstance(line, ast.ImportFrom)
        assert line.level == 1
        for alias in line.names:
            assert alias.asname == alias.name
            seen[alias.name] = line.module
    assert seen == table()


def test_the_package_alone_imports_neither_attrs_nor_pluggy():
    loaded = loaded_by("import headrace_hookspecs")
    assert {name for name in loaded if name.partition(".")[0] in ("attr", "attrs", "pluggy")} == set()
    assert {name for name in loaded if name.startswith("headrace")} == {"headrace_hookspecs"}


def test_a_decorator_in_a_flow_file_costs_neither_attrs_nor_pluggy():
    loaded = loaded_by("from headrace_hookspecs import step_decorator; step_decorator('pause', 'headrace_pause.pausing:Pause')")
    assert {name for name in loaded if name.partition(".")[0] in ("attr", "attrs", "pluggy", "inspect")} == set()


def test_errors_and_ids_cost_no_attrs():
    loaded = loaded_by("from headrace_hookspecs import HeadraceError, check_id, task_id")
    assert {name for name in loaded if name.partition(".")[0] in ("attr", "attrs", "pluggy")} == set()


def test_only_hooks_need_pluggy():
    names = [name for name, module in table().items() if module != "hooks"]
    loaded = loaded_by(f"from headrace_hookspecs import {', '.join(names)}")
    assert {name for name in loaded if name.partition(".")[0] == "pluggy"} == set()


@pytest.mark.parametrize("name", MODULES)
def test_every_public_thing_says_what_it_is(name):
    tree = ast.parse((ROOT / f"{name}.py").read_text())
    assert ast.get_docstring(tree)
    silent = []
    for parent in ast.walk(tree):
        if isinstance(parent, (ast.Module, ast.ClassDef)):
            for node in parent.body:
                if not isinstance(node, (ast.ClassDef, ast.FunctionDef)) or node.name.startswith("_"):
                    continue
                overload = any(ast.unparse(each) == "overload" for each in node.decorator_list)
                if not overload and not ast.get_docstring(node):
                    silent.append(node.name)
    assert silent == []


@pytest.mark.parametrize("name", MODULES)
def test_data_is_frozen(name):
    module = importlib.import_module(f"headrace_hookspecs.{name}")
    classes = [each for each in vars(module).values() if isinstance(each, type) and each.__module__ == module.__name__]
    data = [cls for cls in classes if attrs.has(cls)]
    for cls in data:
        instance = cls.__new__(cls)
        for field in attrs.fields(cls):
            with pytest.raises(attrs.exceptions.FrozenInstanceError):
                setattr(instance, field.name, None)


def test_the_version_of_the_contract_is_the_major_version_of_the_distribution():
    from importlib.metadata import version

    assert headrace_hookspecs.API_VERSION.split(".")[0] == version("headrace-hookspecs").split(".")[0]
