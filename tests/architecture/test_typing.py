"""What type checkers make of a flow file: decorators keep the function's type, and their keyword arguments are known."""

import re
import subprocess
import sys

import pytest

pytest.importorskip("mypy")

FLOW = """
from typing import Any, Callable

from headrace_hookspecs import flow_decorator, step_decorator
from headrace_resilience import TimeoutException, catch, retry, timeout
from headrace_resources import environment, resources

loose = step_decorator("loose", "acme:Loose")
project = flow_decorator("project", "acme:Project")


@project(name="fraud")
@project
class Flow:
    @retry
    @catch
    @resources
    @environment
    @loose
    def bare(self) -> int:
        return 1

    @retry(times=2, wait="30s", backoff=2, on=[TimeoutException, "oom"], growth={"memory": 2})
    @catch(var="failure", print_exception=False)
    @timeout(minutes=0.5)
    @resources(cpu=2, memory="8G", gpu=1)
    @environment(vars={"MODE": "fast", "LEVEL": 3})
    @loose(anything=object())
    def called(self, inputs: Any) -> str:
        return ""


bare: Callable[[Flow], int] = Flow.bare
called: Callable[[Flow, Any], str] = Flow.called
flow: Flow = Flow()
reveal_type(Flow.bare)
reveal_type(Flow.called)
"""

WRONG = """
from headrace_resilience import catch, retry
from headrace_resources import resources


class Flow:
    @retry(tims=2)
    def misspelt(self) -> None: ...

    @catch(print_exception="no")
    def mistyped(self) -> None: ...

    @resources(2)
    def positional(self) -> None: ...
"""


def check(folder, source):
    """The messages of mypy --strict, with their lines."""
    path = folder / "flow.py"
    path.write_text(source)
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--config-file=",
        "--no-error-summary",
        f"--cache-dir={folder / 'cache'}",
        str(path),
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.stderr == ""
    return [re.sub(r"^.*flow\\.py:", "", line) for line in done.stdout.splitlines()]


def test_a_decorated_step_keeps_its_type(tmp_path):
    lines = [line for line in check(tmp_path, FLOW) if "error" in line or "Revealed" in line]
    assert [line.partition("note: ")[2] for line in lines] == [
        'Revealed type is "def (self: flow.Flow) -> int"',
        'Revealed type is "def (self: flow.Flow, inputs: Any) -> str"',
    ]


def test_a_wrong_keyword_argument_is_found(tmp_path):
    wrong = {int(found[1]) for line in check(tmp_path, WRONG) if (found := re.match(r".*flow\.py:(\d+): error: .*\[call-overload\]", line))}
    assert wrong == {WRONG[: WRONG.index(text)].count("\n") + 1 for text in ("@retry(tims", "@catch(print", "@resources(2)")}
