"""What stands behind an entry point of a "one of" group: a small object that can be inspected for free and made into the real thing late.

The module that holds it imports no SDK; `create` does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

T_co = TypeVar("T_co", covariant=True)


class ProviderContext:
    """What a provider is told when it is made.

    `project` is the absolute path of the folder that relative paths in the configuration start from; `flow` names the flow or is empty;
    `say` prints one line of information for the user; `environ` is the process environment.
    """

    __slots__ = ("environ", "flow", "project", "say")

    def __init__(self, project: str, flow: str, environ: Mapping[str, str], say: Callable[[str], None]) -> None:
        self.project = project
        self.flow = flow
        self.environ = environ
        self.say = say


class PluginObject(Protocol[T_co]):
    """The target of an entry point in the groups datastore, metadata, serializer, secrets, launcher, orchestrator and environment.

    Example, a whole `headrace_disk/__init__.py`::

        class _Plugin:
            api = "1.0"

            def config_class(self):
                from .config import DiskConfig          # a frozen attrs class, every field with a default or required
                return DiskConfig

            def create(self, config, context):
                from .store import DiskStore
                return DiskStore(config.root)

        plugin = _Plugin()

    `api` is the contract's version that the plugin was written for. `config_class` returns the attrs class of the section
    `[datastore.disk]`, or None where there is nothing to configure; `create` gets an instance of it (or None).
    """

    api: str

    def config_class(self) -> type[Any] | None:
        """The attrs class of the plugin's own configuration section, or None."""

    def create(self, config: Any, context: ProviderContext) -> T_co:
        """The provider itself. May import its SDK, must not start threads or processes before its first use."""
