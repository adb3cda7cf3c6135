from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headrace.store.reuse import Reuse, encode, flatten

TASK = st.builds(
    lambda indices, visit: ".".join(map(str, indices)) + visit,
    st.lists(st.integers(0, 12), min_size=1, max_size=3),
    st.sampled_from(["", "-0", "-1"]),
)
PAIR = st.tuples(st.sampled_from(["train", "score"]), TASK)


@given(st.dictionaries(PAIR, st.sampled_from(["run-1", "run-2"]), max_size=30), PAIR)
def test_every_reused_task_is_found_in_its_run_and_no_other_is_found(where: dict[tuple[str, str], str], other: tuple[str, str]) -> None:
    triples = {(run, step, task) for (step, task), run in where.items()}
    reuse = Reuse(encode(triples))
    assert set(reuse.tasks()) == triples
    assert {pair: reuse.find(*pair) for pair in where} == where
    assert reuse.find(*other) == where.get(other)


def test_a_wide_foreach_is_one_range() -> None:
    triples = [("r", "fit", f"3.{index}") for index in range(10_000)]
    assert encode(triples) == {"r": {"fit": ["3.0:9999"]}}
    assert encode(triples[:1] + triples[2:]) == {"r": {"fit": ["3.0", "3.2:9999"]}}
    assert encode([("r", "loop", f"{index}-1") for index in range(3)]) == {"r": {"loop": ["0:2-1"]}}


def test_a_resumed_run_that_is_resumed_names_the_runs_that_did_the_work() -> None:
    first = encode([("origin", "start", "0"), ("origin", "fit", "0")])
    both = flatten("second", [("start", "0"), ("fit", "0"), ("fit", "1")], first)
    assert both == {"origin": {"start": ["0"], "fit": ["0"]}, "second": {"fit": ["1"]}}


def test_a_run_that_resumes_nothing_reuses_nothing() -> None:
    assert Reuse(None).find("start", "0") is None
    assert list(Reuse({}).tasks()) == []
