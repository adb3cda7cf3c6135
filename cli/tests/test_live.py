from typing import Any

from headrace_cli.live import Progress
from headrace_hookspecs import Event


def event(kind: Any, step: str = "", task: str = "", attempt: int | None = 0, **data: Any) -> Event:
    return Event(kind, 100.0, "F", "r", step, task, attempt, data)


def progress(*events: Event) -> Progress:
    counted = Progress(GRAPH)
    for each in events:
        counted.take(each)
    return counted


GRAPH = {"start": ["fit"], "fit": ["join"], "join": ["end"], "end": []}


def started(step: str, *tasks: int) -> list[Event]:
    return [event("attempt-started", step, str(task), pid=1) for task in tasks]


def ended(step: str, *tasks: int, **data: Any) -> list[Event]:
    return [event("attempt-ended", step, str(task), **{"status": "succeeded", **data}) for task in tasks]


def test_children_of_a_foreach_count_as_soon_as_it_has_split() -> None:
    begun = [event("run-started"), *started("start", 0), *ended("start", 0), event("foreach-split", "start", "0", size=5)]

    assert progress(*begun).line(160.0, 80) == "1:00  1/6 tasks  0 running"
    assert progress(*begun, *started("fit", 0, 1)).line(160.0, 80) == "1:00  1/6 tasks  2 running  fit"
    assert progress(*begun, *started("fit", *range(5)), *ended("fit", *range(5)), *started("join", 0)).line(160.0, 80) == (
        "1:00  6/7 tasks  1 running  join"
    )


def test_a_retry_is_no_further_task_and_no_failure() -> None:
    events = [*started("fit", 0), *ended("fit", 0, status="failed", retry_in=1.0), *started("fit", 0), *ended("fit", 0)]

    counted = progress(*events)

    assert (counted.done, counted.total, counted.running, counted.failed) == (1, 1, 0, 0)


def test_failed_and_reused_tasks_are_counted() -> None:
    events = [event("task-reused", "start", "0", None), *started("fit", 0, 1), *ended("fit", 0, status="failed", retry_in=None)]

    assert progress(event("run-started"), *events).line(3700.0, 80) == "1:00:00  1/3 tasks  1 running  1 failed  fit"


def test_the_line_is_never_wider_than_the_terminal() -> None:
    counted = progress(event("run-started"), *started("a_step_with_a_rather_long_name", 0))

    assert counted.line(100.0, 30) == "0:00  0/1 tasks  1 running  a…"
