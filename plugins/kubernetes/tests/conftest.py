"""Rendering a step with settings, and the API's own validation of what came out."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import kubernetes_validate
import pytest

import headrace_kubernetes
from headrace_hookspecs import Compute, ProviderContext, StepNode
from headrace_kubernetes.config import KubernetesConfig
from headrace_kubernetes.launcher import KubernetesLauncher


def make_launcher(**section: Any) -> KubernetesLauncher:
    made = headrace_kubernetes.plugin.create(KubernetesConfig(**section), ProviderContext(".", "Flow", {}, print))
    assert isinstance(made, KubernetesLauncher)
    return made


def validate(body: Mapping[str, Any]) -> None:
    """Raise for what is no pod template, in a Job as Kubernetes would start it; an image may be missing, as engines have one."""
    template = copy.deepcopy(dict(body))
    for container in template["spec"]["containers"]:
        container.setdefault("image", "python:3.12")
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "task"}, "spec": {"template": template}}
    kubernetes_validate.validate(job, "1.30", strict=True)


@pytest.fixture
def launcher() -> Callable[..., KubernetesLauncher]:
    """`launcher(**section)`: the launcher with a section of the configuration."""
    return make_launcher


@pytest.fixture
def pod() -> Callable[..., Any]:
    """`pod(step, section, **settings)`: the validated body for a step with these settings of its own."""

    def render(step: StepNode | None = None, section: Mapping[str, Any] | None = None, **settings: Any) -> Any:
        node = step or StepNode("train", "linear")
        workload = make_launcher(**section or {}).render(attrs.evolve(node, compute=Compute("kubernetes", settings)))
        assert workload.format == "k8s/PodTemplateSpec"
        validate(workload.body)
        return workload.body

    return render
