"""The public workload format of a task on this machine, and the refusal of what cannot run there. Pure."""

from __future__ import annotations

from headrace_hookspecs import Capability, MissingCapabilityError, StepNode, Workload

FORMAT = "process"


def process_workload(step: StepNode, capabilities: frozenset[Capability]) -> Workload:
    """Format `process`: `env`, the variables of the step. Raises MissingCapabilityError naming the step and what it needs."""
    needs: tuple[tuple[object, Capability | None, str], ...] = (
        (step.image, None, f"the container image {step.image}"),
        (step.environment, None, "an interpreter of its own"),
        (step.env, Capability.ENVIRONMENT, "environment variables that are there before anything is imported"),
        (step.gang, Capability.GANG, "several nodes at the same time"),
    )
    for asked, capability, what in needs:
        if asked and (capability is None or capability not in capabilities):
            source = step.source
            raise MissingCapabilityError(
                f"Step {step.name} needs {what}, which its launcher does not offer.",
                remedy="Run it with another launcher, or take the decorator that asks for this off the step.",
                file=source.file if source else None,
                line=source.line if source else None,
                step=step.name,
            )
    return Workload(FORMAT, {"env": dict(step.env)})
