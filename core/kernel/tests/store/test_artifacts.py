from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_doubles import DONE, JsonSerializer, MemoryStore, serializers, spec

from headrace.store import artifacts
from headrace.store.artifacts import ArtifactReader, ArtifactWriter
from headrace.store.record import decode_record, encode_record, new_header
from headrace.store.serializers import SerializerSet
from headrace_hookspecs import CorruptDataError, Dumped, NotFoundError, SerializationError

HEADER = new_header(spec("train", 3), "nonce", DONE, started=1.0, ended=2.0)
KEY = "Flow/runs/1/commits/train/3"


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def writer(store: MemoryStore, **options: Any) -> ArtifactWriter:
    return ArtifactWriter(store, serializers(), "Flow", "train", **options)


def reader(store: MemoryStore, record: bytes, using: SerializerSet | None = None) -> ArtifactReader:
    return ArtifactReader(decode_record(record, KEY), store, using or serializers())


def stored(store: MemoryStore, values: dict[str, Any], **options: Any) -> ArtifactReader:
    out = writer(store, **options)
    for name, value in values.items():
        out.put(name, value)
    return reader(store, out.finish(HEADER))


VALUES = st.dictionaries(
    st.text("abc", min_size=1, max_size=2), st.binary(max_size=60) | st.lists(st.integers(), max_size=5) | st.none(), max_size=8
)


@given(VALUES, st.integers(0, 40), st.integers(0, 80), st.integers(10, 60))
def test_artifacts_come_back_wherever_they_were_put(values: dict[str, Any], value: int, total: int, own: int) -> None:
    store = MemoryStore()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(artifacts, "OWN_BLOB", own)
        found = stored(store, values, inline_value=value, inline_total=total)
    assert found.names() == list(values)
    assert {name: found.load(name) for name in values} == values
    assert len(found.record.inline) <= total


def test_small_values_are_in_the_record_and_cost_no_other_write(store: MemoryStore) -> None:
    found = stored(store, {"x": 1, "edge": b"x" * (16 * 1024)})
    assert store.calls == []
    assert found.entry("x") == artifacts.Entry("json", "int", 1, ["i", 0, 1])
    assert found.entry("edge") == artifacts.Entry("json", "bytes", 16384, ["i", 1, 16384], {"bytes": True})
    assert (found.load("x"), found.load("edge")) == (1, b"x" * 16384)
    assert store.calls == []


def test_ten_thousand_artifacts_are_one_pack_beside_the_record(store: MemoryStore) -> None:
    values = {f"a{number}": f"value {number}" * 5 for number in range(10_000)}
    found = stored(store, values)
    assert [len(keys) for keys in store.called("put_many")] == [1]
    assert len(found.record.inline) <= 128 * 1024
    assert {name: found.load(name) for name in values} == values
    assert [length for ((_, _, length),) in store.called("get_many")] == [
        found.entry(name).size for name in values if found.entry(name).where[0] == "b"
    ]


def test_only_a_very_large_value_has_a_blob_of_its_own(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "OWN_BLOB", 3 << 20)
    values = {"middle": b"m" * (2 << 20), "large": b"l" * (4 << 20), "other": b"o" * (1 << 20)}
    found = stored(store, values)
    assert sorted(map(len, store.blobs.values())) == [3 << 20, 4 << 20]
    assert {name: found.load(name) for name in values} == values
    assert len(found.entry("large").where[4]) == 4


def test_carried_artifacts_are_never_loaded_and_never_written_again(store: MemoryStore) -> None:
    class Broken(JsonSerializer):
        def load(self, data: Any, meta: Any, context: Any) -> Any:
            raise AssertionError("loaded")

        def dump(self, value: Any) -> Dumped:
            raise AssertionError("dumped")

    first = stored(store, {"small": [1], "large": b"x" * 100_000, "gone": 1})
    store.calls.clear()
    out = ArtifactWriter(store, SerializerSet.of([Broken()]), "Flow", "next")
    for name in ("large", "small"):
        out.carry(name, first)
    second = reader(store, out.finish(HEADER))
    assert store.calls == []
    assert second.names() == ["large", "small"]
    assert second.entry("large") == first.entry("large")
    assert (second.load("large"), second.load("small")) == (b"x" * 100_000, [1])
    assert (second.same("large", first), second.same("small", first), second.same("gone", first)) == (True, True, False)
    with pytest.raises(NotFoundError):
        out.carry("none", first)


