"""Whether a cluster would accept a manifest: its shape first, then what its parts say of each other. Nothing runs, nothing has a value.

Stricter than Argo where Argo accepts what cannot work: unknown fields, variables that are never replaced, names that make no pod.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from . import dagrules, podrules, references, retries, schema, shapes
from .problems import ManifestError, Problem

MOST_BYTES = 1_500_000
"""What etcd takes of one object."""

_PARAMETER = re.compile(r"[-a-zA-Z0-9_]+")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


def validate(manifest: Mapping[str, Any]) -> None:
    """Raise ManifestError with all problems of a WorkflowTemplate, if it has any."""
    found = problems_of(manifest)
    if found:
        raise ManifestError(found)


def problems_of(manifest: Any) -> list[Problem]:
    """All problems of a WorkflowTemplate. What its parts say of each other is looked at only if its shape is right."""
    found = list(shapes.opaque(manifest, "manifest")) or list(schema.workflow_template(manifest, ""))
    return found or list(_meaning(manifest))


def _meaning(manifest: dict[str, Any]) -> Iterator[Problem]:
    size = len(json.dumps(manifest, ensure_ascii=False, separators=(",", ":")).encode())
    if size > MOST_BYTES:
        yield Problem("manifest", f"has {size} bytes, more than {MOST_BYTES}")
    name = manifest["metadata"]["name"]
    if not _SUBDOMAIN.fullmatch(name) or len(name) > 63:
        yield Problem("metadata.name", f"{name!r} is no DNS-1123 name of at most 63 characters")
    yield from podrules.metadata_problems(manifest["metadata"], "metadata")
    spec = manifest["spec"]
    workflow = references.workflow_scope(spec)
    yield from references.problems(manifest["metadata"], references.Scope(), "metadata")
    yield from _spec_problems(spec, workflow)
    templates: dict[str, dict[str, Any]] = {}
    for template in spec["templates"]:
        path = f"spec.templates[{template['name']}]"
        if template["name"] in templates:
            yield Problem(path, "is there twice")
        if not podrules.label(template["name"]):
            yield Problem(path, "a template's name has to be a DNS-1123 label of at most 63 characters")
        templates.setdefault(template["name"], template)
    for field in ("entrypoint", "onExit"):
        if field in spec:
            yield from _top_problems(spec[field], templates, f"spec.{field}")
    main = _reached(spec["entrypoint"], templates)
    last = _reached(spec.get("onExit", ""), templates)
    for each, template in templates.items():
        scope = workflow
        if each in last and each not in main:
            scope = workflow.add("workflow.status", "workflow.failures")
        yield from _template_problems(template, templates, references.template_scope(template, scope), f"spec.templates[{each}]")


def _spec_problems(spec: dict[str, Any], workflow: references.Scope) -> Iterator[Problem]:
    seen = set()
    for each in spec.get("arguments", {}).get("parameters", []):
        path = f"spec.arguments.parameters[{each['name']}]"
        if not _PARAMETER.fullmatch(each["name"]):
            yield Problem(path, "a parameter's name has letters, digits, - and _ alone")
        if each["name"] == "json":
            yield Problem(path, "{{workflow.parameters.json}} means all parameters")
        if each["name"] in seen:
            yield Problem(path, "is there twice")
        seen.add(each["name"])
        if "enum" in each and "value" in each and each["value"] not in each["enum"]:
            yield Problem(f"{path}.value", "is not in its enum")
        yield from references.problems({key: each[key] for key in each if key != "description"}, references.Scope(), path)
    for field in ("parallelism", "activeDeadlineSeconds"):
        if spec.get(field, 1) < 1:
            yield Problem(f"spec.{field}", "has to be positive")
    for kind in ("workflowMetadata", "podMetadata"):
        yield from podrules.metadata_problems(spec.get(kind, {}), f"spec.{kind}")
        yield from references.problems(spec.get(kind, {}), workflow, f"spec.{kind}")
    for kind in ("ttlStrategy", "podGC", "imagePullSecrets", "serviceAccountName"):
        yield from references.problems(spec.get(kind), references.Scope(), f"spec.{kind}")
    for name, value in spec.get("ttlStrategy", {}).items():
        if value < 0:
            yield Problem(f"spec.ttlStrategy.{name}", "is negative")
    delay = spec.get("podGC", {}).get("deleteDelayDuration")
    if delay is not None:
        yield from _duration_problems(delay, "spec.podGC.deleteDelayDuration")


def _top_problems(name: str, templates: Mapping[str, dict[str, Any]], path: str) -> Iterator[Problem]:
    if name not in templates:
        yield Problem(path, f"there is no template {name!r}")
        return
    for each in templates[name].get("inputs", {}).get("parameters", []):
        if "value" not in each:
            yield Problem(path, f"template {name!r} needs the input {each['name']!r}, and nobody supplies it")


def _reached(start: str, templates: Mapping[str, dict[str, Any]]) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name in templates and name not in found:
            found.add(name)
            waiting += [task["template"] for task in templates[name].get("dag", {}).get("tasks", [])]
    return found


def _template_problems(
    template: dict[str, Any], templates: Mapping[str, dict[str, Any]], scope: references.Scope, path: str
) -> Iterator[Problem]:
    if ("dag" in template) == ("container" in template):
        yield Problem(path, "needs exactly one of container and dag")
        return
    for kind in ("inputs", "outputs"):
        seen = set()
        for each in template.get(kind, {}).get("parameters", []):
            where = f"{path}.{kind}.parameters[{each['name']}]"
            if not _PARAMETER.fullmatch(each["name"]):
                yield Problem(where, "a parameter's name has letters, digits, - and _ alone")
            if each["name"] in seen:
                yield Problem(where, "is there twice")
            seen.add(each["name"])
            if "value" in each:
                known = frozenset(name for name in scope.names if name.startswith("workflow."))
                yield from references.problems(each["value"], references.Scope(known, scope.reasons), f"{where}.value")
    yield from podrules.metadata_problems(template.get("metadata", {}), f"{path}.metadata")
    if "dag" in template:
        for field in template:
            if field not in ("name", "inputs", "outputs", "dag"):
                yield Problem(f"{path}.{field}", "is only valid for container templates")
        yield from dagrules.problems(template, templates, scope, path)
    else:
        yield from _container_template_problems(template, scope, path)


def _container_template_problems(template: dict[str, Any], scope: references.Scope, path: str) -> Iterator[Problem]:
    container = template["container"]
    yield from podrules.container_problems(container, f"{path}.container")
    yield from podrules.volume_problems(template.get("volumes", []), container.get("volumeMounts", []), path)
    outside = ("name", "inputs", "outputs", "retryStrategy")
    yield from references.problems({key: value for key, value in template.items() if key not in outside}, scope, path)
    for each in template.get("outputs", {}).get("parameters", []):
        where = f"{path}.outputs.parameters[{each['name']}].valueFrom"
        if set(each["valueFrom"]) - {"default"} != {"path"}:
            yield Problem(where, "of a container template needs a path and may have a default")
        elif not re.fullmatch(r"(/[^/{}]+)+", each["valueFrom"]["path"]):
            yield Problem(f"{where}.path", "has to be an absolute path of a file")
        elif podrules.tagged(each["valueFrom"].get("default")):
            yield Problem(f"{where}.default", "holds a tag")
    for field in ("activeDeadlineSeconds", "timeout"):
        value = template.get(field)
        if value is not None and not podrules.tagged(value):
            yield from _deadline_problems(field, value, f"{path}.{field}")
    if "retryStrategy" in template:
        yield from _retry_problems(template["retryStrategy"], scope, f"{path}.retryStrategy")
        if "timeout" in template:
            yield Problem(f"{path}.timeout", "with retryStrategy: Argo does not say whether it is of one attempt or of all")


def _deadline_problems(field: str, value: int | str, path: str) -> Iterator[Problem]:
    if field == "timeout":
        if str(value).isdigit():
            yield Problem(path, "needs a unit")
        else:
            yield from _duration_problems(value, path)
    elif not re.fullmatch(r"[1-9]\d*", str(value)):
        yield Problem(path, "has to be a positive integer")


def _duration_problems(value: int | str, path: str) -> Iterator[Problem]:
    try:
        retries.seconds(value)
    except ValueError as error:
        yield Problem(path, str(error))


def _retry_problems(strategy: dict[str, Any], scope: references.Scope, path: str) -> Iterator[Problem]:
    inputs = frozenset(name for name in scope.names if name.startswith(("inputs.", "workflow.")))
    plain = {key: value for key, value in strategy.items() if key != "expression"}
    yield from references.problems(plain, references.Scope(inputs, scope.reasons), path)
    if not podrules.tagged(strategy["limit"]) and not str(strategy["limit"]).isdigit():
        yield Problem(f"{path}.limit", f"{strategy['limit']!r} is no number of retries")
    backoff = strategy.get("backoff", {})
    for field in ("duration", "maxDuration", "cap"):
        if field in backoff:
            yield from _duration_problems(backoff[field], f"{path}.backoff.{field}")
    if not str(backoff.get("factor", 0)).isdigit():
        yield Problem(f"{path}.backoff.factor", f"{backoff['factor']!r} is no factor")
    if "expression" in strategy:
        if podrules.tagged(strategy["expression"]):
            yield Problem(f"{path}.expression", "is an expression already and holds no tags")
        else:
            names = frozenset(name for name in scope.names if name.startswith("lastRetry."))
            yield from references.expression_problems(strategy["expression"], references.Scope(names), f"{path}.expression")
