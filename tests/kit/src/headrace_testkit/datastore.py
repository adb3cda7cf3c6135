"""Conformance of datastores: `BlobStoreContract`, for everything that keeps bytes under keys."""

from __future__ import annotations

import json
import threading
import time
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headrace_hookspecs import BlobRange, BlobStore, Capability, StoreError

from .capabilities import assert_tested, requires, without
from .processes import in_processes

_WORD = st.text("abAB01._-=", min_size=1, max_size=4).filter(lambda word: ".." not in word and word[0] != ".")
_KEY = st.lists(_WORD, min_size=1, max_size=3).map("/".join)
_BAD_KEYS = ("", "/", "/a", "a/", "a//b", "..", "../a", "a/../b", "a/..", "a b", "a\\b", "é", "a\0b", "a\n", "a?b")
_LEAST = 25


class BlobStoreContract:
    """Subclass it, override `make_store` and name the store's `capabilities`. Every call of the fixture opens the same data anew."""

    capabilities: ClassVar[frozenset[Capability]] = frozenset()

    share: ClassVar[float] = 1.0
    """The part of hypothesis's examples that is tried, though never less than 25: for a service, each of whose answers takes milliseconds."""

    @pytest.fixture
    def make_store(self) -> Callable[[], BlobStore]:
        """Opens a store; all stores of one test see the same data, which is empty at first."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, make_store: Callable[[], BlobStore]) -> Iterator[BlobStore]:
        store = make_store()
        yield store
        store.close()

    def test_it_says_what_it_can_and_where_it_is(self, store: BlobStore) -> None:
        assert isinstance(store.capabilities, frozenset)
        assert all(isinstance(capability, Capability) for capability in store.capabilities)
        assert isinstance(store.location, str)
        assert store.location
        assert_tested(type(self), store.capabilities)

    # bytes

    @pytest.mark.parametrize(
        "buffers",
        [
            [b"plain"],
            [],
            [b""],
            [b"a", bytearray(b"b"), memoryview(b"xcx")[1:2]],
            [memoryview(array("d", [1.0, 2.0]))],
            [b"%d " % number for number in range(5000)],
            [b"begin", b"", b"x" * (5 << 20), b"end"],
        ],
        ids=["plain", "none", "empty", "kinds", "doubles", "many", "large"],
    )
    def test_a_blob_is_its_buffers_joined(self, store: BlobStore, buffers: list[Any]) -> None:
        joined = b"".join(buffers)
        store.put_many([("a/put", buffers)])
        assert store.put_if_absent("a/absent", buffers)
        assert list(store.get_many([BlobRange("a/put"), BlobRange("a/absent")])) == [joined, joined]
        assert [stat.size for stat in store.stat_many(["a/put", "a/absent"]) if stat] == [len(joined)] * 2

    def test_a_put_replaces_all_of_an_existing_blob(self, store: BlobStore) -> None:
        store.put_many([("a", [b"a long first version"])])
        store.put_many([("a", [b"short"])])
        assert _read(store, "a") == b"short"

    @pytest.mark.parametrize(
        ("offset", "length", "expected"),
        [
            (0, None, b"0123456789"),
            (4, None, b"456789"),
            (4, 3, b"456"),
            (8, 100, b"89"),
            (10, 5, b""),
            (99, None, b""),
            (3, 0, b""),
        ],
    )
    def test_a_range_is_cut_at_the_end_of_the_blob(self, store: BlobStore, offset: int, length: int | None, expected: bytes) -> None:
        store.put_many([("a/b", [b"0123456789"])])
        assert list(store.get_many([BlobRange("a/b", offset, length)])) == [expected]

    def test_many_are_answered_in_the_order_of_the_question(self, store: BlobStore) -> None:
        keys = [f"many/{number:04d}" for number in range(500)]
        store.put_many((key, [key.encode()]) for key in keys)
        asked = [*reversed(keys), "many/none", keys[7], keys[7]]
        expected = [None if key == "many/none" else key.encode() for key in asked]
        assert list(store.get_many(BlobRange(key) for key in asked)) == expected
        assert [stat and stat.key for stat in store.stat_many(asked)] == [None if key == "many/none" else key for key in asked]

    def test_what_does_not_exist_is_none_and_never_an_error(self, store: BlobStore) -> None:
        store.put_many([("a/b/c", [b"1"])])
        absent = ["none", "a", "a/b", "a/b/c/d", "a/b/cc"]
        assert list(store.get_many(map(BlobRange, absent))) == [None] * 5
        assert list(store.get_many([BlobRange("none", 5, 5)])) == [None]
        assert list(store.stat_many(absent)) == [None] * 5
        store.delete_many(absent)
        assert _read(store, "a/b/c") == b"1"

    def test_a_blob_knows_when_it_changed(self, store: BlobStore) -> None:
        store.put_many([("a", [b"1"])])
        (stat,) = store.stat_many(["a"])
        assert stat is not None
        assert abs(stat.modified - time.time()) < 3600

    def test_the_same_data_is_there_for_who_opens_it_next(self, make_store: Callable[[], BlobStore], store: BlobStore) -> None:
        store.put_many([("a/b", [b"1"])])
        other = make_store()
        assert _read(other, "a/b") == b"1"
        other.put_many([("a/b", [b"2"])])
        other.close()
        assert _read(store, "a/b") == b"2"

    @pytest.mark.parametrize("key", _BAD_KEYS)
    def test_what_is_no_key_is_refused_by_every_method(self, store: BlobStore, key: str) -> None:
        calls: list[Callable[[], object]] = [
            lambda: store.put_many([(key, [b"1"])]),
            lambda: store.put_if_absent(key, [b"1"]),
            lambda: list(store.get_many([BlobRange(key)])),
            lambda: list(store.stat_many([key])),
            lambda: store.delete_many([key]),
        ]
        for call in calls:
            with pytest.raises(StoreError):
                call()

    # listing

    def test_a_listing_is_sorted_and_starts_with_the_prefix(self, store: BlobStore) -> None:
        # letters that sort differently by word, differ in case only, or mean something to a database
        keys = ["A/b", "a/b", "a/b-c", "a/b.c", "a/bc/d", "a/c/e/f", "ab", "a_b", "b"]
        store.put_many((key, [key.encode()]) for key in reversed(keys))
        for prefix in ("", "a", "A", "a/", "a/b", "a/b-", "a/bc/", "a/c/e/f", "a_", "none/", "b/"):
            _eventually(store, partial(_keys, store, prefix), sorted(key for key in keys if key.startswith(prefix)))
        assert [stat.size for stat in store.list("a/b")] == [3, 5, 5, 6]

    def test_a_listing_goes_on_after_a_key_and_stops_at_the_limit(self, store: BlobStore) -> None:
        keys = sorted(["f/a", "f/b/a", "f/b/b", "f/b-a", "f/c"])
        store.put_many((key, [b""]) for key in keys)
        _eventually(store, lambda: _keys(store, "f/"), keys)
        for position, key in enumerate(keys):
            assert _keys(store, "f/", after=key) == keys[position + 1 :]
            assert _keys(store, "f/", limit=position) == keys[:position]
        assert _keys(store, "f/", after="f/b", limit=2) == ["f/b-a", "f/b/a"]
        assert _keys(store, "f/", after="f/z") == []

    def test_folders_are_the_next_words(self, store: BlobStore) -> None:
        store.put_many((key, [b""]) for key in ["f/b/1/x", "f/b/2", "f/a-b/3", "f/a/4", "f/leaf", "g/1"])
        _eventually(store, lambda: list(store.folders("f/")), ["a", "a-b", "b"])
        assert list(store.folders("")) == ["f", "g"]
        assert list(store.folders("f/b/")) == ["1"]
        assert list(store.folders("none/")) == []

    def test_what_was_deleted_is_gone_and_its_folder_with_it(self, store: BlobStore) -> None:
        store.put_many((key, [b"1"]) for key in ["f/a/1", "f/b/2"])
        store.delete_many(["f/a/1", "f/a/1", "f/a/none"])
        assert list(store.get_many([BlobRange("f/a/1"), BlobRange("f/b/2")])) == [None, b"1"]
        _eventually(store, lambda: (_keys(store, "f/"), list(store.folders("f/"))), (["f/b/2"], ["b"]))
        store.put_many([("f/a/1", [b"2"])])
        assert _read(store, "f/a/1") == b"2"

    # put_if_absent

    def test_only_the_first_put_if_absent_writes(self, store: BlobStore) -> None:
        assert store.put_if_absent("a/b", [b"first"]) is True
        assert store.put_if_absent("a/b", [b"second"]) is False
        assert _read(store, "a/b") == b"first"
        store.delete_many(["a/b"])
        assert store.put_if_absent("a/b", [b"third"]) is True

    @requires(Capability.CONDITIONAL_PUT)
    def test_exactly_one_of_many_processes_creates_a_blob(self, make_store: Callable[[], BlobStore], store: BlobStore) -> None:
        for winners, writer in _race(make_store, store):
            assert winners == [writer]

    @without(Capability.CONDITIONAL_PUT)
    def test_a_blob_that_many_processes_create_is_that_of_one_who_was_told_so(
        self, make_store: Callable[[], BlobStore], store: BlobStore
    ) -> None:
        for winners, writer in _race(make_store, store):
            assert writer in winners

    # many at once

    def test_a_reader_never_sees_half_a_blob(self, make_store: Callable[[], BlobStore], store: BlobStore) -> None:
        store.put_many([("shared", [b"0" * 300_000])])

        def write(me: int) -> None:
            mine = make_store()
            for _ in range(20):
                mine.put_many([("shared", [b"%d" % me * 100_000] * (me + 1))])

        def read() -> int:
            mine, odd = make_store(), 0
            for _ in range(60):
                data = _read(mine, "shared") or b""
                me = int(data[:1] or b"9")
                odd += data != b"%d" % me * 100_000 * (me + 1) and data != b"0" * 300_000
            return odd

        assert in_processes([lambda: write(1), lambda: write(2), read, read]) == [None, None, 0, 0]

    def test_it_may_be_used_from_several_threads(self, store: BlobStore) -> None:
        problems: list[object] = []

        def work(me: int) -> None:
            try:
                for number in range(30):
                    key = f"threads/{me}/{number}"
                    store.put_many([(key, [key.encode()])])
                    data = _read(store, key)
                    if data != key.encode() or not store.put_if_absent(f"{key}-x", [b""]):
                        problems.append((key, data))
            except Exception as error:  # noqa: BLE001 - whatever goes wrong in a thread fails the test
                problems.append(error)

        threads = [threading.Thread(target=work, args=(me,)) for me in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert problems == []
        _eventually(store, lambda: len(_keys(store, "threads/")), 360)

    def test_a_fork_goes_on_with_the_store_of_its_parent(self, store: BlobStore) -> None:
        store.put_many([("before", [b"1"])])

        def child(me: int) -> str:
            store.put_many([(f"child/{me}", [b"2"])])
            return (_read(store, "before") or b"").decode()

        assert in_processes([lambda me=me: child(me) for me in range(3)]) == ["1"] * 3  # type: ignore[misc]
        assert list(store.get_many(BlobRange(f"child/{me}") for me in range(3))) == [b"2"] * 3

    def test_what_was_prepared_serves_forks_and_their_parent(self, make_store: Callable[[], BlobStore]) -> None:
        store = make_store()
        getattr(store, "prepare", lambda: None)()

        def child(me: int) -> bool:
            return store.put_if_absent(f"child/{me}", [b"2"])

        assert in_processes([lambda me=me: child(me) for me in range(2)]) == [True, True]  # type: ignore[misc]
        assert list(store.get_many(BlobRange(f"child/{me}") for me in range(2))) == [b"2"] * 2
        store.close()

    # what only the service knows

    def test_what_a_probe_has_found_out_holds_for_the_next_process(self, make_store: Callable[[], BlobStore]) -> None:
        first, second = make_store(), make_store()
        found: Mapping[str, Any] = getattr(first, "probe", lambda known=None: {})()
        assert json.loads(json.dumps(dict(found))) == found
        assert getattr(second, "probe", lambda known=None: {})(found) == found
        assert first.capabilities == second.capabilities
        assert _keys(first, "") == list(first.folders("")) == []
        first.close()
        second.close()

    def test_a_put_that_fails_half_way_leaves_whole_blobs_only(self, store: BlobStore) -> None:
        class Mistake(Exception):
            pass

        def items() -> Iterable[tuple[str, list[bytes]]]:
            yield "half/1", [b"one"]
            yield "half/2", [b"two"]
            raise Mistake

        with pytest.raises(Mistake):
            store.put_many(items())
        assert set(store.get_many([BlobRange("half/1"), BlobRange("half/2")])) <= {b"one", b"two", None}
        assert not set(_keys(store, "half/")) - {"half/1", "half/2"}

    # all of it against a model

    @requires(Capability.READ_YOUR_LISTS)
    def test_it_behaves_like_a_dict(self, store: BlobStore) -> None:
        _compare_with_model(store, ["put", "absent", "delete", "get", "stat", "list", "folders"], self.share)

    @without(Capability.READ_YOUR_LISTS)
    def test_it_behaves_like_a_dict_but_for_its_listings(self, store: BlobStore) -> None:
        _compare_with_model(store, ["put", "absent", "delete", "get", "stat"], self.share)


def _race(make_store: Callable[[], BlobStore], store: BlobStore) -> list[tuple[list[int], int]]:
    """Four processes create the same blobs: for each of these who was told that he did, and whose data it holds, whole."""
    keys = [f"race/{number}" for number in range(40)]
    written = {b"%d" % me + b"x" * 100_000: me for me in range(4)}

    def contend(me: int) -> list[bool]:
        mine = make_store()
        return [mine.put_if_absent(key, [b"%d" % me, b"x" * 100_000]) for key in keys]

    told = in_processes([lambda me=me: contend(me) for me in range(4)])  # type: ignore[misc]
    found = list(store.get_many(map(BlobRange, keys)))
    assert set(found) <= set(written), "a blob is none of those that were written"
    winners = [[me for me in range(4) if told[me][position]] for position in range(len(keys))]
    return list(zip(winners, [written[data or b""] for data in found], strict=True))


def _compare_with_model(store: BlobStore, actions: Sequence[str], share: float) -> None:
    """Do the same to the store and to a dict, many times over, and compare what they say."""
    touched: set[str] = set()
    examples = min(settings().max_examples, max(_LEAST, int(settings().max_examples * share)))

    @settings(max_examples=examples, suppress_health_check=[HealthCheck.too_slow], deadline=None)
    @given(operations=st.lists(st.tuples(st.sampled_from(actions), _KEY, st.binary(max_size=20)), max_size=30))
    def check(operations: list[tuple[str, str, bytes]]) -> None:
        store.delete_many(touched)
        touched.clear()
        touched.update(key for _, key, _ in operations)
        model: dict[str, bytes] = {}
        for action, key, data in operations:
            # a key is never the folder of another one
            if not any(known.startswith(f"{key}/") or key.startswith(f"{known}/") for known in model):
                _same_as_model(store, model, action, key, data)
        assert {key: _read(store, key) for key in touched} == {key: model.get(key) for key in touched}
        if "list" in actions:
            assert _keys(store, "") == sorted(model)

    check()


def _same_as_model(store: BlobStore, model: dict[str, bytes], action: str, key: str, data: bytes) -> None:
    """Do one thing to the store and to the dict, and compare what they say."""
    if action == "put":
        store.put_many([(key, [data])])
        model[key] = data
    elif action == "absent":
        assert store.put_if_absent(key, [data]) is (key not in model)
        model.setdefault(key, data)
    elif action == "delete":
        store.delete_many([key])
        model.pop(key, None)
    elif action == "get":
        assert _read(store, key) == model.get(key)
    elif action == "stat":
        size = len(model[key]) if key in model else None
        assert [stat and stat.size for stat in store.stat_many([key])] == [size]
    elif action == "folders":
        prefix = key[: key.rfind("/") + 1]
        below = {known[len(prefix) :] for known in model if known.startswith(prefix)}
        assert list(store.folders(prefix)) == sorted({known.partition("/")[0] for known in below if "/" in known})
    else:
        prefix = key[:2]
        assert _keys(store, prefix, limit=5) == sorted(known for known in model if known.startswith(prefix))[:5]
        assert _keys(store, "", after=key) == sorted(known for known in model if known > key)


def _read(store: BlobStore, key: str) -> bytes | None:
    (data,) = store.get_many([BlobRange(key)])
    return data


def _keys(store: BlobStore, prefix: str, *, after: str = "", limit: int | None = None) -> list[str]:
    return [stat.key for stat in store.list(prefix, after=after, limit=limit)]


def _eventually(store: BlobStore, ask: Callable[[], object], expected: object) -> None:
    """Assert at once where listings are up to date, within a minute where they may lag behind."""
    deadline = time.monotonic() + (0 if Capability.READ_YOUR_LISTS in store.capabilities else 60)
    while (found := ask()) != expected and time.monotonic() < deadline:
        time.sleep(0.5)
    assert found == expected
