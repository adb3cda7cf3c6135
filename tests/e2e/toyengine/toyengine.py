"""Test plugins of one distribution: an engine whose manifest is the deployment itself, and a datastore in a folder that says it is shared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from headrace_files import plugin as files
from headrace_hookspecs import Capability, Compute, Deployment, Report


class _Datastore:
    api = "1.0"

    def config_class(self) -> type[Any]:
        return files.config_class()

    def create(self, config: Any, context: Any) -> Any:
        store = files.create(config, context)
        store.capabilities = store.capabilities | {Capability.SHARED}
        return store


class Engine:
    """Nothing is left out of its manifest, so it can do everything that the executor of the tests can."""

    capabilities = frozenset(
        {
            Capability.FOREACH,
            Capability.NESTED_FOREACH,
            Capability.SWITCH,
            Capability.ABSORB,
            Capability.HARD_TIMEOUT,
            Capability.ENGINE_RETRY,
        }
    )
    formats = ("process",)
    default_compute = Compute("spawn")

    def compile(self, deployment: Deployment) -> dict[str, Any]:
        """How to start each task."""
        return {
            "name": deployment.name,
            "flow": deployment.graph.name,
            "steps": {
                step: {"argv": list(deployment.task(step).argv), "env": {**node.env, **deployment.task(step).env}}
                for step, node in deployment.graph.steps.items()
            },
            "exit": dict(deployment.exit.env),
        }

    def report(self, report: Report) -> None:
        """The size of a fan-out and the steps that follow."""
        (Path(report.place) / "next").write_text(" ".join(report.outcome.next))
        (Path(report.place) / "size").write_text(str(report.outcome.size))


class _Engine:
    api = "1.0"

    def config_class(self) -> None:
        return None

    def create(self, config: Any, context: Any) -> Engine:
        return Engine()


datastore, engine = _Datastore(), _Engine()
