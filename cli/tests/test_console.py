import io
import time
from collections.abc import Iterator
from typing import Any

import pytest

from headrace_cli.console import Console
from headrace_hookspecs import Event


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def event(kind: Any, at: float = 0.0, step: str = "", task: str = "", attempt: int | None = None, **data: Any) -> Event:
    return Event(kind, 1785507901.25 + at, "TrainFlow", "r1", step, task, attempt, data)


def shown(*events: Event) -> list[str]:
    stream = io.StringIO()
    console = Console(stream=stream)
    for each in events:
        console(each)
    console.close()
    return [line.removeprefix("2026-07-31 14:25:01.") for line in stream.getvalue().split("\n")]


def test_a_run_is_told_in_the_lines_that_scripts_read() -> None:
    assert shown(
        event("run-started", steps=["start", "end"]),
        event("attempt-started", 0.125, "start", "0", 0, pid=17),
        event("log-line", 0.25, "start", "0", 0, stream="stdout", text="    indented  ", pid=17),
        event("attempt-ended", 0.375, "start", "0", 0, status="succeeded"),
        event("foreach-split", 0.375, "start", "0", 0, size=3),
        event("run-ended", 0.5, state="succeeded"),
    ) == [
        "250 Workflow starting (run-id r1):",
        "375 [r1/start/0 (pid 17)] Task is starting.",
        "500 [r1/start/0 (pid 17)]     indented  ",
        "625 [r1/start/0 (pid 17)] Task finished successfully.",
        "625 [r1/start/0] Foreach yields 3 child steps.",
        "750 Done!",
        "",
    ]


def test_a_retry_is_announced_with_its_wait() -> None:
    assert shown(
        event("attempt-started", 0, "fit", "2", 0, pid=5),
        event("attempt-ended", 0, "fit", "2", 0, status="failed", failure={"kind": "exception"}, retry_in=2.5, mode="execute"),
        event("attempt-started", 0, "fit", "2", 1, pid=6),
    ) == [
        "250 [r1/fit/2 (pid 5)] Task is starting.",
        "250 [r1/fit/2 (pid 5)] Task failed.",
        "250 [r1/fit/2 (pid 5)] Trying again in 2.5 s.",
        "250 [r1/fit/2 (pid 6)] Task is starting (retry).",
        "",
    ]


def test_the_attempt_that_takes_a_failure_is_called_a_fallback() -> None:
    assert shown(
        event(
            "attempt-ended",
            0,
            "fit",
            "0",
            0,
            status="failed",
            failure={"kind": "oom", "message": "Out of memory."},
            retry_in=0.0,
            mode="absorb",
        ),
        event("attempt-started", 0, "fit", "0", 1, pid=6),
        event("attempt-ended", 0, "fit", "0", 1, status="absorbed"),
    ) == [
        "250 [r1/fit/0] Task failed.",
        "250 [r1/fit/0] Out of memory.",
        "250 [r1/fit/0 (pid 6)] Task fallback is starting to handle the failure.",
        "250 [r1/fit/0 (pid 6)] Task failed; the failure was caught and the run goes on.",
        "",
    ]


@pytest.mark.parametrize(
    ("failure", "lines"),
    [
        ({"kind": "signal", "signal": 11, "message": "Crashed."}, ["Task failed with a segmentation fault."]),
        ({"kind": "signal", "signal": 9, "message": "Killed by signal 9."}, ["Task failed.", "Killed by signal 9."]),
        ({"kind": "exception", "message": "boom"}, ["Task failed."]),
        (
            {"kind": "exit", "message": "Ended early.", "give_up": True},
            ["Task failed.", "Ended early.", "This failed task will not be retried."],
        ),
    ],
)
def test_what_a_process_could_not_say_itself_is_said_for_it(failure: dict[str, Any], lines: list[str]) -> None:
    assert shown(event("attempt-ended", 0, "s", "0", 0, status="failed", failure=failure)) == [
        *(f"250 [r1/s/0] {line}" for line in lines),
        "",
    ]


def test_the_other_ends_have_lines_of_their_own() -> None:
    assert shown(
        event("attempt-ended", 0, "s", "0", 0, status="cancelled"),
        event("attempt-ended", 0, "s", "1", 0, status="superseded"),
        event("task-reused", 0, "s", "2", None, origin="r0"),
        event("run-ended", 0, state="failed"),
        event("run-ended", 0, state="cancelled"),
    ) == [
        "250 [r1/s/0] Task was cancelled.",
        "250 [r1/s/1] Task finished, but another attempt had committed before.",
        "250 [r1/s/2] Reusing the result of r0.",
        "250 Workflow failed.",
        "250 Workflow interrupted.",
        "",
    ]


def test_of_a_progress_bar_the_last_state_is_shown() -> None:
    assert shown(event("log-line", 0, "s", "0", 0, stream="stderr", text=" 10%\r 50%\r100%\r")) == ["250 [r1/s/0] 100%", ""]


def test_a_pipe_gets_neither_colours_nor_a_status() -> None:
    assert "\x1b" not in "".join(shown(event("run-started", steps=["start"]), event("attempt-started", 0, "start", "0", 0, pid=1)))
