"""Which tasks a task started from, and which started from it: derived from the graph and the commit records, as the scheduler does it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from headrace_hookspecs import Outcome, parse_task_id

from .reading import by_index

if TYPE_CHECKING:
    from .reading import RunReader


def parents(reader: RunReader, step: str, task: str) -> Iterator[tuple[str, str]]:
    """(step, task id) of the inputs, in order."""
    from headrace.graph.paths import inputs_of

    def outcomes(name: str, id: str) -> Outcome | None:
        record = reader.commit(name, id)
        return None if record is None else record.outcome

    indices, visit = parse_task_id(task, reader.graph.steps[step].foreach_depth)
    return inputs_of(reader.graph, step, indices, visit, outcomes)


def children(reader: RunReader, step: str, task: str) -> Iterator[tuple[str, str]]:
    """(step, task id) of the tasks that have `task` among their inputs, in the order of the step's transitions."""
    for follower in dict.fromkeys(reader.graph.steps[step].next):
        for name, id in sorted(reader.tasks(follower), key=lambda key: by_index(key[1])):
            if (step, task) in parents(reader, name, id):
                yield name, id
