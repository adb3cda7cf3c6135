"""Pure helpers of public workload formats, for those who write them and those who read them.

`process` is the one that local launchers use: environment variables and limits, no command. `k8s/PodTemplateSpec` is the Kubernetes API's
own: a pod without a command, whose first container is the task's and the others its companions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import evolve

from .ir import Resources, StepNode, Workload

PROCESS: Final = "process"
POD_TEMPLATE: Final = "k8s/PodTemplateSpec"


def process_workload(step: StepNode) -> Workload:
    """A step as a `process` workload: `env` (name -> text), and `resources` for information, as a process is not limited by them."""
    body: dict[str, Any] = {"env": dict(step.env)}
    if step.resources is not None:
        wanted = {name: getattr(step.resources, name) for name in ("cpu", "memory", "disk", "gpu", "shared_memory")}
        body["resources"] = {name: value for name, value in wanted.items() if value is not None}
    return Workload(PROCESS, body)


def larger_resources(one: Resources | None, other: Resources | None) -> Resources:
    """Both requests in one: of two amounts the larger, whichever was asked for first; of two amounts of one extended resource, `other`'s."""
    a, b = one or Resources(), other or Resources()
    asked = {name: (getattr(a, name), getattr(b, name)) for name in ("cpu", "memory", "disk", "gpu", "shared_memory")}
    most = {name: max((value for value in pair if value is not None), default=None) for name, pair in asked.items()}
    return evolve(a, **most, extended={**a.extended, **b.extended})


def task_container(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The container of a `k8s/PodTemplateSpec` body in which the task runs: the first; empty where there is none."""
    containers = body.get("spec", {}).get("containers") or [{}]
    found: Mapping[str, Any] = containers[0]
    return found


def pod_text(text: str) -> str:
    """`text` as the `value` of an environment variable or an argument of a pod, where Kubernetes reads `$(NAME)` and makes `$$` a `$`."""
    return text.replace("$", "$$")
