"""From a step's `k8s/PodTemplateSpec` to the fields of an Argo template. Pure; a field that templates do not have is refused by name."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from headrace_hookspecs import StepNode
from headrace_hookspecs.formats import POD_TEMPLATE

from .refusal import refuse
from .variables import tagged

_SAME: Final = (
    "affinity", "automountServiceAccountToken", "hostAliases", "initContainers", "nodeSelector", "priorityClassName", "schedulerName",
    "securityContext", "serviceAccountName", "tolerations", "volumes",
)  # fmt: skip
"""Fields of a pod that a template has under the same name and with the same meaning."""

_ARGOS: Final = ("main", "wait", "init")
"""Containers that Argo itself puts into a pod."""

_CONTAINER: Final = (
    "image", "imagePullPolicy", "env", "envFrom", "ports", "resources", "resizePolicy", "volumeMounts", "volumeDevices", "workingDir",
    "securityContext", "lifecycle", "livenessProbe", "readinessProbe", "startupProbe", "terminationMessagePath",
    "terminationMessagePolicy", "stdin", "stdinOnce", "tty",
)  # fmt: skip
"""Fields of the task's container that stay as they are."""


class Pod(NamedTuple):
    """A workload in Argo's parts: the template's `fields`, its `container` without command, and what is not the template's business."""

    fields: Mapping[str, Any]
    container: Mapping[str, Any]
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    pull_secrets: Sequence[Mapping[str, Any]]
    deadline: int | None


def pod_of(step: StepNode, namespace: str) -> Pod:
    """The parts of the step's workload. Raises MissingCapabilityError for what Argo does not have; `namespace` is the workflow's."""
    workload = step.workload
    if workload is None or workload.format != POD_TEMPLATE:
        found = "has no workload" if workload is None else f"is a workload of the format {workload.format}"
        raise refuse(step, f"{found}, and Argo takes {POD_TEMPLATE}", "Have it run on Kubernetes: @kubernetes.")
    body = copy.deepcopy(dict(workload.body))  # the manifest is its reader's to change
    place = tagged(body)
    if place is not None:
        raise refuse(step, f"has {{{{ in {place}, which Argo takes for a variable of its own", "Write it without two braces in a row.")
    _only(step, body, ("metadata", "spec"), "")
    metadata, spec = body.get("metadata", {}), body.get("spec", {})
    _metadata(step, metadata, namespace)
    _only(step, spec, (*_SAME, "containers", "imagePullSecrets", "restartPolicy", "activeDeadlineSeconds"), "spec.")
    if spec.get("restartPolicy", "Never") != "Never":
        raise refuse(step, f"has spec.restartPolicy={spec['restartPolicy']!r}, and Argo's pods have Never", "Leave it out; use @retry.")
    containers = spec.get("containers") or [{}]
    fields = {name: spec[name] for name in _SAME if name in spec}
    if containers[1:]:
        fields["sidecars"] = containers[1:]
    for each in (*spec.get("initContainers", ()), *containers[1:]):
        if each.get("name") in _ARGOS:
            raise refuse(step, f"has a container {each['name']!r}, which is one of Argo's own", "Give the container another name.")
    return Pod(
        fields,
        _container(step, containers[0]),
        metadata.get("labels", {}),
        metadata.get("annotations", {}),
        spec.get("imagePullSecrets", ()),
        spec.get("activeDeadlineSeconds"),
    )


def _metadata(step: StepNode, metadata: Mapping[str, Any], namespace: str) -> None:
    _only(step, metadata, ("labels", "annotations", "namespace"), "metadata.")
    wanted = metadata.get("namespace", namespace)
    if wanted != namespace:
        remedy = f"Leave the step's namespace out, or write -o orchestrator.argo.namespace={wanted}."
        raise refuse(step, f"is for the namespace {wanted!r}, and all pods of a workflow are in the workflow's", remedy)


def _container(step: StepNode, container: Mapping[str, Any]) -> Mapping[str, Any]:
    for name in ("command", "args"):
        if name in container:
            raise refuse(step, f"has a {name} in its workload, and the task is started by ours", f"Leave {name} out.")
    _only(step, container, ("name", *_CONTAINER), "spec.containers[0].")
    return {name: value for name, value in container.items() if name != "name"}  # Argo calls it main


def _only(step: StepNode, found: Mapping[str, Any], known: Sequence[str], above: str) -> None:
    for name in found:
        if name not in known:
            raise refuse(step, f"has {above}{name} in its workload, which Argo's templates do not have", f"Leave {name} out.")
