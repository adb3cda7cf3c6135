"""A service, and nothing of the user's own AWS environment."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from headrace_testkit.servers.fixtures import moto_server  # noqa: F401
from headrace_testkit.servers.s3 import only


@pytest.fixture(autouse=True)
def _no_environment_of_the_user() -> Iterator[None]:
    with only(None):
        yield
