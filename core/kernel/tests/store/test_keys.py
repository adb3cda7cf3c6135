from __future__ import annotations

from collections.abc import Callable

import pytest

from headrace.store import keys
from headrace_hookspecs import UsageError


def test_the_layout_is_the_one_that_is_written_down() -> None:
    assert [
        keys.run_key("Flow", "r1"),
        keys.commit_key("Flow", "r1", "train", "0.3-2"),
        keys.attempt_key("Flow", "r1", "train", "0.3-2", 10),
        keys.log_key("Flow", "r1", "train", "0.3-2", 10, 7),
        keys.end_key("Flow", "r1", 1),
        keys.tags_key("Flow", "r1", 12),
        keys.blob_key("Flow", "ab" + "c" * 62),
    ] == [
        "Flow/runs/r1/run.json",
        "Flow/runs/r1/commits/train/0.3-2",
        "Flow/runs/r1/attempts/train/0.3-2_10",
        "Flow/runs/r1/logs/train/0.3-2_10_000007",
        "Flow/runs/r1/end/000001",
        "Flow/runs/r1/tags/000012",
        "Flow/blobs/sha256/ab/" + "c" * 62,
    ]


def test_what_lists_a_task_starts_its_keys_and_no_other_tasks() -> None:
    attempts = keys.attempts_prefix("F", "r", "s", "1")
    assert keys.attempt_key("F", "r", "s", "1", 0).startswith(attempts)
    assert not keys.attempt_key("F", "r", "s", "11", 0).startswith(attempts)
    logs = keys.log_prefix("F", "r", "s", "1", 1)
    assert keys.log_key("F", "r", "s", "1", 1, 0).startswith(logs)
    assert not keys.log_key("F", "r", "s", "1", 10, 0).startswith(logs)


@pytest.mark.parametrize("bad", ["", "..", "a/b", "a b", "../x", "a\0", "é", "a..b"])
@pytest.mark.parametrize(
    "make",
    [
        lambda bad: keys.run_key(bad, "1"),
        lambda bad: keys.run_key("F", bad),
        lambda bad: keys.commit_key("F", "1", bad, "0"),
        lambda bad: keys.commit_key("F", "1", "s", bad),
        lambda bad: keys.attempt_key("F", "1", "s", bad, 0),
        lambda bad: keys.log_key("F", "1", bad, "0", 0, 0),
        lambda bad: keys.blob_key(bad, "ab"),
    ],
)
def test_no_name_becomes_part_of_a_key_unchecked(make: Callable[[str], str], bad: str) -> None:
    with pytest.raises(UsageError) as refused:
        make(bad)
    assert refused.value.code == "id-invalid"
