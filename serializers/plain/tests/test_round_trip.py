"""Plain values come back as they were, type by type; everything else is passed on."""

from __future__ import annotations

import collections
import enum
import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace_hookspecs import LoadContext
from headrace_serializer_plain import plugin

ATOMS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(st.characters(codec=None, categories=None))
    | st.text(st.characters(categories=["Cs"]))
    | st.binary()
)
HASHABLE = st.recursive(ATOMS, lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=4), max_leaves=6)
VALUES = st.recursive(
    ATOMS | HASHABLE,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(HASHABLE, inner, max_size=4)
        | st.sets(HASHABLE, max_size=4)
        | st.frozensets(HASHABLE, max_size=4)
    ),
    max_leaves=20,
)


def exactly(value: Any) -> Any:
    """A value in a form that compares types, order, NaNs and signs of zeros too."""
    kind = type(value)
    if kind is float:
        return "float", struct.pack(">d", value)
    if kind in (list, tuple):
        return kind.__name__, [exactly(part) for part in value]
    if kind is dict:
        return "dict", [(exactly(key), exactly(part)) for key, part in value.items()]
    if kind in (set, frozenset):
        return kind.__name__, sorted(repr(exactly(part)) for part in value)
    return kind.__name__, value


def unused(module: str, name: str) -> Any:
    raise AssertionError("plain values need no classes")


def dump(value: Any) -> tuple[bytes, Any]:
    out = plugin.create(None, None).dump(value)
    return b"".join(out.buffers), out.meta


def load(data: bytes, meta: Any = None) -> Any:
    return plugin.create(None, None).load(memoryview(data), meta, LoadContext(unused))


@given(VALUES)
def test_every_plain_value_comes_back_with_its_types_and_its_order(value: Any) -> None:
    assert exactly(load(*dump(value))) == exactly(value)


@pytest.mark.parametrize(
    "value",
    [
        2**64,
        -(2**63) - 1,
        10**100,
        -0.0,
        math.inf,
        "\ud800\udc00",
        "",
        b"",
        (),
        [()],
        ([],),
        [(1, [2])],
        ({1: (2,)},),
        {(1, (2,)): [3]},
        {frozenset({(1,)}): {2}},
        [[(1, 2)], (3, [4])],
        b"x" * (1 << 20),
        [[[]], []],
        {True: 1, "1": 2, 1.5: 3, None: 4, b"1": 5},
    ],
    ids=lambda value: repr(value)[:40],
)
def test_the_corners_of_every_type_come_back(value: Any) -> None:
    assert exactly(load(*dump(value))) == exactly(value)


class Integer(int):
    pass


class Text(str):
    __slots__ = ()


class Numbers(list[int]):
    pass


class Colour(enum.IntEnum):
    RED = 1


Point = collections.namedtuple("Point", "x y")


@pytest.mark.parametrize(
    "value",
    [
        Integer(1),
        Text("a"),
        Numbers([1]),
        Colour.RED,
        Point(1, 2),
        collections.OrderedDict(a=1),
        collections.defaultdict(int),
        bytearray(b"a"),
        memoryview(b"a"),
        1j,
        object(),
        range(3),
        int,
    ],
    ids=repr,
)
def test_what_is_not_exactly_plain_is_passed_on_wherever_it_stands(value: Any) -> None:
    for holder in (value, [value], (value,), {"a": value}, [[{"a": (1, value)}]]):
        with pytest.raises(TypeError, match=type(value).__qualname__):
            dump(holder)
    assert not plugin.create(None, None).can_dump(value)


def test_a_key_that_is_not_plain_is_passed_on() -> None:
    with pytest.raises(TypeError, match="Colour"):
        dump({Colour.RED: 1})


def test_a_container_that_is_reached_twice_is_passed_on_since_it_would_come_back_as_two() -> None:
    shared: list[int] = [1]
    for value in ([shared, shared], {"a": shared, "b": [shared]}, ([shared], [shared])):
        with pytest.raises(TypeError, match="a list is in it twice"):
            dump(value)
    flat = (1, "a")
    assert load(*dump([flat, flat])) == [flat, flat]


def test_a_value_that_holds_itself_or_is_very_deep_is_passed_on() -> None:
    circle: list[Any] = []
    circle.append(circle)
    with pytest.raises(TypeError, match="twice"):
        dump(circle)
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(TypeError, match="levels deep"):
        dump(deep)
    doubled: tuple[Any, ...] = (1,)
    for _ in range(60):
        doubled = (doubled, doubled)
    with pytest.raises(TypeError, match="a tuple is in it twice"):
        dump(doubled)


@given(st.lists(st.text()).map(set))
def test_equal_sets_are_equal_bytes_however_they_were_filled(value: set[str]) -> None:
    other: set[str] = set()
    for member in sorted(value, reverse=True):
        other.add(member)
    assert dump(value) == dump(other)


def test_large_bytes_are_not_copied() -> None:
    value = bytes(1 << 20)
    assert plugin.create(None, None).dump(value).buffers[0] is value


def test_bytes_of_another_format_are_refused_and_never_become_a_value() -> None:
    for data in (b"\xc1", b"\xc1x\x01", b"", b"\xc7\x01\x09a", b"\x92\x01"):
        with pytest.raises(Exception, match=r".*"):
            load(data)
