"""Conformance tests for plugins: one class for every kind of provider.

A plugin's suite subclasses the class of its kind, overrides the fixture that makes the provider and names its `capabilities`. These steer what
is asked: what a provider declares is tested; what it does not declare has to be refused, or done as the contract says. Nothing is skipped.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

_HOME: Final = {
    "BlobStoreContract": "datastore",
    "LauncherContract": "launcher",
    "LibraryPackageContract": "package",
    "MetadataStoreContract": "metadata",
    "OrchestratorContract": "orchestrator",
    "PluginPackageContract": "package",
    "RenderContract": "rendering",
    "SerializerContract": "serializer",
    "StepDecoratorContract": "decorators",
    "requires": "capabilities",
    "without": "capabilities",
}

__all__ = [  # pyright: ignore[reportUnsupportedDunderAll]
    "BlobStoreContract",
    "LauncherContract",
    "LibraryPackageContract",
    "MetadataStoreContract",
    "OrchestratorContract",
    "PluginPackageContract",
    "RenderContract",
    "SerializerContract",
    "StepDecoratorContract",
    "requires",
    "without",
]


def __getattr__(name: str) -> Any:
    module = _HOME.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{module}"), name)


if TYPE_CHECKING:
    from .capabilities import requires as requires
    from .capabilities import without as without
    from .datastore import BlobStoreContract as BlobStoreContract
    from .decorators import StepDecoratorContract as StepDecoratorContract
    from .launcher import LauncherContract as LauncherContract
    from .metadata import MetadataStoreContract as MetadataStoreContract
    from .orchestrator import OrchestratorContract as OrchestratorContract
    from .package import LibraryPackageContract as LibraryPackageContract
    from .package import PluginPackageContract as PluginPackageContract
    from .rendering import RenderContract as RenderContract
    from .serializer import SerializerContract as SerializerContract
