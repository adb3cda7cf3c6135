import inspect
import re

import pluggy
import pytest

from headrace_hookspecs import hooks

NAMES = sorted(name for name in vars(hooks) if name.startswith("headrace_"))
PARTS = ("When: ", "Process: ", "Returns: ", "Example::")


def test_there_are_eight_each_with_a_mode():
    assert len(NAMES) == 8
    assert {*hooks.POLICY, *hooks.OBSERVER, "headrace_task_execute"} == set(NAMES)
    assert not hooks.POLICY & hooks.OBSERVER


def test_pluggy_takes_them_all():
    manager = pluggy.PluginManager(hooks.PROJECT)
    manager.add_hookspecs(hooks)
    assert {name: getattr(manager.hook, name).spec is not None for name in NAMES} == dict.fromkeys(NAMES, True)


@pytest.mark.parametrize("name", NAMES)
def test_each_takes_exactly_one_object(name):
    (parameter,) = inspect.signature(getattr(hooks, name)).parameters.values()
    assert parameter.name == ("event" if name == "headrace_on_event" else "request")


@pytest.mark.parametrize("name", NAMES)
def test_each_says_when_where_what_is_returned_and_shows_an_example(name):
    text = inspect.getdoc(getattr(hooks, name))
    positions = [text.find(part) for part in PARTS]
    assert -1 not in positions
    assert positions == sorted(positions)
    assert set(re.findall(r"Process: ([a-z, ]+)", text)[0].replace(",", "").split()) & {"author", "scheduler", "task"}
    example = inspect.cleandoc(text.partition("Example::")[2])
    assert example.startswith("@hookimpl")
    compile(example, name, "exec")
    assert f"def {name}(" in example


def test_a_hooks_plugin_lives_where_it_says():
    class Quiet:
        pass

    class Everywhere:
        headrace_processes = frozenset({"task", "scheduler", "author"})

    assert hooks.processes_of(Quiet()) == ["author", "scheduler"]
    assert hooks.processes_of(Everywhere()) == ["author", "scheduler", "task"]
