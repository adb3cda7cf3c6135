"""One submission of a WorkflowTemplate: the values that were typed, the workflow's identity, and the variables `workflow.*` that follow."""

from __future__ import annotations

import dataclasses
import datetime
import re
import time
import uuid
from collections.abc import Mapping
from typing import Any

from .gotext import go_json, quote
from .problems import ManifestError, Problem

DEFAULT_TIME = datetime.datetime(2024, 2, 29, 13, 14, 15, tzinfo=datetime.timezone.utc)
STRFTIME = "AaBbdeFHIjMmpRSTUuVwYyZz"
"""The characters behind `workflow.creationTimestamp.` that are known."""

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


@dataclasses.dataclass(frozen=True)
class Submission:
    """What a user submits: a name for the workflow and the text of parameters. `created` is an aware time."""

    name: str
    parameters: Mapping[str, str] = dataclasses.field(default_factory=dict)
    namespace: str = "default"
    created: datetime.datetime = DEFAULT_TIME
    uid: str = ""

    @property
    def identity(self) -> str:
        """The workflow's uid, the same for the same name where none was given."""
        return self.uid or str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{self.namespace}.{self.name}"))


def merged(spec: Mapping[str, Any], submission: Submission) -> list[dict[str, Any]]:
    """The workflow's parameters: those typed first, then the manifest's others. Raises ManifestError for what cannot be submitted."""
    declared = {each["name"]: each for each in spec.get("arguments", {}).get("parameters", [])}
    problems = []
    if not _NAME.fullmatch(submission.name) or len(submission.name) > 63:
        problems.append(Problem("metadata.name", f"{submission.name!r} is no name of a workflow"))
    for name, value in submission.parameters.items():
        if name not in declared:
            problems.append(Problem(f"parameters.{name}", "is not declared in spec.arguments.parameters"))
        elif not isinstance(value, str):
            problems.append(Problem(f"parameters.{name}", "has to be text"))
    typed = [{"name": name, "value": value} for name, value in submission.parameters.items()]
    result = typed + [declared[name] for name in declared if name not in submission.parameters]
    for each in result:
        path = f"parameters.{each['name']}"
        enum = declared.get(each["name"], {}).get("enum")
        if "value" not in each:
            problems.append(Problem(path, "has no value and none was submitted"))
        elif enum is not None and each["value"] not in enum:
            problems.append(Problem(path, f"{each['value']!r} is not one of {enum}"))
    if problems:
        raise ManifestError(problems)
    return result


_ORDER = ("name", "value", "enum", "description")


def workflow_variables(spec: Mapping[str, Any], submission: Submission) -> dict[str, str]:
    """Variable to value for `workflow.*`, but for labels and annotations, `workflow.status` and `workflow.failures`."""
    parameters = merged(spec, submission)
    utc = submission.created.astimezone(datetime.timezone.utc)
    stamp = utc.strftime("%Y-%m-%dT%H:%M:%SZ")
    result = {
        "workflow.name": submission.name,
        "workflow.namespace": submission.namespace,
        "workflow.uid": submission.identity,
        "workflow.serviceAccountName": spec.get("serviceAccountName", "default"),
        "workflow.mainEntrypoint": spec["entrypoint"],
        "workflow.creationTimestamp": stamp,
        "workflow.creationTimestamp.RFC3339": stamp,
        "workflow.creationTimestamp.s": str(int(utc.timestamp())),
        **{f"workflow.creationTimestamp.{char}": _strftime(utc, char) for char in STRFTIME},
        **{f"workflow.parameters.{each['name']}": each["value"] for each in parameters},
    }
    if "priority" in spec:
        result["workflow.priority"] = str(spec["priority"])
    if parameters:
        ordered = [{key: each[key] for key in _ORDER if key in each} for each in parameters]
        result["workflow.parameters.json"] = go_json(ordered)
    return result


def _strftime(utc: datetime.datetime, char: str) -> str:
    # a struct_time in the C locale; %Z and %z are UTC's
    fixed = {"Z": "UTC", "z": "+0000"}
    return fixed.get(char) or time.strftime(f"%{char}", utc.utctimetuple())


def metadata_variables(metadata: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """`workflow.labels.*` and `workflow.annotations.*` of a workflow's own metadata."""
    result = {}
    for kind in ("labels", "annotations"):
        values = metadata.get(kind, {})
        result.update({f"workflow.{kind}.{key}": value for key, value in values.items()})
        result[f"workflow.{kind}.json"] = go_json(dict(sorted(values.items())))
    return result


def failures_text(failures: list[dict[str, Any]]) -> str:
    """The value of `workflow.failures`: a JSON list that is quoted once more, as Argo does lest its quotes get lost."""
    return f'"{quote(go_json(failures))}"'
