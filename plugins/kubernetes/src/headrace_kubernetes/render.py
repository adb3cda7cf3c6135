"""From a step and its settings to a `k8s/PodTemplateSpec`: plain data, valid against the Kubernetes API. Pure, and the same each time."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from headrace_hookspecs import Resources, StepNode, Workload, dns_name
from headrace_hookspecs.formats import POD_TEMPLATE, larger_resources, pod_text

from .refusal import refuse
from .settings import KubernetesSettings

TMPFS: Final = "/headrace_temp"
_HAS_REGISTRY: Final = re.compile(r"([^/]*[.:][^/]*|localhost)/")


def render(step: StepNode, said: KubernetesSettings, defaults: KubernetesSettings, registry: str = "") -> Workload:
    """The step's pod. `said` are the step's own settings, `defaults` those of the section, which `registry` comes from too."""
    resources = _resources(step, said, defaults)
    volumes = _volumes(step, said, defaults, resources)
    image = said.image or step.image or defaults.image
    container = {
        "name": "main",
        "image": _image(image, registry),
        "imagePullPolicy": said.image_pull_policy or defaults.image_pull_policy,
        "ports": _ports(said.port or defaults.port),
        "envFrom": [{"secretRef": {"name": name}} for name in _both(defaults.secrets, said.secrets)],
        "env": [{"name": name, "value": pod_text(value)} for name, value in _env(step, said).items()],
        "resources": _requirements(step, said, defaults, resources),
        "volumeMounts": [{"name": name, "mountPath": path} for name, path, _ in volumes],
        "securityContext": _first(said.security_context, defaults.security_context),
        # what an engine shows of a container that failed without a word is the end of its log
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }
    spec = {
        "restartPolicy": "Never",
        "serviceAccountName": said.service_account or defaults.service_account,
        "imagePullSecrets": [{"name": name} for name in said.image_pull_secrets or defaults.image_pull_secrets or ()],
        "nodeSelector": _first(said.node_selector, defaults.node_selector),
        "tolerations": [dict(each) for each in _first(said.tolerations, defaults.tolerations) or ()],
        "containers": [_set(container)],
        "volumes": [{"name": name, **volume} for name, _, volume in volumes],
    }
    metadata = {
        "namespace": said.namespace or defaults.namespace,
        "labels": {**(defaults.labels or {}), **step.labels, **(said.labels or {})},
        "annotations": {**(defaults.annotations or {}), **step.annotations, **(said.annotations or {})},
    }
    return Workload(POD_TEMPLATE, _set({"metadata": _set(metadata), "spec": _set(spec)}))


def _resources(step: StepNode, said: KubernetesSettings, defaults: KubernetesSettings) -> Resources:
    """What the step asks for, the section's amounts where it asks for none."""
    asked, otherwise = larger_resources(step.resources, said.resources), defaults.resources
    return Resources(
        cpu=asked.cpu or otherwise.cpu,
        memory=asked.memory or otherwise.memory,
        disk=asked.disk or otherwise.disk,
        gpu=asked.gpu,
        shared_memory=asked.shared_memory if asked.shared_memory is not None else otherwise.shared_memory,
        extended=asked.extended,
    )


def _requirements(step: StepNode, said: KubernetesSettings, defaults: KubernetesSettings, wanted: Resources) -> dict[str, Any]:
    """Requests; they are the limits too where that is guaranteed. Devices have no other form than a limit."""
    requests = _set(
        {
            "cpu": _cpu(wanted.cpu),
            "memory": _mebibytes(wanted.memory),
            "ephemeral-storage": _mebibytes(wanted.disk),
            **{name: str(wanted.extended[name]) for name in sorted(wanted.extended)},
        }
    )
    guaranteed = (said.qos or defaults.qos) == "guaranteed"
    if guaranteed and (wanted.cpu is None or wanted.memory is None):
        raise refuse(step, "wants qos='guaranteed' and says nothing of cpu or memory", "Give it both: @kubernetes(cpu=1, memory=4096).")
    limits = dict(requests) if guaranteed else {name: requests[name] for name in sorted(wanted.extended)}
    if wanted.gpu:
        vendor = said.gpu_vendor or defaults.gpu_vendor or "nvidia"
        limits[vendor if "/" in vendor else f"{vendor}.com/gpu"] = str(wanted.gpu)
    return _set({"requests": requests, "limits": limits})


def _volumes(
    step: StepNode, said: KubernetesSettings, defaults: KubernetesSettings, wanted: Resources
) -> list[tuple[str, str, dict[str, Any]]]:
    """Name, path and volume of everything that is mounted."""
    found: list[tuple[str, str, dict[str, Any]]] = []
    if wanted.shared_memory:
        found.append(("shared-memory", "/dev/shm", _in_memory(wanted.shared_memory)))
    if said.tmpfs:
        size = said.tmpfs_size or (wanted.memory or 0) // 2
        if not size:
            raise refuse(step, "wants a tmpfs and says neither its size nor the step's memory", "Write tmpfs_size=1024.")
        found.append(("tmpfs", said.tmpfs_path or TMPFS, _in_memory(size)))
    claims = {**(defaults.persistent_volume_claims or {}), **(said.persistent_volume_claims or {})}
    found += [(dns_name(f"claim-{name}"), path, {"persistentVolumeClaim": {"claimName": name}}) for name, path in claims.items()]
    paths = [path for _, path, _ in found]
    twice = next((path for path in paths if paths.count(path) > 1), None)
    if twice is not None:
        raise refuse(step, f"would have two volumes at {twice}", "Give each a path of its own.")
    return found


def _env(step: StepNode, said: KubernetesSettings) -> Mapping[str, str]:
    """The step's variables. In a tmpfs that is for temporary files, they are there before anything asks for their place."""
    if said.tmpfs and said.tmpfs_tempdir is not False:
        return {"TMPDIR": said.tmpfs_path or TMPFS, **step.env}
    return step.env


def _image(image: str | None, registry: str) -> str | None:
    return f"{registry}/{image}" if image and registry and not _HAS_REGISTRY.match(image) else image


def _ports(port: int | None) -> list[dict[str, int]]:
    return [{"containerPort": port}] if port else []


def _cpu(cores: float | None) -> str | None:
    """Whole cores, else thousandths, rounded up."""
    if cores is None:
        return None
    thousandths = math.ceil(round(cores * 1000, 6))
    return f"{thousandths}m" if thousandths % 1000 else str(thousandths // 1000)


def _mebibytes(size: int | None) -> str | None:
    return None if size is None else f"{size}Mi"


def _in_memory(size: int) -> dict[str, Any]:
    return {"emptyDir": {"medium": "Memory", "sizeLimit": f"{size}Mi"}}


def _both(first: Sequence[str] | None, second: Sequence[str] | None) -> list[str]:
    return list(dict.fromkeys([*(first or ()), *(second or ())]))


def _first(said: Any, otherwise: Any) -> Any:
    """What was said, even if that is nothing at all; a copy."""
    chosen = otherwise if said is None else said
    return dict(chosen) if isinstance(chosen, Mapping) else chosen


def _set(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that hold something."""
    return {name: value for name, value in fields.items() if value is not None and value != "" and value != {} and value != []}
