"""Stores plain Python values exactly, type by type, without pickle. Importing this costs nothing; msgpack is imported with the first use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headrace_hookspecs.providers import ProviderContext

    from .serializer import PlainSerializer

__all__ = ["plugin"]


class _Plugin:
    api = "1.0"

    def config_class(self) -> type[Any] | None:
        return None

    def create(self, config: Any, context: ProviderContext) -> PlainSerializer:
        from .serializer import PlainSerializer

        return PlainSerializer()


plugin = _Plugin()
