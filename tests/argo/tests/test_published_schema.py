"""The hand-made manifest against the schema that Argo publishes: what we accept, it accepts."""

from pathlib import Path

import pytest
from everything import EVERYTHING

from headrace_testkit import manifests

SCHEMA = manifests.argo_schema_file(Path(__file__).parents[3])


@pytest.mark.skipif(not SCHEMA.is_file(), reason=f"Argo's schema is not at {SCHEMA}; HEADRACE_SCHEMAS names its folder")
def test_the_published_schema_accepts_what_the_interpreter_accepts():
    assert manifests.problems(manifests.argo_schema(SCHEMA), EVERYTHING) == []
