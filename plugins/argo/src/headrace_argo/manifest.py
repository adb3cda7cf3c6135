"""The WorkflowTemplate of a deployment: plain data in a fixed order, without the fields that nobody set. Pure; knows no SDK and no clock."""

from __future__ import annotations

import json
import math
from typing import Any, Final

from headrace_hookspecs import Deployment, label

from . import variables
from .config import ArgoConfig
from .containers import absorbing_template, ended_template, step_template
from .dags import dag_templates, exit_template
from .names import Names, names_of
from .parameters import parameters_of
from .refusal import check
from .workloads import pod_of

PART_OF: Final = "app.kubernetes.io/part-of"
KIND: Final = "app.kubernetes.io/name"
FLOW: Final = "headrace.dev/flow"


def compile_manifest(deployment: Deployment, config: ArgoConfig) -> dict[str, Any]:
    """The manifest. Raises MissingCapabilityError, with step and line, for what it cannot say."""
    graph = deployment.graph
    check(deployment)
    names = names_of(graph)
    parameters = parameters_of(graph)
    spec = {
        "entrypoint": names.flow,
        "onExit": names.exit,
        "arguments": {"parameters": parameters} if parameters else None,
        "serviceAccountName": config.service_account or None,
        "imagePullSecrets": _pull_secrets(deployment, config) or None,
        "parallelism": config.parallelism,
        "activeDeadlineSeconds": None if config.timeout is None else math.ceil(config.timeout),
        "priority": config.priority,
        "workflowMetadata": _metadata(deployment, config, "headrace-run", {}),
        "podMetadata": _metadata(deployment, config, "headrace-task", {"headrace.dev/run": variables.RUN}),
        "templates": _templates(deployment, names, config),
    }
    metadata: dict[str, Any] = {"name": deployment.name}
    if config.namespace:
        metadata["namespace"] = config.namespace
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "WorkflowTemplate",
        "metadata": {**metadata, **_metadata(deployment, config, "headrace-flow", _about(deployment))},
        "spec": {name: value for name, value in spec.items() if value is not None},
    }


def _templates(deployment: Deployment, names: Names, config: ArgoConfig) -> list[dict[str, Any]]:
    graph = deployment.graph
    templates = dag_templates(graph, names)
    for name in graph.order:
        step = graph.steps[name]
        templates.append(step_template(deployment, step, names.templates[name], config))
        if name in names.absorbing:
            templates.append(absorbing_template(deployment, step, names.absorbing[name], config))
    return [*templates, exit_template(names), ended_template(deployment, names.ended, config)]


def _metadata(deployment: Deployment, config: ArgoConfig, kind: str, more: dict[str, str]) -> dict[str, Any]:
    """What is said of the template, its runs and their pods alike, and of one of them alone."""
    flow = deployment.graph.name
    return {
        "labels": {**config.labels, PART_OF: "headrace", KIND: kind, FLOW: label(flow)},
        "annotations": {**config.annotations, FLOW: flow, "headrace.dev/deployment": deployment.id, **more},
    }


def _about(deployment: Deployment) -> dict[str, str]:
    """What people who look at the template should know. The first two are what Argo's UI shows."""
    found = {"workflows.argoproj.io/title": deployment.graph.name, "workflows.argoproj.io/description": deployment.graph.doc}
    found["headrace.dev/package"] = deployment.package
    found["headrace.dev/tags"] = json.dumps(list(deployment.tags)) if deployment.tags else ""
    return {name: value for name, value in found.items() if value}


def _pull_secrets(deployment: Deployment, config: ArgoConfig) -> list[Any]:
    """Those of all steps, each once: Argo has them for a workflow as a whole."""
    found: list[Any] = []
    for name in deployment.graph.order:
        found += [each for each in pod_of(deployment.graph.steps[name], config.namespace).pull_secrets if each not in found]
    return found