def test_inline_values_that_have_no_room_in_the_next_record_go_into_its_pack(store: MemoryStore) -> None:
    first = stored(store, {"a": b"a" * 50, "b": b"b" * 50})
    out = writer(store, inline_total=60)
    for name in first.names():
        out.carry(name, first)
    second = reader(store, out.finish(HEADER))
    assert [second.entry(name).where[0] for name in "ab"] == ["i", "b"]
    assert (second.load("a"), second.load("b")) == (b"a" * 50, b"b" * 50)
    assert second.same("a", first)
    assert second.same("b", first), "the same bytes are the same wherever they are"


def test_a_value_that_serialises_to_the_same_bytes_as_before_is_not_written_again(store: MemoryStore) -> None:
    first = stored(store, {"x": b"x" * 100_000, "y": b"y" * 100_000})
    store.calls.clear()
    out = writer(store)
    out.put("x", b"x" * 100_000, first)
    out.put("y", b"Y" * 100_000, first)
    out.put("z", b"z" * 100_000, first)
    second = reader(store, out.finish(HEADER))
    assert [sum(len(store.blobs[key]) for key in keys) for keys in store.called("put_many")] == [200_000]
    assert second.entry("x").where == first.entry("x").where
    assert [second.load(name)[:1] for name in "xyz"] == [b"x", b"Y", b"z"]


def test_equality_of_entries_is_that_of_serialiser_and_bytes(store: MemoryStore) -> None:
    left = stored(store, {"a": 1, "b": [1], "c": b"1", "d": b"x" * 50_000, "e": None})
    right = stored(store, {"a": 1, "b": [2], "c": 1, "d": b"x" * 50_000})
    assert {name: left.same(name, right) for name in "abcdef"} == {"a": True, "b": False, "c": False, "d": True, "e": False, "f": False}


# foreach


@given(st.lists(st.binary(max_size=40) | st.integers() | st.text(max_size=3), max_size=30), st.integers(1, 60), st.integers(1, 7))
def test_every_child_gets_its_element(elements: list[Any], page_bytes: int, page_elements: int) -> None:
    store = MemoryStore()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("headrace.store.elements.PAGE_BYTES", page_bytes)
        patch.setattr("headrace.store.elements.PAGE_ELEMENTS", page_elements)
        out = writer(store, inline_total=200)
        assert out.store_elements(iter(elements)) == len(elements)
        found = reader(store, out.finish(HEADER))
    assert found.size == len(elements)
    assert [found.element(index) for index in range(len(elements))] == elements


def test_a_child_of_a_wide_foreach_reads_one_small_range(store: MemoryStore) -> None:
    out = writer(store)
    out.store_elements([f"element {index}" for index in range(100_000)])
    record = out.finish(HEADER)
    assert [len(keys) for keys in store.called("put_many")] == [1]
    assert len(record) < 200_000
    found = reader(store, record)
    assert (found.element(0), found.element(99_999)) == ("element 0", "element 99999")
    store.called()
    assert found.element(77_777) == "element 77777"
    ((range_,),) = store.called("get_many")
    assert range_[2] <= 100_000


def test_large_elements_are_read_one_at_a_time(store: MemoryStore) -> None:
    out = writer(store)
    out.store_elements([b"%d" % index * 200_000 for index in range(4)])
    found = reader(store, out.finish(HEADER))
    store.called()
    assert found.element(2) == b"2" * 200_000
    ((range_,),) = store.called("get_many")
    assert range_[2] < 201_000


def test_there_is_no_element_outside_the_foreach(store: MemoryStore) -> None:
    out = writer(store)
    out.store_elements("ab")
    found = reader(store, out.finish(HEADER))
    for index in (-1, 2):
        with pytest.raises(NotFoundError, match=f"element {index}"):
            found.element(index)
    empty = stored(store, {})
    assert empty.size == 0
    with pytest.raises(NotFoundError):
        empty.element(0)


