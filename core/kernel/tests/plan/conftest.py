"""Makes `planning`, `decorating` and `distributions` importable for the tests here."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "host")]

if TYPE_CHECKING:
    from planning import Bench


@pytest.fixture
def bench(tmp_path: Path) -> "Iterator[Bench]":
    from planning import Bench

    known, path = set(sys.modules), list(sys.path)
    yield Bench(tmp_path)
    sys.path[:] = path
    for name in set(sys.modules) - known:
        file = getattr(sys.modules[name], "__file__", None) or ""
        if file.startswith(str(tmp_path)) or name == "decorators_of_the_test":
            del sys.modules[name]


@pytest.fixture
def decorators(bench: "Bench") -> None:
    """The decorators of `decorating`, usable in the flow files of `bench`."""
    from decorating import register

    register(bench)
