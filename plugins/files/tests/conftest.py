"""A place for a store, a store in it, and a look at its files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from headrace_files.store import FileStore


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "a place" / "store"


@pytest.fixture
def store(root: Path) -> FileStore:
    return FileStore(str(root))


@pytest.fixture
def files() -> Callable[[Path], list[str]]:
    """The paths of all files below a folder."""

    def listed(root: Path) -> list[str]:
        return sorted(str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir())

    return listed
