"""A datastore on a directory. Importing this costs nothing; the store itself is imported when it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headrace_hookspecs.providers import ProviderContext

    from .store import FileStore

__all__ = ["plugin"]


class _Plugin:
    api = "1.0"

    def config_class(self) -> type[Any]:
        from .config import FilesConfig

        return FilesConfig

    def create(self, config: Any, context: ProviderContext) -> FileStore:
        from .config import open_store

        return open_store(config, context.project)


plugin = _Plugin()
