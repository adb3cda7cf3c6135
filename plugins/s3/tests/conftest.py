"""Servers, a bucket of its own for each test, and stores in it. The user's own AWS environment is out of reach."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from headrace_aws import ClientOptions
from headrace_s3.config import S3Config, open_store
from headrace_s3.store import S3Store
from headrace_testkit.servers import S3Server
from headrace_testkit.servers.fixtures import moto_server, rados_server, rclone_server  # noqa: F401
from headrace_testkit.servers.proxy import Proxy, proxy
from headrace_testkit.servers.s3 import new_bucket, only


@pytest.fixture(autouse=True)
def _no_environment_of_the_user() -> Iterator[None]:
    with only(None):
        yield


@pytest.fixture
def server(moto_server: S3Server) -> S3Server:  # noqa: F811
    """The service under test; a class overrides it."""
    return moto_server


@pytest.fixture
def bucket(server: S3Server) -> str:
    """A new bucket."""
    return new_bucket(server)


@pytest.fixture
def open_s3(server: S3Server, bucket: str) -> Iterator[Callable[..., S3Store]]:
    """Opens the bucket's store `s3://BUCKET/a/place` anew; keyword arguments are the configuration's, or ClientOptions' in `client`."""
    opened = []
    with only(server):

        def opening(client: dict[str, Any] | None = None, **config: Any) -> S3Store:
            config.setdefault("root", f"s3://{bucket}/a/place")
            options = ClientOptions(**{"endpoint": server.endpoint, **(client or {})})
            opened.append(open_store(S3Config(client=options, **config)))
            return opened[-1]

        yield opening
        for store in opened:
            store.close()


@pytest.fixture
def store(open_s3: Callable[..., S3Store]) -> S3Store:
    """A store in the bucket."""
    return open_s3(conditional_writes="yes")


@pytest.fixture
def between(server: S3Server) -> Iterator[Proxy]:
    """A proxy in front of the service: pass `client={"endpoint": between.endpoint}`."""
    with proxy(server.endpoint) as made:
        yield made
