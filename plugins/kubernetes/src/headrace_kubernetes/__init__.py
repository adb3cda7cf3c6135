"""Steps on Kubernetes: the decorator `@kubernetes`, and the launcher that renders a step as a pod. Importing this costs nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from headrace_hookspecs import step_decorator

if TYPE_CHECKING:
    from headrace_hookspecs import Launcher, ProviderContext

__all__ = ["kubernetes", "plugin"]


def _kubernetes(
    *,
    cpu: float | str | None = None,
    memory: float | str | None = None,
    disk: float | str | None = None,
    gpu: int | str | None = None,
    gpu_vendor: str | None = None,
    shared_memory: float | str | None = None,
    extended_resources: Mapping[str, int | str] | None = None,
    qos: Literal["burstable", "guaranteed"] | None = None,
    image: str | None = None,
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = None,
    image_pull_secrets: str | Sequence[str] | None = None,
    namespace: str | None = None,
    service_account: str | None = None,
    secrets: str | Sequence[str] | None = None,
    node_selector: str | Mapping[str, str] | None = None,
    tolerations: Sequence[Mapping[str, Any]] | None = None,
    labels: str | Mapping[str, str] | None = None,
    annotations: str | Mapping[str, str] | None = None,
    persistent_volume_claims: Mapping[str, str] | None = None,
    use_tmpfs: bool | None = None,
    tmpfs_size: float | str | None = None,
    tmpfs_path: str | None = None,
    tmpfs_tempdir: bool | None = None,
    port: int | str | None = None,
    security_context: Mapping[str, Any] | None = None,
    compute_pool: None = None,
    executable: None = None,
    hostname_resolution_timeout: None = None,
) -> None:
    """Run a step in a pod of its own on Kubernetes.

    What is left out comes from the section `[launcher.kubernetes]`. `cpu` is in cores; `memory`, `disk`, `shared_memory` and `tmpfs_size`
    are in MiB, or text with a unit such as "8G". Of what `@resources` asks for and what is said here, the larger counts. `secrets` are
    Kubernetes secrets whose keys become environment variables; `persistent_volume_claims` maps claims to paths.
    """


kubernetes = step_decorator("kubernetes", "headrace_kubernetes.decorating:Kubernetes", signature=_kubernetes)


class _Plugin:
    api = "1.0"

    def config_class(self) -> type[Any]:
        from .config import KubernetesConfig

        return KubernetesConfig

    def create(self, config: Any, context: ProviderContext) -> Launcher:
        from .config import checked
        from .launcher import KubernetesLauncher

        return KubernetesLauncher(*checked(config))


plugin = _Plugin()
