"""Which run holds the commit record of a reused task. One object in the run record, flattened: it names the run that did the work.

As JSON: `{origin run: {step: [ranges]}}`. A range is a task id, or for the last foreach index `first:last` (`3.0:99` is `3.0` to `3.99`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from typing import Any


def _parts(task: str) -> tuple[str, int, str]:
    """`3.7-2` as head `3.`, last index 7, tail `-2`."""
    numbers, dash, visit = task.partition("-")
    head, dot, last = numbers.rpartition(".")
    return head + dot, int(last), dash + visit


class Reuse:
    """Looks up reused tasks; empty for a run that resumes nothing."""

    def __init__(self, data: Mapping[str, Mapping[str, Iterable[str]]] | None = None) -> None:
        self._runs: dict[str, dict[tuple[str, str, str], list[tuple[int, int]]]] = {}
        for run, steps in (data or {}).items():
            table = self._runs.setdefault(run, {})
            for step, ranges in steps.items():
                for text in ranges:
                    first, _, rest = text.partition(":")
                    last, dash, visit = rest.partition("-")
                    head, low, tail = _parts(first + dash + visit if rest else first)
                    table.setdefault((step, head, tail), []).append((low, int(last) if last else low))
            for spans in table.values():
                spans.sort()

    def find(self, step: str, task: str) -> str | None:
        """The run that committed the task, None if this run has to."""
        head, index, tail = _parts(task)
        for run, table in self._runs.items():
            spans = table.get((step, head, tail), ())
            position = bisect_right(spans, (index, index + 1)) - 1
            # spans are disjoint, so only the last one that starts at or before the index can hold it
            for low, high in spans[max(0, position) : position + 2]:
                if low <= index <= high:
                    return run
        return None

    def tasks(self) -> Iterable[tuple[str, str, str]]:
        """(run, step, task id) of every reused task."""
        for run, table in self._runs.items():
            for (step, head, tail), spans in table.items():
                for low, high in spans:
                    for index in range(low, high + 1):
                        yield run, step, f"{head}{index}{tail}"


def encode(tasks: Iterable[tuple[str, str, str]]) -> dict[str, dict[str, list[str]]]:
    """(run, step, task id) triples as the JSON object; the inverse of `Reuse(...).tasks()`."""
    groups: dict[tuple[str, str, str, str], list[int]] = {}
    for run, step, task in tasks:
        head, number, tail = _parts(task)
        groups.setdefault((run, step, head, tail), []).append(number)
    out: dict[str, dict[str, list[str]]] = {}
    for (run, step, head, tail), indices in sorted(groups.items()):
        ranges = out.setdefault(run, {}).setdefault(step, [])
        start: int | None = None
        previous: int | None = None
        for index in [*sorted(set(indices)), None]:
            if previous is not None and start is not None and (index is None or index != previous + 1):
                ranges.append(f"{head}{start}{tail}" if start == previous else f"{head}{start}:{previous}{tail}")
                start = None
            if start is None:
                start = index
            previous = index
    return out


def flatten(origin: str, own: Iterable[tuple[str, str]], earlier: Any) -> dict[str, dict[str, list[str]]]:
    """The reuse object of a run that takes `own` (step, task id) over from `origin`, which itself reused `earlier` (its reuse object)."""
    before = Reuse(earlier)
    return encode((before.find(step, task) or origin, step, task) for step, task in own)
