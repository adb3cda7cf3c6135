"""The program `flow` in a folder of its own, and flows for it to run."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HELLO = '''\
"""Says hello."""

from headrace import FlowSpec, JSONType, Parameter, step


class HelloFlow(FlowSpec):
    """Greets everybody."""

    names = Parameter("names", type=JSONType, default=["ada", "bob"], help="Whom to greet.")
    greeting = Parameter("greeting", default="hello", help="How to greet.")
    fail_at = Parameter("fail-at", default=-1, help="The index that fails.")
    secret = Parameter("secret", default=1.5, hidden=True)
    loud = Parameter("loud", is_flag=True, help="Whether to shout.")

    @step
    def start(self):
        """Where it begins."""
        self.people = self.names
        print("ready", end="")
        self.next(self.greet, foreach="people")

    @step
    def greet(self):
        self.text = f"{self.greeting} {self.input}"
        self.custom = Custom(self.text)
        if self.index == self.fail_at:
            raise ValueError(f"no greeting for {self.input}")
        print("  " + self.text)
        self.next(self.join)

    @step
    def join(self, inputs):
        self.texts = [each.text for each in inputs]
        self.next(self.end)

    @step
    def end(self):
        self.shouted = [text.upper() for text in self.texts] if self.loud else []


class Custom:
    def __init__(self, text):
        self.text = text

    def __repr__(self):
        return f"Custom({self.text!r})"


if __name__ == "__main__":
    HelloFlow()
'''

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def environment(**extra: str) -> dict[str, str]:
    """The environment of a user who has configured nothing."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HEADRACE_", "_FLOW_"))}
    return {**kept, "COLUMNS": "100", "TZ": "UTC", "NO_COLOR": "", **extra}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with `hello.py`; there is a space in its path."""
    folder = tmp_path / "a project"
    folder.mkdir()
    (folder / "hello.py").write_text(HELLO)
    return folder


@pytest.fixture
def flow(folder: Path) -> Run:
    """Runs `flow ARGS` in the folder. `program` replaces `flow`, `env` adds to the environment."""

    def run(*args: str, program: tuple[str, ...] = ("-m", "headrace_cli"), env: dict[str, str] | None = None, **options: Any) -> Any:
        command = [sys.executable, *program, *args]
        options = {"cwd": folder, "capture_output": True, "text": True, "timeout": 120, **options}
        return subprocess.run(command, env=environment(**(env or {})), **options)

    return run
