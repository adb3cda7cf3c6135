"""Every hook is documented and tried; pluggy is used as its own documentation allows."""

import re

import pytest

from architecture import tree
from architecture.hooking import misuses
from headrace_hookspecs import hooks

NAMES = sorted(name for name in vars(hooks) if name.startswith("headrace_"))
PAGES = {path.relative_to(tree.ROOT).as_posix(): path.read_text(encoding="utf-8") for path in (tree.ROOT / "docs").rglob("*.md")}


def named_after(names, texts):
    """Those of `names` that a test function is named after."""
    functions = {found for text in texts for found in re.findall(r"^ *(?:async )?def test_(\w+)", text, re.MULTILINE)}
    return {name for name in names if any(found == name or found.startswith(f"{name}_") for found in functions)}


def test_every_hook_has_a_test_that_is_named_after_it():
    texts = [path.read_text(encoding="utf-8") for path in tree.sources() if path.name.startswith("test_")]
    assert set(NAMES) - named_after(NAMES, texts) == set()


def test_a_hook_without_a_test_is_seen():
    assert named_after(
        ["headrace_a", "headrace_b"], ["def test_headrace_a_works():\n", "# def test_headrace_b\n", "def test_headrace_bold(): ..."]
    ) == {"headrace_a"}


@pytest.mark.parametrize("name", NAMES)
def test_every_hook_has_its_place_in_the_reference_and_in_the_architecture(name):
    assert f"\n## {name}\n" in PAGES["docs/reference/hooks.md"]
    assert f"| `{name}` |" in PAGES["docs/explanation/architecture.md"]


@pytest.mark.parametrize("distribution", tree.distributions())
def test_pluggy_is_used_by_its_public_names_and_no_hook_pushes_itself(distribution):
    found = {}
    for path in tree.package(tree.distributions()[distribution]).rglob("*.py"):
        if wrong := list(misuses(path.read_text(encoding="utf-8"))):
            found[path.name] = wrong
    assert found == {}


@pytest.mark.parametrize(
    ("source", "wrong"),
    [
        ("import pluggy._hooks", "pluggy._hooks"),
        ("from pluggy import _manager", "pluggy._manager"),
        ("from pluggy._result import Result", "pluggy._result.Result"),
        ("import pluggy\npluggy._tracing", "pluggy._tracing"),
        ("manager._inner_hookexec = None", "._inner_hookexec"),
        ("self.manager._name2plugin.clear()", "._name2plugin"),
        ('getattr(manager, "_hookexec")', "._hookexec"),
        ("manager.hook.headrace_doctor.call_historic()", ".call_historic"),
        ("@hookimpl(tryfirst=True)\ndef headrace_doctor(request): ...", "tryfirst"),
        ("@hookimpl(trylast=True)\ndef headrace_doctor(request): ...", "trylast"),
        ("def late():\n    return hookspec(historic=True)", "historic"),
    ],
)
def test_each_misuse_is_seen(source, wrong):
    assert [each.partition(": ")[2] for each in misuses(source)] == [wrong]


def test_the_public_names_are_left_alone():
    source = """
import pluggy
from pluggy import HookimplMarker, PluginManager
manager = pluggy.PluginManager("headrace")
manager.register(object(), name="x")
manager.hook.headrace_doctor(request=None)
hookimpl = HookimplMarker("headrace")
@hookimpl(wrapper=True, tryfirst=False)
def headrace_task_execute(request):
    return (yield)
"""
    assert list(misuses(source)) == []
