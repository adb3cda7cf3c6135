from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from store_doubles import DONE, MemoryStore, serializers, spec

from headrace.store.artifacts import ArtifactWriter
from headrace.store.facts import RunStore, flows, runs
from headrace.store.logs import LogLine, encode_frame
from headrace.store.reach import references
from headrace.store.record import encode_record, new_header
from headrace.store.reuse import encode
from headrace_hookspecs import (
    CorruptDataError,
    Fact,
    Failure,
    NotFoundError,
    Outcome,
    StoreError,
    StoreReadOnlyError,
    StoreUnavailableError,
    TaskSpec,
)

RUN: dict[str, Any] = {
    "format": 1,
    "flow": "Flow",
    "run": "1",
    "created": 10.0,
    "user": "ada",
    "parameters": {"a": 1},
    "tags": ["t"],
    "graph": {},
}


@pytest.fixture
def blobs() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def store(blobs: MemoryStore) -> RunStore:
    return RunStore(blobs, "Flow", "1")


def record(nonce: str, step: str = "train", *indices: int, outcome: Outcome = DONE, run: str = "1", attempt: int = 0) -> bytes:
    return encode_record(new_header(spec(step, *indices, attempt=attempt, run=run), nonce, outcome, started=1.0, ended=2.0))


# the run


def test_a_run_record_is_read_as_it_was_written(store: RunStore) -> None:
    store.write_run(RUN)
    assert store.read_run() == RUN
    store.write_run(RUN)
    with pytest.raises(StoreError) as refused:
        store.write_run({**RUN, "user": "bob"})
    assert refused.value.code == "store-run-exists"
    assert store.read_run() == RUN


def test_a_run_that_does_not_exist_is_named(store: RunStore) -> None:
    with pytest.raises(NotFoundError, match="Flow/1") as refused:
        store.read_run()
    assert refused.value.code == "run-not-found"
    assert store.state() is None


def test_sources_are_kept_by_content(store: RunStore, blobs: MemoryStore) -> None:
    store.write_sources({"flow.py": b"code", "same.py": b"code", "empty.py": b""})
    assert len(blobs.blobs) == 2
    assert store.read_source("5694d08a2e53ffcae0c3103e5ad6f6076abd960eb1f8a56577040bc1028f702b") == b"code"


def test_ends_are_numbered_and_the_newest_is_the_state(store: RunStore) -> None:
    store.write_run(RUN)
    assert store.state() == "running"
    numbers = [
        store.write_end({"state": state, "ended": time}) for time, state in enumerate(["failed", "cancelled", *["lost"] * 9, "succeeded"])
    ]
    assert numbers == list(range(12))
    assert store.state() == "succeeded"
    assert store.ends()[0] == {"format": 1, "state": "failed", "ended": 0}


def test_tag_changes_are_applied_in_order_and_none_is_lost(blobs: MemoryStore) -> None:
    first, second = RunStore(blobs, "Flow", "1"), RunStore(blobs, "Flow", "1")
    first.write_run(RUN)
    assert first.tags() == ["t"]
    assert [first.write_tags({"add": ["a", "b"]}), second.write_tags({"remove": ["a", "t"]}), first.write_tags({"add": ["t"]})] == [0, 1, 2]
    assert second.tags() == ["b", "t"]


# commits


def test_the_first_commit_wins_and_everybody_reads_it(store: RunStore) -> None:
    assert store.read_commit("train", "0") is None
    assert store.commit(record("first"), "first") == "won"
    assert store.commit(record("second", outcome=Outcome("absorbed")), "second") == "superseded"
    found = store.read_commit("train", "0")
    assert found is not None
    assert (found.nonce, found.outcome) == ("first", DONE)
    assert store.commit(record("first"), "first") == "won", "asking again changes nothing"


@pytest.mark.parametrize("conditional", [True, False])
def test_a_commit_whose_answer_was_lost_is_a_win_if_it_is_there(blobs: MemoryStore, store: RunStore, conditional: bool) -> None:
    blobs.fail_after = StoreUnavailableError("timeout")
    assert store.commit(record("mine"), "mine", conditional) == "won"
    blobs.fail_before = StoreUnavailableError("timeout")
    with pytest.raises(StoreUnavailableError):
        store.commit(record("mine", "other"), "mine", conditional)
    assert store.read_commit("other", "0") is None


