"""Public schemas of engines' manifests, made strict: a field that a schema does not know is an error. For tests of orchestrators."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_ARGO = "io.argoproj.workflow.v1alpha1"
_INT_OR_TEXT = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"


def strict(schema: dict[str, Any]) -> dict[str, Any]:
    """The same JSON schema, in which every object that lists its properties refuses all others. Changes `schema`."""
    for each in (schema, *schema.get("$defs", {}).values(), *schema.get("definitions", {}).values()):
        if "properties" in each:
            each["additionalProperties"] = False
    return schema


def hera_schema() -> Mapping[str, Any]:
    """The schema of a WorkflowTemplate after hera's models, whose import takes a second. Raises LookupError where hera is not installed."""
    try:
        from hera.workflows.models import WorkflowTemplate  # type: ignore[import-untyped,unused-ignore]
    except ImportError as error:
        raise LookupError(f"{error.name} is not installed") from error

    return strict(WorkflowTemplate.model_json_schema(by_alias=True))


def argo_schema_file(beside: Path) -> Path:
    """Where Argo's published schema is expected: in the folder HEADRACE_SCHEMAS, else in `shared/schemas` beside the folder `beside`."""
    folder = os.environ.get("HEADRACE_SCHEMAS") or beside.parent / "shared" / "schemas"
    return Path(folder) / "argo-workflows.schema.json"


def argo_schema(file: Path) -> Mapping[str, Any]:
    """The schema of a WorkflowTemplate in a file that Argo publishes."""
    schema = strict({"definitions": json.loads(file.read_text(encoding="utf-8"))["definitions"]})
    # it says only text, while Kubernetes takes a number too
    schema["definitions"][_INT_OR_TEXT] = {"type": ["string", "integer"]}
    return {"$ref": f"#/definitions/{_ARGO}.WorkflowTemplate", **schema}


def problems(schema: Mapping[str, Any], manifest: Mapping[str, Any]) -> list[str]:
    """What is wrong with the manifest, a line each. Raises LookupError where jsonschema is not installed."""
    try:
        from jsonschema import Draft202012Validator  # type: ignore[import-untyped,unused-ignore]
    except ImportError as error:
        raise LookupError(f"{error.name} is not installed") from error

    found = Draft202012Validator(schema).iter_errors(manifest)
    return [f"{'/'.join(map(str, each.absolute_path))}: {each.message}" for each in found]
