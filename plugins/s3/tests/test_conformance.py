from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import pytest

from headrace_hookspecs import BlobStore, Capability
from headrace_s3.store import S3Store
from headrace_testkit import BlobStoreContract, PluginPackageContract
from headrace_testkit.servers import S3Server

ALL = frozenset({Capability.CONDITIONAL_PUT, Capability.READ_YOUR_LISTS, Capability.SHARED})


def probed(open_s3: Callable[..., S3Store]) -> Callable[[], BlobStore]:
    def make() -> S3Store:
        store = open_s3()
        store.probe()
        return store

    return make


class Remote(BlobStoreContract):
    """Every answer takes milliseconds."""

    share = 0.1


class TestMoto(Remote):
    capabilities = ALL

    @pytest.fixture
    def make_store(self, open_s3: Callable[..., S3Store]) -> Callable[[], BlobStore]:
        return probed(open_s3)


@pytest.mark.long  # rclone is such a service too
class TestMotoAtTheRootOfABucketWithoutConditionalWrites(Remote):
    capabilities = ALL - {Capability.CONDITIONAL_PUT}

    @pytest.fixture
    def make_store(self, bucket: str, open_s3: Callable[..., S3Store]) -> Callable[[], BlobStore]:
        return lambda: open_s3(root=f"s3://{bucket}", conditional_writes="no", workers=1)


@pytest.mark.needs("rados")
class TestRados(Remote):
    capabilities = ALL

    @pytest.fixture
    def server(self, rados_server: S3Server) -> S3Server:
        return rados_server

    @pytest.fixture
    def make_store(self, open_s3: Callable[..., S3Store]) -> Callable[[], BlobStore]:
        return probed(open_s3)


class TestRclone(Remote):
    """A service with faults of its own: what they make impossible is left out, by name."""

    capabilities = ALL - {Capability.CONDITIONAL_PUT}
    test_a_reader_never_sees_half_a_blob = None  # it shows objects while they are written
    test_what_does_not_exist_is_none_and_never_an_error = None  # it fails to delete an object whose name is that of a folder

    @pytest.fixture
    def server(self, rclone_server: S3Server) -> S3Server:
        return rclone_server

    @pytest.fixture
    def make_store(self, open_s3: Callable[..., S3Store]) -> Callable[[], BlobStore]:
        return probed(open_s3)


class TestPackage(PluginPackageContract):
    distribution = "headrace-plugin-s3"
    required: ClassVar = {"s3": {"root": "s3://bucket"}}
