"""The orchestrator `argo`: what it can, its manifest, and what a task reports to it. Installs and starts nothing by itself yet."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from headrace_hookspecs import Capability, Compute, Deployment, MissingCapabilityError, Report
from headrace_hookspecs.formats import POD_TEMPLATE

from .config import ArgoConfig


class ArgoOrchestrator:
    """Compiles deployments to WorkflowTemplates."""

    capabilities = frozenset(
        {
            Capability.FOREACH,
            Capability.NESTED_FOREACH,
            Capability.ABSORB,
            Capability.HARD_TIMEOUT,
            Capability.PARALLEL_TASKS,
            Capability.RETRY_WAIT,
            Capability.ENGINE_RETRY,
            Capability.ENVIRONMENT,
            Capability.RESOURCES,
        }
    )
    formats: Sequence[str] = (POD_TEMPLATE,)
    default_compute = Compute("kubernetes")

    def __init__(self, config: ArgoConfig) -> None:
        self._config = config

    def compile(self, deployment: Deployment) -> Mapping[str, Any]:
        """The WorkflowTemplate."""
        from .manifest import compile_manifest

        return compile_manifest(deployment, self._config)

    def report(self, report: Report) -> None:
        """Write what Argo reads as the task's outputs: the width of a foreach, the choice of a switch, each a file below the place."""
        if report.step.kind == "foreach" and report.outcome.size is not None:
            _write(report.place, "size", str(report.outcome.size))
        elif report.step.kind == "switch" and report.outcome.next:
            _write(report.place, "next", report.outcome.next[0])

    def apply(self, manifest: Mapping[str, Any]) -> str:
        """Refused: kubectl does it."""
        raise _not_yet("install", "flow deploy FILE --to argo --manifest - | kubectl apply -f -")

    def trigger(self, name: str, parameters: Mapping[str, Any]) -> str:
        """Refused: Argo's own command does it."""
        given = "".join(f" -p {parameter}=VALUE" for parameter in parameters)
        raise _not_yet("start", f"argo submit --from workflowtemplate/{name}{given}")

    def status(self, name: str, run: str | None = None) -> Mapping[str, Any]:
        """Refused: kubectl says it."""
        raise _not_yet("look at", f"kubectl get {f'workflow {run}' if run else f'workflowtemplate {name}'} -o yaml")

    def delete(self, name: str) -> None:
        """Refused: kubectl does it."""
        raise _not_yet("remove", f"kubectl delete workflowtemplate {name}")


def _write(place: str, name: str, text: str) -> None:
    os.makedirs(place, exist_ok=True)
    with open(os.path.join(place, name), "w", encoding="utf-8") as stream:
        stream.write(text)


def _not_yet(what: str, command: str) -> MissingCapabilityError:
    return MissingCapabilityError(
        f"The plugin for Argo writes manifests; it does not {what} anything in a cluster yet.", remedy=f"Do it with: {command}"
    )