def test_a_commit_that_cannot_be_written_raises(blobs: MemoryStore, store: RunStore) -> None:
    blobs.fail_before = StoreReadOnlyError("no")
    with pytest.raises(StoreReadOnlyError):
        store.commit(record("mine"), "mine")


def test_without_conditional_writes_the_holder_of_the_lease_commits(blobs: MemoryStore, store: RunStore) -> None:
    assert store.commit_unconditionally("train", "0", record("first")) == "won"
    assert store.commit_unconditionally("train", "0", record("second")) == "superseded"
    assert store.commit_unconditionally("train", "0", record("first")) == "won"
    assert blobs.called("put_if_absent") == []


def test_commits_are_read_in_batches_and_in_order(blobs: MemoryStore, store: RunStore) -> None:
    for index in range(20):
        store.commit(record(f"n{index}", "train", index), f"n{index}")
    store.write_run(RUN)
    blobs.calls.clear()
    asked = [("train", str(index)) for index in range(20)]
    assert [found and found.nonce for found in store.read_commits(asked, batch=8)] == [f"n{index}" for index in range(20)]
    assert [len(ranges) for ranges in blobs.called("get_many")] == [8, 8, 4]
    assert [found and found.nonce for found in store.read_commits([("train", "3"), ("train", "99")])] == ["n3", None]
    assert list(store.read_commits([])) == []


def test_commits_are_listed_by_step_or_all(store: RunStore) -> None:
    for step, index in (("train", 0), ("train", 10), ("trainer", 0)):
        store.commit(record("n", step, index), "n")
    assert sorted(store.list_commits()) == [("train", "0"), ("train", "10"), ("trainer", "0")]
    assert list(store.list_commits("train")) == [("train", "0"), ("train", "10")]


def test_a_damaged_commit_is_an_error_that_names_it(blobs: MemoryStore, store: RunStore) -> None:
    store.commit(record("n"), "n")
    blobs.blobs["Flow/runs/1/commits/train/0"] = b"HRREC"
    with pytest.raises(CorruptDataError, match="Flow/runs/1/commits/train/0"):
        store.read_commit("train", "0")


# reuse


@pytest.mark.parametrize("known", [True, False], ids=["said", "read from the run record"])
def test_a_reused_task_is_read_from_the_run_that_did_the_work(blobs: MemoryStore, known: bool) -> None:
    origin = RunStore(blobs, "Flow", "1")
    for index in range(3):
        origin.commit(record(f"old{index}", "train", index), f"old{index}")
    reuse = encode(("1", "train", str(index)) for index in (0, 1))
    second = RunStore(blobs, "Flow", "2", reuse if known else None)
    second.write_run({**RUN, "run": "2", "reuse": reuse})
    second.commit(record("new", "train", 2, run="2"), "new")
    asked = [("train", "2"), ("train", "0"), ("train", "3"), ("train", "1")]
    assert [found and (found.run, found.nonce) for found in second.read_commits(asked)] == [
        ("2", "new"),
        ("1", "old0"),
        None,
        ("1", "old1"),
    ]
    assert [second.reused_outcome(*task) for task in asked] == [None, DONE, None, DONE]
    assert sorted(second.list_commits()) == [("train", "0"), ("train", "1"), ("train", "2")]
    assert sorted(second.list_commits("end")) == []


def test_a_run_of_its_own_work_is_asked_about_reuse_once_and_only_for_what_is_missing(blobs: MemoryStore, store: RunStore) -> None:
    store.write_run(RUN)
    store.commit(record("n"), "n")
    blobs.calls.clear()
    assert store.read_commit("train", "0") is not None
    assert len(blobs.called("get_many")) == 1
    assert store.read_commit("train", "1") is None
    assert store.read_commit("train", "2") is None
    assert [key for ranges in blobs.called("get_many") for key, _, _ in ranges].count("Flow/runs/1/run.json") == 1


