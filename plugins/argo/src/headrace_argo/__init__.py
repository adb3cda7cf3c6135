"""Flows on Argo Workflows: the orchestrator `argo`. Importing this costs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headrace_hookspecs import Orchestrator, ProviderContext

__all__ = ["plugin"]


class _Plugin:
    api = "1.0"

    def config_class(self) -> type[Any]:
        from .config import ArgoConfig

        return ArgoConfig

    def create(self, config: Any, context: ProviderContext) -> Orchestrator:
        from .engine import ArgoOrchestrator

        return ArgoOrchestrator(config)


plugin = _Plugin()
