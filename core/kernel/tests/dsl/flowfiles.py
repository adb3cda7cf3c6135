"""Flow files as text, and what their comments say about them."""

from __future__ import annotations

import re
import sys
from pathlib import Path

HEADER = "from headrace import FlowSpec, JSONType, Parameter, step\nfrom headrace_hookspecs import flow_decorator, step_decorator\n\n"

SECOND_STEP = """
    @step
    def end(self):
        pass
"""


def expected(text: str) -> list[tuple[int, str]]:
    """(line, code) of each problem: the lines of HEADER + text whose comment begins with a code of lint."""
    found = []
    for number, line in enumerate((HEADER + text).splitlines(), start=1):
        for codes in re.findall(r"# (lint-\S+(?: lint-\S+)*)$", line):
            found += [(number, code) for code in codes.split()]
    return found


def line_of(path: Path, words: str) -> int:
    """The number of the one line that contains `words`."""
    lines = [number for number, line in enumerate(path.read_text().splitlines(), start=1) if words in line]
    assert len(lines) == 1, lines
    return lines[0]


def forget(folder: Path) -> None:
    """Take the modules of a folder back out of the interpreter."""
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(str(folder)):
            del sys.modules[name]
