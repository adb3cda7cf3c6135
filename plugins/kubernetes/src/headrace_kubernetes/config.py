"""The section `[launcher.kubernetes]`: what holds for every step that does not say otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import asdict, field, frozen

from headrace_hookspecs import ConfigError, FlowDefinitionError

from .settings import KubernetesSettings


@frozen
class KubernetesConfig:
    """Each setting is the one of `@kubernetes`, for steps that leave it out; empty and 0 stand for nothing.

    `cpu`, `memory` and `disk` are what a step gets that asks for none. `registry` stands before the name of an image that names no registry.
    Labels and annotations are added to those of a step, secrets and volumes too; everything else is replaced by what a step says.
    """

    cpu: float = 1.0
    memory: int | str = 4096
    disk: int | str = 10240
    shared_memory: int | str = 0
    gpu_vendor: str = "nvidia"
    qos: str = "burstable"
    image: str = ""
    registry: str = ""
    image_pull_policy: str = ""
    image_pull_secrets: Sequence[str] = ()
    namespace: str = ""
    service_account: str = ""
    secrets: Sequence[str] = ()
    node_selector: Mapping[str, str] = field(factory=dict)
    tolerations: Sequence[Mapping[str, Any]] = ()
    labels: Mapping[str, str] = field(factory=dict)
    annotations: Mapping[str, str] = field(factory=dict)
    persistent_volume_claims: Mapping[str, str] = field(factory=dict)
    port: int = 0
    security_context: Mapping[str, Any] = field(factory=dict)


def checked(config: KubernetesConfig) -> tuple[KubernetesSettings, str]:
    """The settings of the section, and the registry. Raises ConfigError."""
    given = {name: value for name, value in asdict(config).items() if value and name != "registry"}
    try:
        return KubernetesSettings(**given), config.registry.rstrip("/")
    except FlowDefinitionError as error:
        problem = error.message.removeprefix("@kubernetes: ")
        raise ConfigError(f"launcher.kubernetes: {problem}", remedy=error.remedy) from None
