"""Which variables a part of a manifest may use, and which of its tags name others. Static: nothing has a value yet."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from . import expressions, tags
from .problems import Problem, TemplateError
from .submission import STRFTIME

_WORKFLOW = ("name", "namespace", "uid", "serviceAccountName", "mainEntrypoint", "creationTimestamp", "labels.json", "annotations.json")
_TIMES = ("s", "RFC3339", *STRFTIME)
_LAST = ("exitCode", "status", "duration", "message")
_PASSES = {
    "workflow": "all",
    "retries": "node",
    "lastRetry": "node",
    "pod": "node",
    "node": "node",
    "inputs": "inputs",
    "tasks": "tasks",
    "item": "item",
}


@dataclasses.dataclass(frozen=True)
class Scope:
    """The names of variables, and for tasks that are not there the reason."""

    names: frozenset[str] = frozenset()
    reasons: tuple[tuple[str, str], ...] = ()
    any_item: bool = False

    def add(self, *names: str) -> Scope:
        """The same scope with more names."""
        return dataclasses.replace(self, names=self.names | frozenset(names))

    def problem(self, name: str) -> str | None:
        """Why a variable cannot be used here; None if it can."""
        if name in self.names or (self.any_item and (name == "item" or name.startswith("item."))):
            return None
        for prefix, reason in self.reasons:
            if name == prefix or name.startswith(f"{prefix}."):
                return f"{{{{{name}}}}} cannot be used: {reason}"
        return f"failed to resolve {{{{{name}}}}}"


def workflow_scope(spec: dict[str, Any]) -> Scope:
    """`workflow.*`, but for what only an exit handler knows."""
    names = {f"workflow.{each}" for each in _WORKFLOW} | {f"workflow.creationTimestamp.{each}" for each in _TIMES}
    parameters = spec.get("arguments", {}).get("parameters", [])
    names |= {f"workflow.parameters.{each['name']}" for each in parameters}
    names |= {"workflow.parameters.json"} if parameters else set()
    names |= {"workflow.priority"} if "priority" in spec else set()
    for kind, values in spec.get("workflowMetadata", {}).items():
        names |= {f"workflow.{kind}.{key}" for key in values}
    only = "it is known to exit handlers alone"
    return Scope(frozenset(names), (("workflow.status", only), ("workflow.failures", only)))


def template_scope(template: dict[str, Any], workflow: Scope) -> Scope:
    """What the whole template may use."""
    names = {f"inputs.parameters.{each['name']}" for each in template.get("inputs", {}).get("parameters", [])} | {"node.name"}
    names |= {"pod.name"} if "container" in template else set()
    reasons = workflow.reasons
    if "retryStrategy" in template:
        names |= {"retries", *(f"lastRetry.{each}" for each in _LAST)}
    else:
        reasons += tuple((name, "the template has no retryStrategy") for name in ("retries", "lastRetry"))
    return dataclasses.replace(workflow.add(*names), reasons=reasons)


def problems(document: Any, scope: Scope, path: str) -> Iterator[Problem]:
    """The tags of a document that cannot be resolved, wherever they are in it."""
    if isinstance(document, dict):
        for key, value in document.items():
            if "{{" in str(key):
                yield Problem(f"{path}.{key}", "a key holds a tag")
            yield from problems(value, scope, f"{path}.{key}")
    elif isinstance(document, list):
        for index, value in enumerate(document):
            name = value.get("name") if isinstance(value, dict) else None
            yield from problems(value, scope, f"{path}[{name or index}]")
    elif isinstance(document, str) and "{{" in document:
        yield from _text_problems(document, scope, path)


def _text_problems(text: str, scope: Scope, path: str) -> Iterator[Problem]:
    try:
        found = tags.tags(text)
    except TemplateError as error:
        yield Problem(path, str(error))
        return
    for tag in found:
        if tag.startswith("="):
            yield from expression_problems(tag[1:], scope, path)
        elif tag != tag.strip():
            yield Problem(path, f"{{{{{tag}}}}} has blanks, with which variables may fail to be replaced")
        elif reason := scope.problem(tag):
            yield Problem(path, reason)


def expression_problems(source: str, scope: Scope, path: str) -> Iterator[Problem]:
    """An expression that is not understood, or uses what is not there."""
    try:
        names = sorted(set(expressions.variables(expressions.parse(source))))
    except TemplateError as error:
        yield Problem(path, str(error))
        return
    for name in names:
        if reason := scope.problem(name):
            yield Problem(path, reason)
    passes = {_PASSES.get(name.partition(".")[0], "?") for name in names}
    if len(passes - {"all"}) > 1 or passes >= {"all", "inputs"} or passes >= {"all", "item"}:
        yield Problem(path, f"expression {source!r} mixes variables that Argo replaces in different passes: {', '.join(names)}")
