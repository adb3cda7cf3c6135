from __future__ import annotations

import json

import pytest

from headrace.run.supervise import Supervised
from headrace_hookspecs import LaunchEvent, Outcome, StepNode, TaskSpec


def supervised() -> Supervised:
    spec = TaskSpec("Flow", "run", "start")
    return Supervised(spec, StepNode("start", "linear"), "fork", 0.0, 1000, lambda *_: None, lambda *_: None)


def message(data: bytes) -> LaunchEvent:
    return LaunchEvent("message", "start/0/0", 0.0, data=data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"text",
        b"3",
        b"[]",
        b'{"type": "outcome"}',
        b'{"type": "outcome", "outcome": 3}',
        b'{"type": "outcome", "outcome": {"status": "failed", "failure": []}}',
        b'{"type": "record"}',
        b'{"type": "record", "data": 3}',
        b'{"type": "redact"}',
        b'{"type": "nobody knows"}',
    ],
)
def test_what_is_no_message_of_ours_changes_nothing(data: bytes) -> None:
    task = supervised()

    assert task.message(message(data)) is None
    assert (task.outcome, task.record) == (None, None)


def test_the_outcome_that_a_task_reports_is_known() -> None:
    task = supervised()

    reported = {"type": "outcome", "outcome": Outcome("succeeded", ("end",)).to_json()}
    assert task.message(message(json.dumps(reported).encode())) is None
    assert (task.outcome, task.report) == (Outcome("succeeded", ("end",)), reported)


def test_a_secret_is_acknowledged_once_it_is_known() -> None:
    assert supervised().message(message(b'{"type": "redact", "value": "secret"}')) == b'{"ok": true}'
