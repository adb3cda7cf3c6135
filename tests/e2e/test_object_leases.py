from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headrace.project import open_project
from headrace.store.leases import ObjectLeases
from headrace_hookspecs import Capability
from headrace_testkit.leases import LeaseContract


class TestObjectLeases(LeaseContract):
    """Leases that are kept in a datastore, here in a folder; others run the same on theirs."""

    capabilities = frozenset({Capability.LEASES})

    @pytest.fixture
    def make_store(self, tmp_path: Path) -> Callable[[], Any]:
        return lambda: ObjectLeases(open_project(str(tmp_path)).blobs)
