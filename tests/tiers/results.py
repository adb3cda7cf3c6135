"""What came of a suite, and the table at the end. Pure but for reading pytest's own report file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree


@dataclass(frozen=True)
class Result:
    """One suite. `skipped` holds one reason a test; `problem` is what failed the suite apart from its tests."""

    name: str
    passed: int = 0
    failed: int = 0
    skipped: tuple[str, ...] = ()
    seconds: float = 0.0
    problem: str | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing failed, neither a test nor the suite itself."""
        return self.failed == 0 and self.problem is None


def read_report(path: Path) -> tuple[int, int, tuple[str, ...]]:
    """(passed, failed, reasons of the skipped) of a JUnit XML file; an error in setup or teardown is a failure.

    Raises OSError or ElementTree.ParseError where pytest did not live to write it.
    """
    outcomes: Counter[str] = Counter()
    reasons = []
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        skip = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            outcomes["failed"] += 1
        elif skip is not None:
            expected = "expected failure: " if skip.get("type") == "pytest.xfail" else ""
            reasons.append(expected + (skip.get("message") or "no reason given"))
        else:
            outcomes["passed"] += 1
    return outcomes["passed"], outcomes["failed"], tuple(reasons)


def forbidden_skips(reasons: Iterable[str], required: Iterable[str]) -> list[str]:
    """The reasons that name a required component as a word of its own."""
    patterns = [re.compile(rf"(?<![\w-]){re.escape(component)}(?![\w-])") for component in required]
    return sorted({reason for reason in reasons if any(pattern.search(reason) for pattern in patterns)})


def line(result: Result) -> str:
    """One row: suite, passed, minutes, and what else there is to say."""
    row = f"{result.name:<16}{result.passed:>7} passed{result.seconds / 60:>8.1f} min"
    notes = []
    if result.failed:
        notes.append(f"{result.failed} FAILED")
    if result.problem:
        notes.append(f"FAILED: {result.problem}")
    notes.extend(f"{count} skipped: {reason}" for reason, count in sorted(Counter(result.skipped).items()))
    return f"{row}   {'; '.join(notes)}".rstrip()


def closing(results: Sequence[Result]) -> str:
    """The last line; a suite that failed without a failed test counts as one."""
    failed = sum(result.failed or (0 if result.ok else 1) for result in results)
    skipped = sum(len(result.skipped) for result in results)
    return f"{sum(result.passed for result in results)} passed, {failed} failed, {skipped} skipped"
