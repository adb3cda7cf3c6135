"""The page of promises names tests; each of them is there under its name."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "reliability.md"


def test_every_test_that_a_promise_names_is_there() -> None:
    named = re.findall(r"\[(test_\w+)\]\(([^)]+)\)", PAGE.read_text(encoding="utf-8"))
    missing = [name for name, path in named if f"def {name}(" not in (PAGE.parent / path).read_text(encoding="utf-8")]

    assert len(named) > 20
    assert missing == []


def test_every_promise_says_what_shows_it_or_that_it_is_to_come() -> None:
    rows = [line.split("|")[1:-1] for line in PAGE.read_text(encoding="utf-8").splitlines() if re.match(r"\| \d+ \|", line)]

    assert [int(number) for number, _, _ in rows] == list(range(1, len(rows) + 1))
    assert [number for number, _, shown in rows if "test_" not in shown and "to come" not in shown] == []
