"""What can be wrong: with a manifest, found before anything runs, and with one template while it runs. Knows no rule itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Problem(NamedTuple):
    """One thing that is wrong, and where: a path such as `spec.templates[main].dag.tasks[a].depends`."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class ManifestError(Exception):
    """The manifest, or what was submitted with it, is refused; `problems` has all that was found."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


class TemplateError(Exception):
    """A template cannot be executed with the values at hand: its node ends in phase Error with this message."""


class RunnerError(Exception):
    """The runner cannot do what a pod asks for, so that the outcome would mean nothing: the test that asked is at fault."""
