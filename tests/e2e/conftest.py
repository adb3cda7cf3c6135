"""Makes the helpers importable for the tests beside them, and builds the wheels once for all of these."""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from wheelhouse import Wheelhouse


@pytest.fixture(scope="session")
def wheelhouse(tmp_path_factory: pytest.TempPathFactory) -> Wheelhouse:
    """A wheel of every distribution of the workspace."""
    return Wheelhouse(tmp_path_factory.mktemp("wheelhouse"))
