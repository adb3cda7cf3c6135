import pytest
from attrs import frozen

from headrace_testkit.budget import attrs_classes, measure


def test_attrs_classes_are_named_once_each():
    @frozen
    class Box:
        size: int

    name = f"{__name__}.{Box.__qualname__}"
    assert attrs_classes().count(name) == 1


def test_a_program_that_imports_nothing_is_charged_nothing():
    result = measure("print('done')")
    assert (result.status, result.stdout, result.stderr, result.forked) == (0, "done\n", "", [])
    assert result.main.classes == frozenset()
    assert result.main.new_modules <= {"atexit", "gc"}


def test_modules_and_classes_are_those_at_the_end_of_the_program():
    program = """
import sys
import colorsys
from attrs import frozen

@frozen
class Box:
    size: int

sys.exit(int(sys.argv[1]))
"""
    result = measure(program, "3")
    assert result.status == 3
    assert "colorsys" in result.main.new_modules
    assert result.main.new_classes == result.main.classes == {"__main__.Box"}


def test_forked_processes_report_what_came_after_the_fork():
    program = """
import gc, os
import attrs

Early = attrs.make_class("Early", ["size"], frozen=True)
gc.freeze()
pid = os.fork()
if pid == 0:
    Late = attrs.make_class("Late", ["size"], frozen=True)
    import colorsys
    os._exit(0)
os.waitpid(pid, 0)
"""
    result = measure(program)
    (child,) = result.forked
    assert child.parent == result.main.pid
    assert (child.new_classes, child.classes) == ({"__main__.Late"}, {"__main__.Early", "__main__.Late"})
    assert ("colorsys" in child.new_modules, "attr" in child.new_modules) == (True, False)
    assert result.main.classes == {"__main__.Early"}


def test_a_program_that_is_killed_is_no_measurement():
    with pytest.raises(RuntimeError, match="without a report"):
        measure("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
