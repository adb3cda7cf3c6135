from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.store.logs import LogDecoder, LogLine, encode_frame
from headrace_hookspecs import CorruptDataError

LINES = st.lists(
    st.builds(LogLine, st.floats(allow_nan=False), st.sampled_from(["stdout", "stderr", "system"]), st.binary(max_size=50)), max_size=8
)


def encoded(lines: list[LogLine]) -> bytes:
    return b"".join(encode_frame(line.time, line.stream, line.data) for line in lines)


@given(LINES, st.lists(st.integers(0, 300)))
def test_lines_come_back_whatever_pieces_they_arrive_in(lines: list[LogLine], cuts: list[int]) -> None:
    data, decoder, found = encoded(lines), LogDecoder(), []
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    for start, end in pairwise(edges):
        found += decoder.feed(data[start:end])
    decoder.close()
    assert found == lines


def test_the_format_is_the_one_that_is_written_down() -> None:
    assert encode_frame(1.0, "stderr", b"ab") == b"\x02\x00\x00\x00" + b"\x00\x00\x00\x00\x00\x00\xf0\x3f" + b"\x02" + b"ab"


def test_a_log_that_ends_inside_a_line_or_holds_something_else_is_an_error_that_names_it() -> None:
    data = encoded([LogLine(1.0, "stdout", b"one"), LogLine(2.0, "stdout", b"two")])
    decoder = LogDecoder("Flow/log")
    assert [line.data for line in decoder.feed(data[:-1])] == [b"one"]
    with pytest.raises(CorruptDataError, match="Flow/log"):
        decoder.close()
    with pytest.raises(CorruptDataError, match="Flow/log"):
        LogDecoder("Flow/log").feed(b"\0" * 20)


def test_bytes_that_are_no_text_are_shown_as_escapes() -> None:
    assert LogLine(0.0, "stdout", b"caf\xe9 \xc3\xa9").text == "caf\\xe9 é"
