"""Large buffers travel beside the pickle stream; what cannot be pickled is passed on with a reason that helps."""

from __future__ import annotations

import pickle
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace_hookspecs import LoadContext
from headrace_serializer_pickle.serializer import PickleSerializer


class Array:
    """Pickles as numpy arrays do: its memory is offered out of band."""

    def __init__(self, memory: Any) -> None:
        self.memory = memory

    def __reduce_ex__(self, protocol: Any) -> Any:
        return Array, (pickle.PickleBuffer(self.memory),)


def resolve(module: str, qualname: str) -> Any:
    assert (module, qualname) == (__name__, "Array")
    return Array


def dump(value: Any) -> tuple[list[Any], Any]:
    dumped = PickleSerializer().dump(value)
    return list(dumped.buffers), dumped.meta


def back(value: Any) -> Any:
    buffers, meta = dump(value)
    return PickleSerializer().load(memoryview(b"".join(buffers)).toreadonly(), meta, LoadContext(resolve))


def test_a_large_buffer_is_handed_on_and_not_copied() -> None:
    memory = bytearray(b"x" * 100_000)
    buffers, meta = dump([Array(memory), 1])
    (large,) = [buffer for buffer in buffers if len(buffer) == 100_000]
    memory[0] = ord("y")
    assert bytes(large[:2]) == b"yx"
    (table,) = meta["buffers"]
    assert table == [table[0], 100_000, 0]
    assert sum(map(len, buffers)) < 101_000


@given(st.lists(st.tuples(st.integers(4000, 4200), st.booleans()), max_size=5))
def test_every_buffer_comes_back_and_starts_aligned(sizes: list[tuple[int, bool]]) -> None:
    arrays = [Array(bytes([number]) * size if fixed else bytearray([number]) * size) for number, (size, fixed) in enumerate(sizes)]
    _, meta = dump(arrays)
    assert all(start % 16 == 0 for start, _, _ in (meta or {"buffers": []})["buffers"])
    assert [bytes(array.memory) for array in back(arrays)] == [bytes(array.memory) for array in arrays]


def test_what_could_be_changed_can_be_changed_and_belongs_to_nobody_else() -> None:
    data, meta = dump(Array(bytearray(5000)))
    whole = bytearray(b"".join(data))
    first, second = (PickleSerializer().load(memoryview(whole).toreadonly(), meta, LoadContext(resolve)) for _ in range(2))
    first.memory[0] = 7
    assert (first.memory[0], second.memory[0], whole == b"".join(data)) == (7, 0, True)


def test_what_could_not_be_changed_is_read_in_place() -> None:
    data, meta = dump(Array(b"x" * 5000))
    whole = bytearray(b"".join(data))
    found = PickleSerializer().load(memoryview(whole).toreadonly(), meta, LoadContext(resolve))
    assert memoryview(found.memory).readonly
    whole[meta["buffers"][0][0]] = ord("y")
    assert bytes(memoryview(found.memory)[:2]) == b"yx"


def test_small_and_scattered_buffers_stay_in_the_stream() -> None:
    scattered = memoryview(bytearray(range(256)) * 100)[::2]
    for memory in (bytearray(b"small"), b"small"):
        assert dump(Array(memory))[1] is None
        assert bytes(back(Array(memory)).memory) == b"small"
    with pytest.raises(Exception, match="contiguous"):
        dump(Array(scattered))


def test_an_array_of_numpy_comes_back_and_can_be_changed() -> None:
    numpy = pytest.importorskip("numpy")

    def anything(module: str, qualname: str) -> Any:
        import importlib

        return getattr(importlib.import_module(module), qualname)

    for array in (numpy.arange(10_000.0), numpy.asfortranarray(numpy.ones((100, 80))), numpy.arange(10_000)[::3], numpy.zeros((0, 3))):
        buffers, meta = dump(array)
        found = PickleSerializer().load(memoryview(b"".join(buffers)), meta, LoadContext(anything))
        assert numpy.array_equal(found, array)
        assert found.dtype == array.dtype
        found += 1


# what cannot be pickled


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: lambda: 1, r"define it in the module"),
        (lambda: type("Local", (), {"__qualname__": "make.<locals>.Local"})(), r"define it in the module"),
        (lambda: (number for number in ()), r"generator"),
        (threading.Lock, r"lock"),
    ],
    ids=["lambda", "local class", "generator", "lock"],
)
def test_what_cannot_be_pickled_is_passed_on_with_the_reason(make: Any, reason: str) -> None:
    with pytest.raises(TypeError, match=reason):
        dump({"inside": [make()]})


def test_a_class_that_is_not_the_one_of_its_name_is_passed_on() -> None:
    clone = type("Array", (), {"__module__": __name__})
    with pytest.raises(TypeError, match="not the same object"):
        dump(clone())


def test_nesting_without_end_is_passed_on() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(TypeError, match="too deeply"):
        dump(deep)


def test_an_error_of_the_values_own_code_is_no_type_error() -> None:
    class Bad:
        def __reduce__(self) -> Any:
            raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError):
        dump(Bad())


def test_it_is_the_last_resort_and_says_that_loading_runs_code() -> None:
    serializer = PickleSerializer()
    assert (serializer.name, serializer.rank, serializer.executes_code) == ("pickle", 90, True)
