from __future__ import annotations

import json
import struct
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_doubles import DONE, spec

from headrace.store.record import MAGIC, decode_record, encode_record, new_header, seal, unseal
from headrace_hookspecs import CorruptDataError, Failure, Outcome, StoreError

GOLDEN = Path(__file__).parent / "golden"

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
RECORDS = st.tuples(st.dictionaries(st.text(max_size=5), JSON, max_size=3), st.lists(st.binary(max_size=40), max_size=3))


def header(**fields: Any) -> dict[str, Any]:
    return {**new_header(spec("train", 3, attempt=2), "n0nce", DONE, started=1.5, ended=2.25), **fields}


def frame(text: bytes, inline: bytes = b"") -> bytes:
    return struct.pack("<8sI16s", MAGIC, len(text), sha256(text).digest()[:16]) + text + inline


@given(RECORDS)
def test_a_record_comes_back_as_it_was(parts: tuple[dict[str, Any], list[bytes]]) -> None:
    fields, inline = parts
    record = decode_record(encode_record(header(fields=fields), inline), "key")
    assert bytes(record.inline) == b"".join(inline)
    assert {**record.header, "inline": None} == {**header(fields=fields), "inline": None}
    assert (record.flow, record.run, record.step, record.task, record.attempt) == ("Flow", "1", "train", "3", 2)
    assert (record.nonce, record.outcome, record.started, record.ended, record.fields) == ("n0nce", DONE, 1.5, 2.25, fields)
    assert record.pathspec == "Flow/1/train/3"


@given(RECORDS, st.data())
def test_a_record_with_any_bit_changed_is_an_error_that_names_it(parts: tuple[dict[str, Any], list[bytes]], data: st.DataObject) -> None:
    whole = encode_record(header(fields=parts[0]), parts[1])
    bit = data.draw(st.integers(0, len(whole) * 8 - 1))
    broken = bytearray(whole)
    broken[bit // 8] ^= 1 << bit % 8
    with pytest.raises(CorruptDataError, match="Flow/the/key"):
        decode_record(bytes(broken), "Flow/the/key")


@given(RECORDS, st.data())
def test_a_record_that_is_cut_or_longer_is_an_error(parts: tuple[dict[str, Any], list[bytes]], data: st.DataObject) -> None:
    whole = encode_record(header(fields=parts[0]), parts[1])
    for broken in (whole[: data.draw(st.integers(0, len(whole) - 1))], whole + data.draw(st.binary(min_size=1, max_size=9))):
        with pytest.raises(CorruptDataError, match="Flow/the/key"):
            decode_record(broken, "Flow/the/key")


@given(st.binary())
def test_anything_else_is_an_error(data: bytes) -> None:
    for junk in (data, MAGIC + data, frame(data)):
        with pytest.raises(CorruptDataError):
            decode_record(junk, "key")
        with pytest.raises(CorruptDataError):
            unseal(junk, "key")


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"1", b"null", b"{}", b'{"v":1}', b'{"v":"1","inline":{}}', b'{"v":1,"inline":{"size":0}}', b"{" * 5000, b"\xff"]
)
def test_a_header_of_another_shape_is_an_error_though_its_hash_is_right(text: bytes) -> None:
    with pytest.raises(CorruptDataError):
        decode_record(frame(text), "key")


def test_an_outcome_of_another_shape_is_an_error() -> None:
    with pytest.raises(CorruptDataError, match="Flow/key"):
        _ = decode_record(encode_record(header(outcome={"next": 1})), "Flow/key").outcome


@given(st.dictionaries(st.text(max_size=5).filter(lambda name: name != "sha256"), JSON, max_size=4))
def test_sealed_json_comes_back_as_it_was(data: dict[str, Any]) -> None:
    data["format"] = 1
    sealed = seal(data)
    assert unseal(sealed, "key") == data
    assert list(json.loads(sealed)) == sorted([*data, "sha256"])


@given(st.dictionaries(st.sampled_from("abc"), JSON, max_size=3), st.data())
def test_sealed_json_with_a_change_is_an_error_or_means_the_same(data: dict[str, Any], draw: st.DataObject) -> None:
    data["format"] = 1
    whole = seal(data)
    bit = draw.draw(st.integers(0, len(whole) * 8 - 1))
    broken = bytearray(whole)
    broken[bit // 8] ^= 1 << bit % 8
    with suppress(CorruptDataError):
        assert unseal(bytes(broken), "key") == data
    with pytest.raises(CorruptDataError):
        unseal(whole[: draw.draw(st.integers(0, len(whole) - 1))], "key")


def test_what_a_later_version_wrote_is_refused_with_its_number() -> None:
    for read in (lambda: decode_record(encode_record(header(v=2)), "Flow/key"), lambda: unseal(seal({"format": 2}), "Flow/key")):
        with pytest.raises(StoreError) as refused:
            read()
        assert refused.value.code == "store-too-new"
        assert "Flow/key" in refused.value.message
        assert "2" in refused.value.message


FAILED = Outcome(
    "failed", failure=Failure("exception", "no", "builtins.ValueError", "Traceback…", give_up=True, bases=("builtins.Exception",))
)
GOLDEN_HEADER = {
    **new_header(spec("train", 0, 3, attempt=1), "0f" * 12, FAILED, started=1785507901.093, ended=1785507902.5, fields={"gpu": [1, "ü"]}),
    "artifacts": {
        "small": ["plain", "int", 1, ["i", 0, 1]],
        "large": ["pickle", "numpy.ndarray", 2097153, ["b", "ab" * 32, 64, 2097153, ["cd" * 32, "ef" * 32, "01" * 32]], {"stream": 5}],
    },
    "foreach": {"size": 2, "pages": [[2, ["i", 1, 40]]]},
}
GOLDEN_SEALED = {"format": 1, "state": "succeeded", "started": 1.5, "ended": 2.0, "failure": None, "text": "ü\u2028"}


def test_format_1_is_written_byte_for_byte_as_ever() -> None:
    """If this fails, stores that exist would be read differently: a new format needs a new number, and both have to be read."""
    assert encode_record(GOLDEN_HEADER, [b"\x2a", b"x" * 40]) == (GOLDEN / "record-1.bin").read_bytes()
    assert seal(GOLDEN_SEALED) == (GOLDEN / "sealed-1.json").read_bytes()


def test_format_1_is_read_for_ever() -> None:
    record = decode_record((GOLDEN / "record-1.bin").read_bytes(), "golden")
    assert {**record.header, "inline": None} == {**GOLDEN_HEADER, "inline": None}
    assert record.outcome == FAILED
    assert bytes(record.inline) == b"\x2a" + b"x" * 40
    assert unseal((GOLDEN / "sealed-1.json").read_bytes(), "golden") == GOLDEN_SEALED
