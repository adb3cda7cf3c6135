"""A flow's parameters as those of a workflow: texts, spelled as on the command line. Pure."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from headrace_hookspecs import FlowGraph, MissingCapabilityError, ParameterSpec

NOTHING: Final = "null"
"""The text that leaves a parameter to its default, which may be None, be computed when the run starts, or be no text for a manifest."""

_NAME: Final = re.compile(r"[-A-Za-z0-9_]+\Z")
_RESERVED: Final = ("json", "script")


def parameters_of(graph: FlowGraph) -> list[dict[str, str]]:
    """`arguments.parameters`: one without a `value` has to be given when a run is submitted. Raises MissingCapabilityError."""
    return [_parameter(spec) for spec in graph.parameters]


def _parameter(spec: ParameterSpec) -> dict[str, str]:
    if not _NAME.match(spec.name) or spec.name.lower() in _RESERVED:
        raise _refuse(spec, "has a name that Argo keeps for itself", "Give the parameter another name; the attribute may keep its own.")
    if spec.kind not in ("plain", "json"):
        raise _refuse(spec, f"is of the kind {spec.kind!r}, which is not expressed for Argo yet", "Use a plain parameter.")
    found = {"name": spec.name}
    if not spec.required:
        found["value"] = _default(spec)
    if spec.help:
        found["description"] = spec.help.replace("{{", "{ {")  # Argo looks for its variables here too
    return found


def _default(spec: ParameterSpec) -> str:
    if not spec.has_default or spec.callable_default:
        return NOTHING
    if spec.multiple:
        text = json.dumps([_text(spec, item) for item in spec.default], ensure_ascii=False)
    else:
        text = _text(spec, spec.default)
    # what Argo would take for a variable of its own stays in the flow
    return NOTHING if "{{" in text else text


def _text(spec: ParameterSpec, value: Any) -> str:
    """The value as it would be typed."""
    if isinstance(value, str) and spec.type != "json":
        return value
    return json.dumps(value, ensure_ascii=False)


def _refuse(spec: ParameterSpec, what: str, remedy: str) -> MissingCapabilityError:
    source = spec.source
    return MissingCapabilityError(
        f"Parameter {spec.name!r} {what}.", file=source.file if source else None, line=source.line if source else None, remedy=remedy
    )
