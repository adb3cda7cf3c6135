"""What goes wrong is one clean error that names the object and what to do, and no credential."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from headrace_hookspecs import (
    BlobRange,
    ConfigError,
    ProviderContext,
    StoreError,
    StoreFullError,
    StoreReadOnlyError,
    StoreUnavailableError,
)
from headrace_s3 import plugin
from headrace_s3.errors import failed
from headrace_s3.store import S3Store
from headrace_testkit.servers import S3Server
from headrace_testkit.servers.running import free_ports
from headrace_testkit.servers.s3 import client

READS: list[Callable[[S3Store], object]] = [
    lambda store: list(store.get_many([BlobRange("k/1")])),
    lambda store: list(store.list("k/")),
    lambda store: list(store.folders("k/")),
]
WRITES: list[Callable[[S3Store], object]] = [
    lambda store: store.put_many([("k/1", [b"1"])]),
    lambda store: store.put_if_absent("k/1", [b"1"]),
    lambda store: store.delete_many(["k/1"]),
    lambda store: store.delete_many(["k/1", "k/2"]),
    lambda store: store.put_many([("k/1", [b"x" * (11 << 20)])]),
]
ALL = READS + WRITES


@pytest.fixture
def open_here(open_s3: Callable[..., S3Store]) -> Callable[..., S3Store]:
    """Opens stores that know conditional writes and have small parts."""
    return lambda **config: open_s3(conditional_writes="yes", part_bytes=5 << 20, **config)


def said(use: Callable[[S3Store], object], store: S3Store) -> StoreError:
    """The error, which has to show no secret, not even in its causes."""
    with pytest.raises(StoreError) as raised:
        use(store)
    texts, cause = [], raised.value
    while cause is not None:
        texts.append(f"{cause} {cause!r}")
        cause = cause.__cause__
    assert "secret" not in " ".join(texts)
    return raised.value


@pytest.mark.parametrize("use", ALL)
def test_a_bucket_that_does_not_exist(open_here: Callable[..., S3Store], use: Callable[[S3Store], object]) -> None:
    error = said(use, open_here(root="s3://no-such-bucket/x"))
    assert error.code == "store-no-bucket"
    assert "s3://no-such-bucket/x/k" in error.message
    assert "datastore.s3.root" in str(error.remedy)


@pytest.mark.parametrize("use", ALL)
def test_no_service(open_here: Callable[..., S3Store], use: Callable[[S3Store], object]) -> None:
    (port,) = free_ports()
    config = {"retries": {"mode": "standard", "total_max_attempts": 2}}
    error = said(use, open_here(client={"endpoint": f"http://127.0.0.1:{port}", "config": config}))
    assert isinstance(error, StoreUnavailableError)
    assert str(port) in error.message


@pytest.mark.parametrize("use", ALL)
def test_no_credentials(open_here: Callable[..., S3Store], monkeypatch: pytest.MonkeyPatch, use: Callable[[S3Store], object]) -> None:
    store = open_here()
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    error = said(use, store)
    assert error.code == "aws-credentials"
    assert "AWS_PROFILE" in str(error.remedy)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"profile": "nobody"}, "aws-profile"),
        ({"session": {"color": "blue"}}, "aws-option"),
        ({"parameters": {"color": "blue"}}, "aws-option"),
        ({"config": {"color": "blue"}}, "aws-option"),
        ({"region": "not a region"}, "aws-region"),
        ({"session": {"aws_access_key_id": "env:ACME_KEY", "aws_secret_access_key": "env:ACME_SECRET"}}, "aws-variable"),
    ],
)
def test_options_that_cannot_be_used(open_here: Callable[..., S3Store], options: dict[str, Any], code: str) -> None:
    store = open_here(client=options)
    store.prepare()  # says nothing: there is somebody to tell when it is used
    for use in ALL:
        error = said(use, store)
        assert error.code == code
        assert "datastore.s3.client" in error.message


@pytest.mark.needs("rados")
class TestOnRados:
    @pytest.fixture
    def server(self, rados_server: S3Server) -> S3Server:
        return rados_server

    @pytest.mark.parametrize("use", ALL)
    @pytest.mark.parametrize("variable", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
    def test_credentials_that_the_service_refuses(
        self, open_here: Callable[..., S3Store], monkeypatch: pytest.MonkeyPatch, variable: str, use: Callable[[S3Store], object]
    ) -> None:
        store = open_here()
        monkeypatch.setenv(variable, "a-wrong-secret")
        error = said(use, store)
        assert error.code == "aws-credentials"
        assert "s3://" in error.message

    def test_a_bucket_that_may_only_be_read(self, server: S3Server, bucket: str, open_here: Callable[..., S3Store]) -> None:
        store = open_here()
        store.put_many([("k/1", [b"1"])])
        everything = f"arn:aws:s3:::{bucket}/*"
        policy = '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": %s, "Resource": "%s"}]}'
        client(server).put_bucket_policy(Bucket=bucket, Policy=policy % ('["s3:PutObject", "s3:DeleteObject"]', everything))
        for use in WRITES:
            assert isinstance(said(use, store), StoreReadOnlyError), use
        assert list(store.get_many([BlobRange("k/1")])) == [b"1"]
        client(server).put_bucket_policy(Bucket=bucket, Policy=policy % ('"s3:GetObject"', everything))
        error = said(READS[0], store)
        assert (error.code, "s3:ListBucket" in str(error.remedy)) == ("store-unreadable", True)


def answer(status: int, code: str, message: str = "", **more: Any) -> Exception:
    from botocore.exceptions import ClientError

    headers = more.pop("headers", {})
    response = {"Error": {"Code": code, "Message": message, **more}, "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers}}
    return ClientError(response, "PutObject")


@pytest.mark.parametrize(
    ("error", "kind", "code", "words"),
    [
        (answer(503, "SlowDown", "Please reduce your request rate."), StoreUnavailableError, "store-unavailable", "SlowDown"),
        (answer(500, "InternalError"), StoreUnavailableError, "store-unavailable", "InternalError"),
        (answer(403, "AccessDenied", "no"), StoreReadOnlyError, "store-read-only", "s3:PutObject"),
        (answer(403, "QuotaExceeded"), StoreFullError, "store-full", "quota"),
        (answer(403, "ExpiredToken", "The provided token has expired."), StoreError, "aws-credentials", "expired"),
        (answer(400, "ExpiredToken", headers={"x-amz-bucket-region": "eu-west-1"}), StoreError, "aws-credentials", "ExpiredToken"),
        (answer(400, "400", headers={"x-amz-bucket-region": "eu-west-1"}), StoreError, "aws-region", 'region = "eu-west-1"'),
        (answer(301, "PermanentRedirect", headers={"x-amz-bucket-region": "eu-west-1"}), StoreError, "aws-region", 'region = "eu-west-1"'),
        (answer(400, "AuthorizationHeaderMalformed", Region="eu-west-1"), StoreError, "aws-region", 'region = "eu-west-1"'),
        (answer(400, "KMS.NotFoundException", "no such key"), StoreError, "store", "no such key"),
        (answer(400, "EntityTooLarge"), StoreError, "store", "EntityTooLarge"),
    ],
)
def test_what_the_service_answers(error: Exception, kind: type[StoreError], code: str, words: str) -> None:
    told = failed(error, "s3://bucket/a/key", writing=True)
    assert (type(told), told.code) == (kind, code)
    assert "s3://bucket/a/key cannot be written" in told.message
    assert words in str(told)


# the configuration


def create(**config: Any) -> S3Store:
    made: S3Store = plugin.create(plugin.config_class()(**config), ProviderContext("/project", "", {}, print))
    return made


@pytest.mark.parametrize("root", ["", "bucket", "s3://", "s3:///x", "gs://bucket", "s3://b ucket", "s3://bucket/a//b", "s3://bucket/../a"])
def test_a_root_that_is_none_is_refused(root: str) -> None:
    with pytest.raises(ConfigError, match=r"datastore\.s3\.root"):
        create(root=root)


@pytest.mark.parametrize(
    ("root", "location"), [("s3://bucket", "s3://bucket"), ("s3://bucket/", "s3://bucket"), ("s3://bucket/a/b/", "s3://bucket/a/b")]
)
def test_the_location_is_the_root(root: str, location: str) -> None:
    assert create(root=root).location == location


@pytest.mark.parametrize(
    ("config", "key"),
    [
        ({"workers": 0}, "workers"),
        ({"part_bytes": 1000}, "part_bytes"),
        ({"kms_key": "k"}, "kms_key"),
        ({"kms_key": "k", "encryption": "AES256"}, "kms_key"),
    ],
)
def test_what_makes_no_sense_is_refused(config: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigError, match=rf"datastore\.s3\.{key}"):
        create(root="s3://bucket", **config)
