"""The launcher `kubernetes`: renders steps as pods, for engines that run them. It starts none itself, and says so before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from headrace_hookspecs import (
    Capability,
    FlowDefinitionError,
    LaunchContext,
    LaunchEvent,
    MissingCapabilityError,
    StepNode,
    TaskEntry,
    TaskSpec,
    Workload,
)

from . import values
from .refusal import refuse
from .render import render
from .settings import KubernetesSettings


class KubernetesLauncher:
    """Renders. `prepare`, `open` and everything that follows them raise MissingCapabilityError; `close` has nothing to do."""

    capabilities = frozenset({Capability.ENVIRONMENT, Capability.RESOURCES})
    echoes = False

    def __init__(self, defaults: KubernetesSettings, registry: str = "") -> None:
        self._defaults = defaults
        self._registry = registry

    def render(self, step: StepNode) -> Workload:
        """The step's pod."""
        for asked, what in (
            (step.gang, "runs as several nodes at once, and a pod is one node"),
            (step.environment, "asks for packages of its own, and a pod has those of its image"),
            (step.secrets, "asks for secrets of the flow's own kind; @kubernetes(secrets=…) takes those of the cluster"),
        ):
            if asked:
                raise refuse(step, what, "Take the decorator that asks for this off the step, or run it with another launcher.")
        return render(step, _settings(step), self._defaults, self._registry)

    def prepare(self, entry: TaskEntry) -> None:
        """Refused: no run from here."""
        self._cannot_run()

    def open(self, context: LaunchContext) -> None:
        """Refused: no run from here."""
        self._cannot_run()

    def launch(self, specs: Sequence[TaskSpec], steps: Sequence[StepNode]) -> None:
        """Refused: no run from here."""
        self._cannot_run()

    def cancel(self, key: str, *, force: bool) -> None:
        """Refused: nothing was launched."""
        self._cannot_run()

    def reply(self, key: str, line: bytes) -> None:
        """Refused: nothing was launched."""
        self._cannot_run()

    def fileno(self) -> int:
        """Refused: nothing was launched."""
        self._cannot_run()

    def events(self) -> Sequence[LaunchEvent]:
        """Refused: nothing was launched."""
        self._cannot_run()

    def close(self, *, grace: float) -> None:
        """Nothing to end."""

    def _cannot_run(self) -> NoReturn:
        raise MissingCapabilityError(
            "The launcher 'kubernetes' describes pods for engines that run them; it cannot start any from here.",
            remedy="Deploy the flow: `flow deploy FILE --to argo`. To run it on this machine, take @kubernetes off its steps and leave "
            "launcher.name at its default.",
        )


def _settings(step: StepNode) -> KubernetesSettings:
    """The step's own settings. Raises FlowDefinitionError, with the step's place, for a compute that is none of ours."""
    source = step.source
    try:
        values.labels("labels")(step.labels)
        values.texts("annotations")(step.annotations)
        return KubernetesSettings(**(step.compute.config if step.compute else {}))
    except TypeError as error:
        problem, remedy = f"@kubernetes: {error}", "`help(headrace_kubernetes.kubernetes)` shows what it takes."
    except FlowDefinitionError as error:
        problem, remedy = error.message, error.remedy or ""
    raise FlowDefinitionError(
        problem,
        remedy=remedy,
        step=step.name,
        file=source.file if source else None,
        line=source.line if source else None,
        code="decorator-invalid",
    )
