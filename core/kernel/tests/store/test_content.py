from __future__ import annotations

from array import array
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_doubles import MemoryStore

from headrace.store import content
from headrace.store.keys import blob_key
from headrace_hookspecs import CorruptDataError

CHUNK = content.CHUNK


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@given(st.lists(st.binary(max_size=30), max_size=8), st.integers(1, 9))
def test_chunks_are_those_of_the_joined_buffers(buffers: list[bytes], chunk: int) -> None:
    joined = b"".join(buffers)
    expected = [sha256(joined[at : at + chunk]).hexdigest() for at in range(0, len(joined), chunk)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(content, "CHUNK", chunk)
        assert content.chunk_digests(buffers) == (len(joined), expected)
        assert content.verified(memoryview(joined), len(joined), expected)


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_the_last_chunk_is_shorter_and_nothing_has_none(size: int) -> None:
    data = bytes(size)
    expected = [sha256(data[at : at + CHUNK]).hexdigest() for at in range(0, size, CHUNK)]
    assert content.chunk_digests([data]) == content.chunk_digests([memoryview(data), b""]) == (size, expected)


def test_buffers_of_any_shape_are_bytes() -> None:
    numbers = array("d", [1.0, 2.0])
    buffers: list[Any] = [memoryview(numbers), bytearray(b"x"), memoryview(b"yz")[1:], array("d")]
    assert content.chunk_digests(buffers) == content.chunk_digests([numbers.tobytes() + b"xz"])


def test_content_is_stored_under_the_hash_of_all_of_it(store: MemoryStore) -> None:
    digests = content.put_contents(store, "Flow", [[b"a", b"b"], [b""], [b"ab"]])
    assert digests == [sha256(b"ab").hexdigest(), sha256(b"").hexdigest(), sha256(b"ab").hexdigest()]
    assert store.blobs == {blob_key("Flow", digests[0]): b"ab", blob_key("Flow", digests[1]): b""}
    assert [content.get_content(store, "Flow", digest) for digest in digests] == [b"ab", b"", b"ab"]
    assert content.put_contents(store, "Flow", []) == []


def test_large_content_that_is_there_is_written_again_only_when_it_is_old(store: MemoryStore) -> None:
    large = bytes(2 << 20)
    (digest,) = content.put_contents(store, "Flow", [[large]])
    key = blob_key("Flow", digest)
    assert store.called("put_many") == [(key,)]
    assert content.put_contents(store, "Flow", [[large]]) == [digest]
    assert store.called("put_many") == []
    store.modified[key] -= 25 * 3600
    content.put_contents(store, "Flow", [[large]])
    assert store.called("put_many") == [(key,)]
    store.blobs[key] = b"cut off"
    content.put_contents(store, "Flow", [[large]])
    assert store.blobs[key] == large


def test_content_that_was_changed_or_is_missing_is_an_error_that_names_the_key(store: MemoryStore) -> None:
    (digest,) = content.put_contents(store, "Flow", [[b"abc"]])
    key = blob_key("Flow", digest)
    for broken in (b"abd", b"ab", b"abcd", b""):
        store.blobs[key] = broken
        with pytest.raises(CorruptDataError, match=key) as refused:
            content.get_content(store, "Flow", digest)
        assert refused.value.code == "data-corrupt"
    del store.blobs[key]
    with pytest.raises(CorruptDataError, match=key) as refused:
        content.get_content(store, "Flow", digest)
    assert refused.value.code == "data-missing"


def test_a_range_is_verified_chunk_by_chunk(store: MemoryStore) -> None:
    data = bytes(range(256)) * 10_000
    (digest,) = content.put_contents(store, "Flow", [[b"before", data, b"after"]])
    key = blob_key("Flow", digest)
    size, chunks = content.chunk_digests([data])
    assert bytes(content.get_range(store, key, 6, size, chunks, "x")) == data
    assert content.get_range(store, key, 6, size, chunks, "x").readonly
    for position in (6, 6 + CHUNK, 6 + size - 1):
        broken = bytearray(store.blobs[key])
        broken[position] ^= 1
        damaged = MemoryStore()
        damaged.blobs[key] = bytes(broken)
        with pytest.raises(CorruptDataError, match="artifact y"):
            content.get_range(damaged, key, 6, size, chunks, "artifact y")
    for wrong in (chunks[:-1], [*chunks, chunks[0]], []):
        with pytest.raises(CorruptDataError):
            content.get_range(store, key, 6, size, wrong, "x")
    with pytest.raises(CorruptDataError):
        content.get_range(store, key, 6, size + 1000, chunks, "x")