def test_an_element_that_nothing_takes_is_named(store: MemoryStore) -> None:
    with pytest.raises(SerializationError, match=r"self\.items\[1\]") as refused:
        ArtifactWriter(store, SerializerSet.of([JsonSerializer()]), "Flow", "train").store_elements([1, object()], "items")
    assert refused.value.step == "train"


# damage


def test_an_artifact_that_is_not_there_is_named(store: MemoryStore) -> None:
    found = stored(store, {"a": 1})
    for ask in (found.load, found.entry, found.read):
        with pytest.raises(NotFoundError, match=r"Flow/1/train/3.*'b'"):
            ask("b")
    assert (found.has("a"), found.has("b")) == (True, False)


@given(VALUES.filter(bool), st.data())
def test_no_change_to_any_stored_byte_ever_gives_a_wrong_value(values: dict[str, Any], data: st.DataObject) -> None:
    store = MemoryStore()
    out = writer(store, inline_value=30, inline_total=60)
    for name, value in values.items():
        out.put(name, value)
    out.store_elements(values.values())
    store.blobs[KEY] = out.finish(HEADER)
    key = data.draw(st.sampled_from(sorted(store.blobs)))
    if data.draw(st.booleans()):
        changed = bytearray(store.blobs[key])
        changed[data.draw(st.integers(0, len(changed) - 1))] ^= data.draw(st.integers(1, 255))
        store.blobs[key] = bytes(changed)
    else:
        store.blobs[key] = store.blobs[key][: data.draw(st.integers(0, len(store.blobs[key]) - 1))]
    try:
        found = reader(store, store.blobs[KEY])
    except CorruptDataError as error:
        damage = [error.message]
    else:
        named = {f"Flow/1/train/3/{name}": (partial(found.load, name), value) for name, value in values.items()}
        for index, value in enumerate(values.values()):
            named[f"element {index} of Flow/1/train/3"] = (partial(found.element, index), value)
        damage = [message for what, (load, value) in named.items() if (message := damage_of(what, load, value))]
    assert damage, "every stored byte belongs to something"
    assert all(key in message for message in damage)


def damage_of(what: str, load: Callable[[], Any], value: Any) -> str:
    """Load something: it is the right value, or the error, whose text this is, names it."""
    try:
        found = load()
    except CorruptDataError as error:
        return error.message if what in error.message else f"{what} is not named: {error.message}"
    assert found == value
    return ""


def test_a_blob_that_is_gone_is_an_error_that_names_artifact_and_place(store: MemoryStore) -> None:
    found = stored(store, {"x": b"x" * 50_000})
    (key,) = store.blobs
    store.blobs.clear()
    with pytest.raises(CorruptDataError, match=f"Flow/1/train/3/x.*{key} in memory") as refused:
        found.load("x")
    assert refused.value.code == "data-missing"


@pytest.mark.parametrize(
    "row",
    [
        [],
        ["json"],
        ["json", "int", 1, []],
        ["json", "int", 1, ["i"]],
        ["json", "int", 1, ["i", 0, 99]],
        ["json", "int", 1, ["b", "ab"]],
        ["json", "int", 1, ["b", "ab", "x", 1, []]],
        ["json", "int", 1, ["b", "ab", 0, 1, None]],
        ["json", "int", 1, ["i", 0, 1], None, 7],
    ],
    ids=repr,
)
def test_a_table_of_another_shape_is_an_error_though_its_hash_is_right(store: MemoryStore, row: list[Any]) -> None:
    with pytest.raises(CorruptDataError):
        reader(store, encode_record({**HEADER, "artifacts": {"a": row}}, [b"1"])).load("a")


def test_bytes_are_written_before_the_record_exists(store: MemoryStore) -> None:
    out = writer(store)
    out.put("x", b"x" * 50_000)
    store.fail_before = OSError("no")
    with pytest.raises(OSError, match="no"):
        out.finish(HEADER)
    assert store.blobs == {}
