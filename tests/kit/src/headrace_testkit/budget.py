"""Measures what starting a program costs in modules and attrs classes: sets that a test can compare, where times would only flicker.

`measure` runs the program in a fresh interpreter and hears from that process and from every process forked from it.
"""

from __future__ import annotations

import gc
import inspect
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from typing import NamedTuple


def attrs_classes() -> list[str]:
    """`module.Class` of every attrs class in this process, sorted; attrs' own, which come with importing it, are left out.

    Each costs about half a millisecond to create.
    """
    gc.collect()  # a class with slots replaces one that attrs made first
    found: set[type] = set()
    waiting: list[type] = [object]
    while waiting:  # not gc.get_objects(), which leaves out what was frozen before a fork
        fresh: set[type] = set(type.__subclasses__(waiting.pop())) - found
        found |= fresh
        waiting += fresh
    named = (each for each in found if "__attrs_attrs__" in vars(each) and each.__module__.partition(".")[0] != "attr")
    return sorted(f"{each.__module__}.{each.__qualname__}" for each in named)


# Runs before the program. It must not import what the program would be blamed for: os, sys, gc and atexit are there or free.
_PROBE = (
    "import gc\n"
    + inspect.getsource(attrs_classes)
    + """
import atexit, os, sys
_folder, _program = sys.argv[1:3]
sys.argv[:3] = ["-c"]
_state = {"parent": None, "modules": set(sys.modules), "classes": set()}

def _forked():
    _state.update(parent=os.getppid(), modules=set(sys.modules), classes=set(attrs_classes()))

def _report():
    modules, classes = set(sys.modules), set(attrs_classes())
    import json
    report = {
        "pid": os.getpid(), "parent": _state["parent"],
        "modules": sorted(modules), "new_modules": sorted(modules - _state["modules"]),
        "classes": sorted(classes), "new_classes": sorted(classes - _state["classes"]),
    }
    with open(os.path.join(_folder, "%d.json" % os.getpid()), "w") as file:
        json.dump(report, file)

def _leave(status, _exit=os._exit):
    _report()
    _exit(status)

os._exit = _leave
os.register_at_fork(after_in_child=_forked)
atexit.register(_report)
_globals = {"__name__": "__main__"}
exec(compile(_program, "<program>", "exec"), _globals)
"""
)


class Report(NamedTuple):
    """What one process had loaded when it ended. `parent` is None for the first; `new_*` came after its fork, or after Python's start."""

    pid: int
    parent: int | None
    modules: frozenset[str]
    new_modules: frozenset[str]
    classes: frozenset[str]
    new_classes: frozenset[str]


class Measurement(NamedTuple):
    """The first process, those forked from it in no particular order (killed ones are missing), and what the program printed."""

    main: Report
    forked: Sequence[Report]
    status: int
    stdout: str
    stderr: str


def measure(
    program: str,
    *arguments: str,
    cwd: str | os.PathLike[str] | None = None,
    environ: Mapping[str, str] | None = None,
    timeout: float = 120.0,
) -> Measurement:
    """Run Python source in a fresh interpreter, with `arguments` in sys.argv[1:], and say what it loaded.

    Example, what one flow costs::

        result = measure("from headrace_cli.main import main; main()", "run", "hello.py", cwd=tmp_path)
        assert len(result.main.classes) <= 30
    """
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-c", _PROBE, folder, program, *arguments],
            cwd=cwd,
            env=None if environ is None else dict(environ),
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        reports = []
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                data = json.load(file)
            sets = {key: frozenset(data[key]) for key in ("modules", "new_modules", "classes", "new_classes")}
            reports.append(Report(pid=data["pid"], parent=data["parent"], **sets))
    first = [report for report in reports if report.parent is None]
    if len(first) != 1:
        raise RuntimeError(f"the program ended without a report (status {done.returncode}):\n{done.stderr}")
    return Measurement(first[0], [each for each in reports if each.parent is not None], done.returncode, done.stdout, done.stderr)