# attempts and logs


def test_attempts_are_kept_beside_the_commit_and_sorted_by_number(store: RunStore) -> None:
    failed = Outcome("failed", failure=Failure("exception", "no"))
    for number in (10, 2, 0):
        store.write_attempt(spec(attempt=number), failed, record(f"n{number}", outcome=failed, attempt=number))
    store.write_attempt(spec(attempt=11), Outcome("lost"))
    store.write_attempt(spec(attempt=10), Outcome("lost"))
    store.write_attempt(spec("train", 1), failed)
    assert [(found.attempt, found.nonce, found.outcome.status) for found in store.attempts("train", "0")] == [
        (0, "n0", "failed"),
        (2, "n2", "failed"),
        (10, "n10", "failed"),
        (11, "", "lost"),
    ]
    assert store.attempts("train", "7") == []


def test_a_log_is_its_chunks_in_order(store: RunStore) -> None:
    for chunk in (0, 1, 11, 2):
        store.write_log_chunk("train", "0", 1, chunk, encode_frame(float(chunk), "stdout", b"%d" % chunk) * 2)
    store.write_log_chunk("train", "0", 10, 0, encode_frame(0.0, "stderr", b"other"))
    lines = [LogLine(float(chunk), "stdout", b"%d" % chunk) for chunk in (0, 1, 2, 11)]
    assert list(store.read_log("train", "0", 1)) == [line for line in lines for _ in range(2)]
    assert [len(chunk) for chunk in store.read_log_chunks("train", "0", 1, first=2)] == [2, 2]
    assert list(store.read_log("train", "0", 5)) == []
    assert store.logged_attempts("train", "0") == [1, 10]
    assert store.logged_attempts("train", "1") == []


def test_a_log_chunk_may_be_written_again(store: RunStore) -> None:
    store.write_log_chunk("train", "0", 0, 0, encode_frame(0.0, "stdout", b"half"))
    store.write_log_chunk("train", "0", 0, 0, encode_frame(0.0, "stdout", b"whole"))
    assert [line.data for line in store.read_log("train", "0", 0)] == [b"whole"]


def test_a_damaged_log_is_an_error_that_names_the_chunk(blobs: MemoryStore, store: RunStore) -> None:
    store.write_log_chunk("train", "0", 0, 0, encode_frame(0.0, "stdout", b"text")[:-1])
    with pytest.raises(CorruptDataError, match="Flow/runs/1/logs/train/0_0_000000"):
        list(store.read_log("train", "0", 0))


# attachments


def test_an_attachment_is_read_as_it_was_written_last(store: RunStore, blobs: MemoryStore) -> None:
    store.write_attachment(spec(attempt=2), "card", "default", b"<p>", {"title": "first"})
    store.write_attachment(spec(attempt=2), "card", "default", b"<html>", {"title": "ü"})
    store.write_attachment(spec(attempt=10), "profile", "cpu", b"\0", {})
    assert sorted(store.attachments("train", "0")) == [(2, "card", "default"), (10, "profile", "cpu")]
    assert store.read_attachment("train", "0", 2, "card", "default") == (b"<html>", {"title": "ü"})
    with pytest.raises(NotFoundError) as refused:
        store.read_attachment("train", "0", 3, "card", "default")
    assert refused.value.code == "attachment-not-found"
    key = "Flow/runs/1/attach/train/0_2/card/default"
    blobs.blobs[key] = blobs.blobs[key][:-1]
    with pytest.raises(CorruptDataError, match=key):
        store.read_attachment("train", "0", 2, "card", "default")


