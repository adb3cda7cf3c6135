"""`@kubernetes`: says that a step runs in a pod, and what that pod is like. Writes the step's compute and resources; renders nothing."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from attrs import asdict, evolve

from headrace_hookspecs import Compute, FlowDefinitionError, PlanContext, StepNode
from headrace_hookspecs.decorators import Phase
from headrace_hookspecs.formats import larger_resources

from .settings import RESOURCES, KubernetesSettings

PROVIDER: Final = "kubernetes"


class Kubernetes:
    """The implementation behind `@kubernetes`."""

    name: ClassVar[str] = "kubernetes"
    phase: ClassVar[Phase] = "limits"
    multiple: ClassVar[bool] = False

    def __init__(self, config: KubernetesSettings) -> None:
        self.config = config

    @staticmethod
    def config_class() -> type[KubernetesSettings]:
        """The keyword arguments."""
        return KubernetesSettings

    def plan(self, step: StepNode, context: PlanContext) -> StepNode:
        """Write where the step runs. Of what others ask for and what is asked for here, the larger counts, whichever comes first.

        Where the step runs already somewhere else because another decorator says so, that is an error.
        """
        before = context.graph.steps[step.name].compute if step.name in context.graph.steps else None
        if step.compute is not None and step.compute != before and step.compute.provider != PROVIDER:
            raise FlowDefinitionError(
                f"@kubernetes: another decorator has the step run on {step.compute.provider!r}.",
                remedy="Keep one of the two.",
                code="decorator-conflict",
            )
        return evolve(
            step,
            compute=Compute(PROVIDER, _said(self.config)),
            resources=larger_resources(step.resources, self.config.resources),
        )


def _said(config: KubernetesSettings) -> dict[str, Any]:
    """The settings that were given, as JSON, without those that are the step's own resources."""
    given = {name: value for name, value in asdict(config).items() if value is not None and name not in RESOURCES}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()}
