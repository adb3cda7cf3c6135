"""Plugins of a distribution that the workspace does not know: a compute that renders pods, a launcher with another format, a flow decorator."""

from __future__ import annotations

from typing import Any

from attrs import evolve, field, frozen

from headrace_hookspecs import (
    Capability,
    Compute,
    FlowGraph,
    MissingCapabilityError,
    Option,
    PlanContext,
    RetryPolicy,
    StepNode,
    Workload,
    flow_decorator,
    step_decorator,
)

on_acme = step_decorator("on_acme", "acme_cluster:OnAcme")
on_batch = step_decorator("on_batch", "acme_cluster:OnBatch")
stamina = flow_decorator("stamina", "acme_cluster:Stamina")


@frozen(kw_only=True)
class PoolConfig:
    """`pool`: the machines to run on."""

    pool: str = "small"


class _OnCompute:
    provider = ""

    @staticmethod
    def config_class() -> type[Any]:
        return PoolConfig

    def __init__(self, config: PoolConfig) -> None:
        self.config = config

    def plan(self, step: StepNode, context: PlanContext) -> StepNode:
        """Say where the step runs."""
        return evolve(step, compute=Compute(self.provider, {"pool": self.config.pool}))


class OnAcme(_OnCompute):
    """`@on_acme(pool=…)`."""

    name = "on_acme"
    provider = "acme"


class OnBatch(_OnCompute):
    """`@on_batch(pool=…)`."""

    name = "on_batch"
    provider = "batchlike"


@frozen(kw_only=True)
class StaminaConfig:
    """`attempts`: what the option is where nobody gives it."""

    attempts: int = field(default=1)


class Stamina:
    """`@stamina` gives every step so many attempts."""

    name = "stamina"

    @staticmethod
    def config_class() -> type[Any]:
        return StaminaConfig

    def __init__(self, config: StaminaConfig) -> None:
        self.config = config

    def options(self) -> tuple[Option, ...]:
        """`--stamina N`."""
        return (Option("stamina", "int", self.config.attempts, "attempts of every step"),)

    def plan(self, graph: FlowGraph, options: Any, context: PlanContext) -> FlowGraph:
        """Write it into the neutral field."""
        policy = RetryPolicy(times=options["stamina"] - 1, wait=20.0)
        return evolve(graph, steps={name: evolve(step, retry=policy) for name, step in graph.steps.items()})


class _Renders:
    """A launcher that launches nothing here."""

    capabilities = frozenset({Capability.ENVIRONMENT})
    echoes = False

    def close(self, *, grace: float) -> None:
        """Nothing to close."""

    def prepare(self, entry: Any) -> None:
        """Nothing runs here."""
        raise MissingCapabilityError("This compute runs nothing here.")


class AcmeLauncher(_Renders):
    """Renders pods for the pools of a company."""

    def render(self, step: StepNode) -> Workload:
        """A pod on the machines of a pool."""
        config = step.compute.config if step.compute else {}
        env = [{"name": name, "value": value} for name, value in step.env.items()]
        container = {"name": "main", "image": "image", "env": [*env, {"name": "ACME_POOL", "value": config.get("pool", "")}]}
        secret = [{"secretRef": {"name": "s3"}}]
        spec = {"containers": [{**container, "envFrom": secret}], "nodeSelector": {"acme.example/pool": config.get("pool", "")}}
        return Workload("k8s/PodTemplateSpec", {"metadata": {"labels": {"acme.example/team": "data"}}, "spec": spec})


class BatchLauncher(_Renders):
    """Renders what another service takes."""

    def render(self, step: StepNode) -> Workload:
        """Container properties as they are elsewhere."""
        return Workload("aws/batch.ContainerProperties", {"image": "image", "vcpus": 1, "memory": 512})


class _Plugin:
    api = "1.0"

    def __init__(self, make: Any) -> None:
        self.make = make

    def config_class(self) -> None:
        return None

    def create(self, config: Any, context: Any) -> Any:
        return self.make()


acme, batchlike = _Plugin(AcmeLauncher), _Plugin(BatchLauncher)
