"""A datastore in an S3 bucket. Importing this costs nothing; the SDK is imported by the store's first request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headrace_hookspecs.providers import ProviderContext

    from .store import S3Store

__all__ = ["plugin"]


class _Plugin:
    api = "1.0"

    def config_class(self) -> type[Any]:
        from .config import S3Config

        return S3Config

    def create(self, config: Any, context: ProviderContext) -> S3Store:
        from .config import open_store

        return open_store(config)


plugin = _Plugin()
