"""A metadata store in one SQLite file. Importing this costs nothing; SQLite itself is imported with the first use of a store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headrace_hookspecs.providers import ProviderContext

    from .store import SqliteStore

__all__ = ["plugin"]


class _Plugin:
    api = "1.0"

    def config_class(self) -> type[Any]:
        from .config import SqliteConfig

        return SqliteConfig

    def create(self, config: Any, context: ProviderContext) -> SqliteStore:
        from .config import open_store

        return open_store(config, context)


plugin = _Plugin()
