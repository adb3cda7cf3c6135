"""Conformance of metadata stores: `MetadataStoreContract`, for every index of facts and keeper of leases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headrace_hookspecs import Capability, Fact, MetadataStore, Query

from .capabilities import assert_tested
from .leases import LeaseContract
from .processes import in_processes

_FACT = st.builds(
    Fact,
    kind=st.sampled_from(["run", "commit", "attempt"]),
    flow=st.sampled_from(["Flow", "flow", "F2"]),
    run=st.sampled_from(["1", "10", "2"]),
    step=st.sampled_from(["", "train"]),
    task=st.sampled_from(["0", "0.1"]),
    number=st.integers(0, 11),
    time=st.sampled_from([0.0, 1.5, 1.25, 2e9, 3.0]),
    data=st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=3), max_size=2),
)
_QUERY = st.builds(
    Query,
    kind=st.none() | st.sampled_from(["run", "commit", "none"]),
    flow=st.none() | st.sampled_from(["Flow", "flow", "none"]),
    run=st.none() | st.sampled_from(["1", "10"]),
    step=st.none() | st.sampled_from(["", "train"]),
    task=st.none() | st.just("0"),
    since=st.none() | st.sampled_from([1.25, 3.0]),
    ascending=st.booleans(),
)
_DATA = {
    "text": "grüße \u2028 '\"\\ \x00 𝄞",
    "numbers": [0, -1, 2**53, 0.1, 1e300],
    "nested": {"": None, "list": [[], {}, True, False]},
}


class MetadataStoreContract(LeaseContract):
    """Subclass it, override `make_store` and name the store's `capabilities`. Every call of the fixture opens the same records anew."""

    capabilities: ClassVar[frozenset[Capability]] = frozenset()

    @pytest.fixture
    def make_store(self) -> Callable[[], MetadataStore]:
        """Opens a store; all stores of one test see the same records, of which there are none at first."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, make_store: Callable[[], MetadataStore]) -> Iterator[MetadataStore]:
        store = make_store()
        yield store
        store.close()

    def test_it_says_what_it_can_and_where_it_is(self, store: MetadataStore) -> None:
        assert isinstance(store.capabilities, frozenset)
        assert all(isinstance(capability, Capability) for capability in store.capabilities)
        assert isinstance(store.location, str)
        assert store.location
        assert_tested(type(self), store.capabilities)

    # facts

    def test_a_store_in_which_nothing_was_recorded_answers(self, store: MetadataStore) -> None:
        page = store.find(Query())
        assert (list(page.facts), page.cursor) == ([], None)
        assert list(store.flows()) == []
        store.record([])
        assert list(store.find(Query(kind="run")).facts) == []

    def test_a_fact_comes_back_as_it_was(self, make_store: Callable[[], MetadataStore], store: MetadataStore) -> None:
        fact = Fact("attempt", "Flow", "20260731-142501093-k3x9q7", "train", "1.4-2", 7, 1753971901.123456, _DATA)
        store.record([fact])
        assert list(store.find(Query()).facts) == [fact]
        other = make_store()
        assert list(other.find(Query(kind="attempt", flow="Flow", run=fact.run, step="train", task="1.4-2")).facts) == [fact]
        other.close()

    def test_a_fact_that_is_known_stays_as_it_was(self, store: MetadataStore) -> None:
        first = Fact("commit", "F", "1", "s", "0", 0, 1.0, {"v": 1})
        store.record([first])
        other = Fact("commit", "F", "1", "s", "1", 0, 3.0, {"v": 3})
        store.record([Fact("commit", "F", "1", "s", "0", 0, 2.0, {"v": 2}), other])
        assert list(store.find(Query()).facts) == [other, first]

    @pytest.mark.parametrize("field", ["kind", "flow", "run", "step", "task", "number"])
    def test_each_part_of_the_key_tells_facts_apart(self, store: MetadataStore, field: str) -> None:
        key: dict[str, Any] = {"kind": "commit", "flow": "F", "run": "1", "step": "s", "task": "0", "number": 0}
        facts = [Fact(**key, time=1.0), Fact(**{**key, field: 1 if field == "number" else "tags"}, time=2.0)]
        store.record(facts)
        assert list(store.find(Query(ascending=True)).facts) == facts

    def test_all_facts_of_a_call_are_recorded_or_none(self, store: MetadataStore) -> None:
        broken = Fact("commit", "F", "1", "s", "1", 0, 1.0, {"v": object()})
        with pytest.raises(Exception, match=r"(?s).+"):
            store.record([Fact("commit", "F", "1", "s", "0"), broken])
        assert list(store.find(Query()).facts) == []
        store.record([Fact("commit", "F", "1", "s", "2")])
        assert [fact.task for fact in store.find(Query()).facts] == ["2"]

    def test_flows_are_those_with_a_run(self, store: MetadataStore) -> None:
        store.record([Fact("run", "B", "1"), Fact("run", "B", "2"), Fact("run", "A", "1"), Fact("commit", "C", "1", "s", "0")])
        assert list(store.flows()) == ["A", "B"]

    def test_pages_hold_every_fact_once_though_newer_ones_arrive_in_between(self, store: MetadataStore) -> None:
        facts = [Fact("run", "F", f"{number:02d}", time=float(number // 3)) for number in range(25)]
        store.record(facts)
        page = store.find(Query(flow="F"), limit=4)
        found = list(page.facts)
        while page.cursor is not None:
            assert len(page.facts) == 4
            store.record([Fact("run", "F", f"new-{len(found)}", time=1000.0)])
            page = store.find(Query(flow="F"), limit=4, cursor=page.cursor)
            found += page.facts
        assert found == sorted(facts, key=lambda fact: (fact.time, fact.run), reverse=True)

    def test_processes_record_at_the_same_time_and_nothing_is_lost(
        self, make_store: Callable[[], MetadataStore], store: MetadataStore
    ) -> None:
        def work(me: int) -> None:
            mine = make_store()
            for number in range(25):
                both = Fact("run", "F", f"both-{number}")
                mine.record([Fact("commit", "F", "1", "s", f"{me}.{number}"), both])
            mine.close()

        in_processes([lambda me=me: work(me) for me in range(4)])  # type: ignore[misc]
        commits = {fact.task for fact in store.find(Query(kind="commit")).facts}
        assert commits == {f"{me}.{number}" for me in range(4) for number in range(25)}
        assert len(store.find(Query(kind="run")).facts) == 25

    def test_a_fork_goes_on_with_the_store_of_its_parent(self, store: MetadataStore) -> None:
        store.record([Fact("run", "F", "parent")])

        def child(me: int) -> list[str]:
            store.record([Fact("run", "F", f"child-{me}")])
            return [fact.run for fact in store.find(Query(run="parent")).facts]

        assert in_processes([lambda me=me: child(me) for me in range(3)]) == [["parent"]] * 3  # type: ignore[misc]
        store.record([Fact("run", "F", "parent-2")])
        assert {fact.run for fact in store.find(Query()).facts} == {"parent", "parent-2", "child-0", "child-1", "child-2"}

    def test_it_finds_what_a_filtered_sorted_list_holds(self, make_store: Callable[[], MetadataStore], store: MetadataStore) -> None:
        model: dict[tuple[Any, ...], Fact] = {}

        @settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
        @given(facts=st.lists(_FACT, max_size=12), query=_QUERY, limit=st.integers(1, 5))
        def check(facts: list[Fact], query: Query, limit: int) -> None:
            store.record(facts)
            for fact in facts:
                model.setdefault(_key(fact), fact)
            expected = _answer(model.values(), query)
            found: list[Fact] = []
            cursor: str | None = None
            for _ in range(len(expected) // limit + 1):
                page = store.find(query, limit=limit, cursor=cursor)
                found += page.facts
                cursor = page.cursor
                if cursor is None:
                    break
            assert cursor is None
            assert found == expected

        check()


def _key(fact: Fact) -> tuple[Any, ...]:
    return fact.kind, fact.flow, fact.run, fact.step, fact.task, fact.number


def _answer(facts: Any, query: Query) -> list[Fact]:
    """What `find` promises: all filters, newest first unless ascending, ties by the key."""
    wanted = {name: getattr(query, name) for name in ("kind", "flow", "run", "step", "task") if getattr(query, name) is not None}
    found = [
        fact
        for fact in facts
        if all(getattr(fact, name) == value for name, value in wanted.items()) and (query.since is None or fact.time >= query.since)
    ]
    return sorted(found, key=lambda fact: (fact.time, *_key(fact)), reverse=not query.ascending)
