from collections.abc import Callable
from pathlib import Path

import pytest

from headrace_files.store import FileStore
from headrace_hookspecs import BlobStore
from headrace_testkit import BlobStoreContract, PluginPackageContract


class TestFiles(BlobStoreContract):
    capabilities = FileStore.capabilities

    @pytest.fixture
    def make_store(self, tmp_path: Path) -> Callable[[], BlobStore]:
        return lambda: FileStore(f"{tmp_path}/store")


class TestFilesWithFsync(BlobStoreContract):
    capabilities = FileStore.capabilities

    @pytest.fixture
    def make_store(self, tmp_path: Path) -> Callable[[], BlobStore]:
        return lambda: FileStore(f"{tmp_path}/store", fsync=True, umask=0o077)


class TestFilesWithoutHardLinks(BlobStoreContract):
    capabilities = FileStore.capabilities

    @pytest.fixture
    def make_store(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], BlobStore]:
        def no_links(source: str, target: str) -> None:
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr("os.link", no_links)
        return lambda: FileStore(f"{tmp_path}/store")


class TestPackage(PluginPackageContract):
    distribution = "headrace-plugin-files"
