"""Objects of every size and name, as they are in the bucket."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace_hookspecs import BlobRange, StoreError
from headrace_s3.body import Views, body_of, cut, flat
from headrace_s3.store import S3Store
from headrace_testkit.servers import S3Server
from headrace_testkit.servers.proxy import Proxy
from headrace_testkit.servers.s3 import client

MIB = 1 << 20
PART = 5 * MIB
LARGE = [b"begin", bytearray(b"a" * 7 * MIB), memoryview(array("d", [0.5] * MIB)), b"end"]


@pytest.fixture
def through(open_s3: Callable[..., S3Store], between: Proxy) -> Callable[..., S3Store]:
    """Opens a store behind the proxy, with small parts."""
    return lambda **config: open_s3(conditional_writes="yes", part_bytes=PART, client={"endpoint": between.endpoint}, **config)


class Sizes:
    """A large blob, however it is sent."""

    def test_a_large_blob_is_sent_in_parts_and_is_its_buffers_joined(self, through: Callable[..., S3Store], between: Proxy) -> None:
        store = through()
        store.put_many([("small", [b"1"]), ("large", LARGE), ("other", [b"2"])])
        whole = b"".join(LARGE)
        assert sorted(seen.size for seen in between.seen if "partNumber" in seen.query) == [len(whole) - 3 * PART, PART, PART, PART]
        assert list(store.get_many([BlobRange("small"), BlobRange("large"), BlobRange("other")])) == [b"1", whole, b"2"]
        assert list(store.get_many([BlobRange("large", 7 * MIB, 9)])) == [whole[7 * MIB : 7 * MIB + 9]]

    def test_a_large_blob_is_written_once_where_that_is_asked_for(self, through: Callable[..., S3Store], between: Proxy) -> None:
        store = through()
        assert store.put_if_absent("large", LARGE) is True
        assert store.put_if_absent("large", [b"other" * PART]) is False
        assert [(seen.method, seen.status) for seen in between.seen] == [("PUT", 200), ("PUT", 412)]
        assert list(store.get_many([BlobRange("large")])) == [b"".join(LARGE)]

    def test_nothing_is_left_of_an_upload_that_fails(
        self, server: S3Server, bucket: str, through: Callable[..., S3Store], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store = through()
        sdk = store._bucket.client()

        def fail(params: dict[str, Any], **_: Any) -> None:
            if params["PartNumber"] == 2:
                raise RuntimeError("no")

        sdk.meta.events.register("provide-client-params.s3.UploadPart", lambda params, **more: fail(params, **more))
        with pytest.raises(StoreError, match=r"s3://.*/a/place/large cannot be written"):
            store.put_many([("large", LARGE)])
        assert list(store.list("")) == []
        assert "Uploads" not in client(server).list_multipart_uploads(Bucket=bucket)

    def test_an_upload_whose_last_answer_is_lost_is_there(self, through: Callable[..., S3Store], between: Proxy) -> None:
        store = through()
        between.lose_next(lambda seen: seen.method == "POST" and "uploadId" in seen.query)
        store.put_many([("large", LARGE)])
        assert list(store.get_many([BlobRange("large")])) == [b"".join(LARGE)]


class TestMoto(Sizes):
    pass


@pytest.mark.needs("rados")
class TestRados(Sizes):
    @pytest.fixture
    def server(self, rados_server: S3Server) -> S3Server:
        return rados_server


def test_a_body_that_breaks_off_is_read_again(store: S3Store) -> None:
    from botocore.exceptions import IncompleteReadError

    store.put_many([("k", [b"0123456789"])])
    sdk = store._bucket.client()
    broken = []

    class Broken:
        def read(self) -> bytes:
            broken.append(1)
            raise IncompleteReadError(actual_bytes=3, expected_bytes=10)

    def breaks(parsed: dict[str, Any], **_: Any) -> None:
        if len(broken) < 2:
            parsed["Body"] = Broken()

    sdk.meta.events.register("after-call.s3.GetObject", breaks)
    assert list(store.get_many([BlobRange("k", 2, 3)])) == [b"234"]
    assert len(broken) == 2


@pytest.mark.parametrize("root", ["odd prefix/with é, + & = %41 and ?#", ".hidden"])
def test_a_prefix_may_have_any_letters(bucket: str, server: S3Server, open_s3: Callable[..., S3Store], root: str) -> None:
    store = open_s3(root=f"s3://{bucket}/{root}")
    keys = sorted(["a=b/c", "-", "_._", "a.b-c_d=e/f", "x" * 200])
    store.put_many((key, [key.encode()]) for key in keys)
    assert [stat.key for stat in store.list("")] == keys
    assert list(store.get_many(map(BlobRange, keys))) == [key.encode() for key in keys]
    assert list(store.folders("")) == ["a.b-c_d=e", "a=b"]
    assert all(found["Key"].startswith(f"{root}/") for found in client(server).list_objects_v2(Bucket=bucket)["Contents"])
    store.delete_many(keys)
    assert "Contents" not in client(server).list_objects_v2(Bucket=bucket)


def test_objects_of_others_are_not_seen(bucket: str, server: S3Server, store: S3Store) -> None:
    sdk = client(server)
    for name in ["a/place/", "a/place/folder/", "a/place/.hidden/x", "a/place/a b", "a/place/é", "a/place/x/../y", "a/placebo", "b"]:
        sdk.put_object(Bucket=bucket, Key=name, Body=b"")
    store.put_many([("x/1", [b"1"])])
    assert [stat.key for stat in store.list("")] == ["x/1"]
    assert [stat.key for stat in store.list("", limit=1)] == ["x/1"]
    assert list(store.folders("")) == ["folder", "x"]


@pytest.mark.parametrize(
    ("config", "headers"),
    [
        ({}, {}),
        ({"encryption": "AES256"}, {"x-amz-server-side-encryption": "AES256"}),
        (
            {"encryption": "aws:kms", "kms_key": "alias/ours"},
            {"x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": "alias/ours"},
        ),
    ],
)
def test_every_write_asks_for_the_encryption(
    through: Callable[..., S3Store], between: Proxy, config: dict[str, str], headers: dict[str, str]
) -> None:
    store = through(**config)
    store.put_many([("k", [b"1"])])
    store.put_if_absent("l", [b"1"])
    store.put_many([("large", LARGE)])
    begun = [seen for seen in between.seen if (seen.method == "PUT" and not seen.query) or seen.query == "uploads"]
    asked = [{name: value for name, value in seen.headers.items() if "encryption" in name} for seen in begun]
    assert asked == [headers] * 3


# bodies


BUFFERS = st.lists(st.binary(max_size=20).map(lambda data: bytearray(data) if len(data) % 2 else data), max_size=8)


@given(buffers=BUFFERS, size=st.integers(1, 30))
def test_parts_are_the_buffers_in_order(buffers: list[Any], size: int) -> None:
    parts = cut(flat(buffers), size)
    assert b"".join(b"".join(part) for part in parts) == b"".join(buffers)
    lengths = [sum(map(len, part)) for part in parts]
    assert all(length == size for length in lengths[:-1])
    assert all(0 < length <= size for length in lengths)


@given(buffers=BUFFERS, seeks=st.lists(st.tuples(st.integers(0, 100), st.integers(-1, 40)), max_size=5))
def test_views_read_like_a_file(buffers: list[Any], seeks: list[tuple[int, int]]) -> None:
    whole, file = b"".join(buffers), Views(flat(buffers))
    assert (len(file), file.read(), file.read(), file.tell()) == (len(whole), whole, b"", len(whole))
    for position, size in seeks:
        file.seek(position)
        assert file.read(size) == (whole[position:] if size < 0 else whole[position : position + size])


def test_large_buffers_are_not_copied() -> None:
    data = b"x" * (2 * MIB)
    assert body_of(flat([data])) is data
    assert isinstance(body_of(flat([data, b"y"])), Views)
    assert isinstance(body_of(flat([memoryview(data)[1:]])), Views)
    assert body_of(flat([b"a", b"", bytearray(b"b")])) == b"ab"
