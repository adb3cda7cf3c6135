"""What ignore files say about a path. Git's rules: patterns count from the folder they stand in, the last word wins, deeper files win.

`.headraceignore` is read after the `.gitignore` beside it and may take files in again that Git leaves out (`!data/small.csv`).
"""

from __future__ import annotations

import os
from typing import Final, NamedTuple

from pathspec import GitIgnoreSpec

from headrace_hookspecs.errors import UsageError

IGNORE_FILES: Final = (".gitignore", ".headraceignore")


class Rules(NamedTuple):
    """The rules that hold in a folder: (folder relative to the root, with a slash at its end or empty; its patterns), outermost first."""

    levels: tuple[tuple[str, GitIgnoreSpec], ...] = ()

    def within(self, folder: str, absolute: str) -> Rules:
        """The rules inside `folder`, whose ignore files are read now from the path `absolute`. Raises UsageError."""
        lines: list[str] = []
        for name in IGNORE_FILES:
            path = os.path.join(absolute, name)
            if os.path.isfile(path):
                lines += _lines(path)
        return Rules((*self.levels, (folder, _patterns(lines, absolute)))) if lines else self

    def ignore(self, path: str) -> bool:
        """Whether `path` (relative to the root; a folder ends in a slash) is left out."""
        for folder, spec in reversed(self.levels):
            answer = spec.check_file(path[len(folder) :]).include
            if answer is not None:
                return answer
        return False


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8-sig") as file:
            return file.read().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The ignore file cannot be read: {error}", file=path, code="package-unreadable") from error


def _patterns(lines: list[str], folder: str) -> GitIgnoreSpec:
    try:
        return GitIgnoreSpec.from_lines(lines)
    except ValueError as error:
        raise UsageError(f"An ignore file in {folder} has a pattern that means nothing: {error}", code="package-pattern") from error
