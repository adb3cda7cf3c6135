"""The servers as pytest fixtures, one for each test session. A suite imports those that it wants into its conftest.py:

    from headrace_testkit.servers.fixtures import moto_server  # noqa: F401

A server that the machine does not have is a skip that names what is missing.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from . import S3Server, moto, rados, rclone


@pytest.fixture(scope="session")
def moto_server() -> Iterator[S3Server]:
    """Moto's server: S3, STS and other services of AWS."""
    if reason := moto.absence():
        pytest.skip(f"needs moto: {reason}")
    with moto.moto() as server:
        yield server


@pytest.fixture(scope="session")
def rados_server() -> Iterator[S3Server]:
    """A Ceph RADOS gateway."""
    if reason := rados.absence():
        pytest.skip(f"needs rados: {reason}")
    with rados.rados() as server:
        yield server


@pytest.fixture(scope="session")
def rclone_server() -> Iterator[S3Server]:
    """`rclone serve s3`."""
    if reason := rclone.absence():
        pytest.skip(f"needs rclone: {reason}")
    with rclone.rclone() as server:
        yield server
