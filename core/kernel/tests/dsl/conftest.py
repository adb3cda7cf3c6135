"""Makes `flowfiles` importable for the tests beside it, and forgets the flow files that a test imports."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from flowfiles import HEADER, forget

from headrace import FlowSpec
from headrace.dsl.load import LoadedFlow, load_flow


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder, in which the test runs; what is imported from it, and what that did to `sys.path`, is undone."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    forget(tmp_path)


@pytest.fixture
def loaded(folder: Path) -> Callable[[str], LoadedFlow]:
    """Writes flow.py and loads its flow; the usual imports are put before the text."""

    def load(text: str) -> LoadedFlow:
        (folder / "flow.py").write_text(HEADER + text)
        return load_flow(str(folder / "flow.py"))

    return load


@pytest.fixture
def flow(loaded: Callable[[str], LoadedFlow]) -> Callable[[str], type[FlowSpec]]:
    """The class of a flow that is given as text."""
    return lambda text: loaded(text).cls
