from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.run.output import LONGEST_LINE, REDACTED, Lines, Redactor


def feed(lines: Lines, *pieces: bytes) -> list[bytes]:
    return [line for piece in pieces for line in lines.feed(piece)] + lines.end()


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[a:b] for a, b in itertools.pairwise(edges)]


def test_a_partial_line_waits_for_its_newline() -> None:
    lines = Lines(Redactor())
    assert lines.feed(b"progress 10%") == []
    assert lines.feed(b" 20%\nnext") == [b"progress 10% 20%"]
    assert lines.end() == [b"next"]
    assert lines.end() == []


def test_a_line_without_end_is_cut_into_pieces() -> None:
    lines = Lines(Redactor())
    found = feed(lines, b"x" * (2 * LONGEST_LINE + 5))
    assert [len(line) for line in found] == [LONGEST_LINE, LONGEST_LINE, 5]


@pytest.mark.parametrize("character", ["é", "€", "𝄞"])
@pytest.mark.parametrize("shift", range(4))
def test_a_long_line_is_cut_between_characters(character: str, shift: int) -> None:
    text = "x" * shift + character * LONGEST_LINE
    pieces = feed(Lines(Redactor()), text.encode())
    assert "".join(piece.decode() for piece in pieces) == text
    assert {len(piece) > LONGEST_LINE - 4 for piece in pieces[:-1]} == {True}


def test_bytes_that_are_no_characters_are_cut_where_the_line_is_too_long() -> None:
    pieces = feed(Lines(Redactor()), b"\x80" * (LONGEST_LINE + 1))
    assert [len(piece) for piece in pieces] == [LONGEST_LINE, 1]


@given(
    st.lists(st.sampled_from([b"x" * LONGEST_LINE, "é".encode() * 20_000, b"x", b"\n", b"\r", b"\x80\xff"]), max_size=12),
    st.lists(st.integers(0, 500_000), max_size=8),
)
def test_long_lines_do_not_depend_on_how_the_bytes_arrive_and_lose_none(words: list[bytes], places: list[int]) -> None:
    data = b"".join(words)
    whole = feed(Lines(Redactor()), data)
    assert feed(Lines(Redactor()), *cut(data, places)) == whole
    assert all(len(line) <= LONGEST_LINE for line in whole)
    assert b"".join(whole) == data.replace(b"\r\n", b"").replace(b"\n", b"")


@given(st.binary(max_size=300), st.lists(st.integers(0, 1000), max_size=8))
def test_lines_do_not_depend_on_how_the_bytes_arrive(data: bytes, places: list[int]) -> None:
    whole = feed(Lines(Redactor()), data)
    assert feed(Lines(Redactor()), *cut(data, places)) == whole
    if b"\r" not in data:
        joined = b"\n".join(whole)
        assert joined + (b"\n" if data.endswith(b"\n") else b"") == data or (whole == [] and data == b"")


@given(
    st.lists(st.sampled_from([b"secret", b"sec", b"ret", b" ", b"\n", b"secre", b"t"]), max_size=20),
    st.lists(st.integers(0, 1000), max_size=8),
)
def test_a_secret_never_comes_out_however_it_is_cut(words: list[bytes], places: list[int]) -> None:
    redactor = Redactor()
    redactor.add("secret")
    data = b"".join(words)
    found = feed(Lines(redactor), *cut(data, places))
    assert not any(b"secret" in line for line in found)
    assert b"\n".join(found).count(REDACTED) == data.count(b"secret")


def test_a_secret_of_several_lines_is_replaced_line_by_line_too() -> None:
    redactor = Redactor()
    redactor.add("-----BEGIN\nabcdef\n-----END")
    found = feed(Lines(redactor), b"x -----BEGIN\nabcdef\n-----END y\nabcdef alone\n")
    assert found == [b"x [REDACTED] y", b"[REDACTED] alone"]


def test_nothing_is_held_back_that_cannot_begin_a_secret() -> None:
    redactor = Redactor()
    redactor.add("secret")
    lines = Lines(redactor)
    assert lines.feed(b"plain\n") == [b"plain"]
    assert lines.feed(b"a sec\n") == [b"a sec"]
