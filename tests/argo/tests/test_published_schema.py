"""The hand-made manifest against the schema that Argo publishes: what we accept, it accepts."""

import json
import os
from pathlib import Path

import pytest
from everything import EVERYTHING

SCHEMA = os.environ.get("ARGO_WORKFLOWS_SCHEMA", "")


@pytest.mark.skipif(not os.path.isfile(SCHEMA), reason="ARGO_WORKFLOWS_SCHEMA names no file with Argo's published schema")
def test_the_published_schema_accepts_what_the_interpreter_accepts():
    jsonschema = pytest.importorskip("jsonschema")
    document = json.loads(Path(SCHEMA).read_text(encoding="utf-8"))
    definition = {"$ref": "#/definitions/io.argoproj.workflow.v1alpha1.WorkflowTemplate", "definitions": document["definitions"]}
    found = [
        f"{'/'.join(map(str, each.absolute_path))}: {each.message}"
        for each in jsonschema.Draft7Validator(definition).iter_errors(EVERYTHING)
    ]
    assert found == []
