"""Stores any picklable value; the labelled last resort, refused where `allow_pickle = false`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headrace_hookspecs.providers import ProviderContext

    from .serializer import PickleSerializer

__all__ = ["plugin"]


class _Plugin:
    api = "1.0"

    def config_class(self) -> type[Any] | None:
        return None

    def create(self, config: Any, context: ProviderContext) -> PickleSerializer:
        from .serializer import PickleSerializer

        return PickleSerializer()


plugin = _Plugin()
