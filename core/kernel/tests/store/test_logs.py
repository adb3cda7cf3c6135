from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.store.logs import LogLine, decode_chunk, encode_chunk, encode_frame
from headrace_hookspecs import CorruptDataError, StoreError

LINES = st.lists(
    st.builds(LogLine, st.floats(allow_nan=False), st.sampled_from(["stdout", "stderr", "system"]), st.binary(max_size=50)), max_size=8
)


def encoded(lines: list[LogLine]) -> bytes:
    return encode_chunk(b"".join(encode_frame(line.time, line.stream, line.data) for line in lines))


CHUNK = encoded([LogLine(1.0, "stdout", b"one"), LogLine(2.0, "stderr", b""), LogLine(3.0, "system", b"three")])


@given(LINES)
def test_lines_come_back(lines: list[LogLine]) -> None:
    assert decode_chunk(encoded(lines), "Flow/log") == lines


def test_the_format_is_the_one_that_is_written_down() -> None:
    frames = b"\x02\x00\x00\x00" + b"\x00\x00\x00\x00\x00\x00\xf0\x3f" + b"\x02" + b"ab"
    assert encode_frame(1.0, "stderr", b"ab") == frames
    assert encode_chunk(frames) == b"HRLOG\x00\x01\n" + sha256(b"HRLOG\x00\x01\n" + frames).digest()[:16] + frames


@pytest.mark.parametrize("at", range(len(CHUNK)))
def test_a_chunk_with_any_byte_changed_is_an_error_that_names_it(at: int) -> None:
    for bit in range(8):
        damaged = bytearray(CHUNK)
        damaged[at] ^= 1 << bit
        with pytest.raises(StoreError, match="Flow/log") as refused:
            decode_chunk(bytes(damaged), "Flow/log")
        assert refused.value.code == "data-corrupt" or (at == 6 and damaged[at] > 1)


@pytest.mark.parametrize("size", range(len(CHUNK)))
def test_a_chunk_that_is_cut_or_longer_is_an_error(size: int) -> None:
    for damaged in (CHUNK[:size], CHUNK + CHUNK[: size + 1]):
        with pytest.raises(CorruptDataError, match="Flow/log"):
            decode_chunk(damaged, "Flow/log")


@pytest.mark.parametrize("frames", [b"\0" * 20, b"\1", encode_frame(1.0, "stdout", b"one")[:-1]])
def test_a_chunk_of_something_else_is_an_error_though_its_hash_is_right(frames: bytes) -> None:
    with pytest.raises(CorruptDataError, match="Flow/log"):
        decode_chunk(encode_chunk(frames), "Flow/log")


def test_what_a_later_version_wrote_is_refused_with_its_number() -> None:
    with pytest.raises(StoreError, match="format is 2") as refused:
        decode_chunk(b"HRLOG\x00\x02\n" + b"nobody knows what", "Flow/log")
    assert refused.value.code == "store-too-new"


def test_bytes_that_are_no_text_are_shown_as_escapes() -> None:
    assert LogLine(0.0, "stdout", b"caf\xe9 \xc3\xa9").text == "caf\\xe9 é"