def test_what_a_run_can_reach_is_all_that_it_wrote_and_refers_to(blobs: MemoryStore) -> None:
    first, second = RunStore(blobs, "Flow", "1"), RunStore(blobs, "Flow", "2")
    first.write_run(RUN)
    out = ArtifactWriter(blobs, serializers(), "Flow", "train")
    out.put("x", b"x" * 50_000)
    out.store_elements([b"y" * 50_000])
    first.commit(out.finish(new_header(spec(), "n", DONE, started=1.0, ended=2.0)), "n")
    first.commit(record("other", "other"), "other")
    second.write_sources({"flow.py": b"code"})
    digest = "5694d08a2e53ffcae0c3103e5ad6f6076abd960eb1f8a56577040bc1028f702b"
    reuse = encode([("1", "train", "0")])
    second.write_run({**RUN, "run": "2", "reuse": reuse, "source": {"files": {"flow.py": digest}}})
    unreachable = {"Flow/runs/1/commits/other/0"}
    found = list(references(second))
    assert sorted(found) == sorted(set(blobs.blobs) - unreachable)
    assert len(found) == 5


# the index


def test_facts_are_everything_that_the_index_keeps(store: RunStore) -> None:
    store.write_run(RUN)
    store.commit(record("n", "start", outcome=Outcome("succeeded", ("train",), 3)), "n")
    absorbed = Outcome("absorbed", failure=Failure("timeout", "late", traceback="long"))
    store.commit(record("m", "train", 1, outcome=absorbed, attempt=2), "m")
    store.write_attempt(spec("train", 1, attempt=1), absorbed, record("f", "train", 1, outcome=Outcome("failed"), attempt=1))
    store.write_tags({"add": ["x"], "time": 5.0})
    store.write_end({"state": "failed", "ended": 9.0})
    times = {"started": 1.0, "ended": 2.0}
    run = {"created": 10.0, "user": "ada", "parameters": {"a": 1}, "tags": ["t"]}
    failure = {"kind": "timeout", "message": "late", "traceback": ""}
    assert list(store.facts()) == [
        Fact("run", "Flow", "1", time=10.0, data=run),
        Fact("commit", "Flow", "1", "start", "0", 0, 2.0, {"status": "succeeded", "attempt": 0, **times, "size": 3}),
        Fact("commit", "Flow", "1", "train", "1", 0, 2.0, {"status": "absorbed", "attempt": 2, **times, "failure": failure}),
        Fact("attempt", "Flow", "1", "train", "1", 1, 2.0, {"status": "failed", "attempt": 1, **times}),
        Fact("end", "Flow", "1", number=0, time=9.0, data={"format": 1, "state": "failed", "ended": 9.0}),
        Fact("tags", "Flow", "1", number=0, time=5.0, data={"format": 1, "add": ["x"], "time": 5.0}),
    ]


def test_flows_and_runs_are_listed_newest_run_first(blobs: MemoryStore) -> None:
    for flow, run in (("B", "20260101"), ("B", "20260301"), ("A", "20260201")):
        RunStore(blobs, flow, run).write_run({**RUN, "flow": flow, "run": run})
    assert flows(blobs) == ["A", "B"]
    assert runs(blobs, "B") == ["20260301", "20260101"]
    assert runs(blobs, "C") == []


def test_what_a_run_that_could_not_begin_has_left_is_no_run(blobs: MemoryStore) -> None:
    RunStore(blobs, "B", "20260101").write_run({**RUN, "flow": "B", "run": "20260101"})
    RunStore(blobs, "B", "20260301").write_log_chunk("start", "0", 0, 0, b"")
    assert runs(blobs, "B") == ["20260101"]


@pytest.mark.parametrize("call", [lambda store: store.read_commit("../x", "0"), lambda store: store.read_log("s", "a/b", 0)])
def test_names_are_checked_before_they_reach_the_store(store: RunStore, call: Callable[[RunStore], Any]) -> None:
    with pytest.raises(Exception, match="not a valid") as refused:
        list(call(store) or [])
    assert refused.value.code == "id-invalid"  # type: ignore[attr-defined]


def test_a_spec_of_any_attempt_finds_its_place(store: RunStore, blobs: MemoryStore) -> None:
    store.write_attempt(TaskSpec("Flow", "1", "loop", (3, 4), 2, attempt=7), Outcome("lost"))
    assert list(blobs.blobs) == ["Flow/runs/1/attempts/loop/3.4-2_7"]
