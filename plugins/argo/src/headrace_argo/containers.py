"""Container templates: one for each step, those that absorb a lost one, and the one that records a run's end. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from headrace_hookspecs import Deployment, MissingCapabilityError, StepNode, TaskTemplate, label
from headrace_hookspecs.formats import pod_text

from . import variables
from .config import ArgoConfig
from .dags import scope_of
from .policies import deadline, retry_strategy
from .refusal import refuse
from .workloads import pod_of

REPORT: Final = "/tmp/headrace-report"
"""Where a task writes what Argo has to know of it; a folder in its container."""

STEP: Final = "headrace.dev/step"


def step_template(deployment: Deployment, step: StepNode, name: str, config: ArgoConfig) -> dict[str, Any]:
    """The template in which a step's tasks run."""
    slots = _slots(deployment, step)
    strategy = retry_strategy(step)
    if strategy is not None:
        slots["ATTEMPT"] = variables.RETRIES
    outputs = None
    if step.kind == "foreach":
        slots["REPORT"] = REPORT
        outputs = {"parameters": [{"name": "size", "valueFrom": {"path": f"{REPORT}/size"}}]}
    own = {"outputs": outputs, "retryStrategy": strategy}
    return _template(deployment, step, name, deployment.task(step.name), slots, config, own)


def absorbing_template(deployment: Deployment, step: StepNode, name: str, config: ArgoConfig) -> dict[str, Any]:
    """The template that commits the catch outcome of a task whose pods were lost. It runs no code of the step."""
    after = 2 + (step.retry.times if step.retry is not None else 0)
    slots = {**_slots(deployment, step), "MODE": "absorb", "ATTEMPT": str(after)}
    return _template(deployment, step, name, deployment.task(step.name), slots, config, {})


def ended_template(deployment: Deployment, name: str, config: ArgoConfig) -> dict[str, Any]:
    """The template that writes the end of a run that did not reach its last step; its pod is like that of the last step."""
    step = deployment.graph.steps[deployment.graph.end]
    slots = {"RUN": _run(deployment), "STATUS": variables.STATUS}
    return _template(deployment, step, name, deployment.exit, slots, config, {})


def _slots(deployment: Deployment, step: StepNode) -> dict[str, str]:
    slots = {"RUN": _run(deployment)}
    if scope_of(deployment.graph, step) is not None:
        slots["INDEX"] = variables.INDEX
    if step.name == deployment.graph.start and deployment.graph.parameters:
        slots["PARAMETERS"] = variables.PARAMETERS
    return slots


def _run(deployment: Deployment) -> str:
    return f"{deployment.graph.name}/{variables.RUN}"


def _template(
    deployment: Deployment,
    step: StepNode,
    name: str,
    task: TaskTemplate,
    slots: Mapping[str, str],
    config: ArgoConfig,
    own: Mapping[str, Any],
) -> dict[str, Any]:
    """A container template, with the fields that are set, in this order."""
    pod = pod_of(step, config.namespace)
    ends = [each for each in (pod.deadline, deadline(step, config.startup)) if each is not None]
    fields = {
        "name": name,
        "inputs": {"parameters": [{"name": "index"}]} if "INDEX" in slots else None,
        "outputs": own.get("outputs"),
        "metadata": {"labels": {**pod.labels, STEP: label(step.name)}, "annotations": {**pod.annotations, STEP: step.name}},
        "activeDeadlineSeconds": min(ends, default=None),
        "retryStrategy": own.get("retryStrategy"),
        **pod.fields,
        "container": {
            **pod.container,
            "image": pod.container.get("image") or deployment.image or _no_image(step),
            "command": [pod_text(word) for word in _plain(step, task.argv)],
            "env": _env(step, pod.container.get("env", ()), task, slots),
        },
    }
    return {field: value for field, value in fields.items() if value is not None}


def _env(step: StepNode, own: Any, task: TaskTemplate, slots: Mapping[str, str]) -> list[Any]:
    """The workload's variables, then the task's constants, then what only Argo knows; of one name the last counts."""
    strange = [slot for slot in slots if slot not in task.slots]
    if strange:
        raise refuse(step, f"takes no slot {', '.join(strange)}, and Argo has a value for it", "Deploy with a kernel of this version.")
    env = {each["name"]: each for each in own}
    for name, value in zip(task.env, _plain(step, tuple(task.env.values())), strict=True):
        env[name] = {"name": name, "value": pod_text(value)}
    for slot, value in slots.items():
        env[f"HEADRACE_{slot}"] = {"name": f"HEADRACE_{slot}", "value": value}
    return list(env.values())


def _plain(step: StepNode, texts: tuple[str, ...]) -> tuple[str, ...]:
    """The texts, none of which Argo takes for something of its own."""
    if variables.tagged(texts) is not None:
        raise refuse(step, "would be started with {{ in a word, which Argo takes for a variable", "Take it out of the configuration.")
    return texts


def _no_image(step: StepNode) -> str:
    raise MissingCapabilityError(
        f"Step {step.name} has no image to run in, and neither has the deployment.",
        step=step.name,
        file=step.source.file if step.source else None,
        line=step.source.line if step.source else None,
        remedy="Give one: --image IMAGE, package.image in the configuration, or @kubernetes(image=…).",
    )
