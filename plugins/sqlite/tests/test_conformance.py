from collections.abc import Callable
from pathlib import Path

import pytest

from headrace_hookspecs import MetadataStore
from headrace_sqlite.store import SqliteStore
from headrace_testkit import MetadataStoreContract, PluginPackageContract


class TestSqlite(MetadataStoreContract):
    capabilities = SqliteStore.capabilities

    @pytest.fixture
    def make_store(self, tmp_path: Path) -> Callable[[], MetadataStore]:
        return lambda: SqliteStore(f"{tmp_path}/new/metadata.sqlite")


class TestSqliteOnANetworkFileSystem(MetadataStoreContract):
    capabilities = SqliteStore.capabilities

    @pytest.fixture
    def make_store(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], MetadataStore]:
        monkeypatch.setattr("headrace_sqlite.database.network_file_system", lambda path: "nfs4")
        return lambda: SqliteStore(f"{tmp_path}/new/metadata.sqlite")


class TestPackage(PluginPackageContract):
    distribution = "headrace-plugin-sqlite"
