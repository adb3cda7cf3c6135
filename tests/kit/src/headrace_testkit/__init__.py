"""Conformance tests for plugins: one class for every kind of provider.

A plugin's suite subclasses the class of its kind and overrides the fixture that makes the provider. Capabilities steer what is asked: what a
provider declares is tested; what it does not declare is expected to be refused, or the test says that it was skipped.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

_HOME: Final = {
    "BlobStoreContract": "datastore",
    "LauncherContract": "launcher",
    "MetadataStoreContract": "metadata",
    "PluginPackageContract": "package",
    "SerializerContract": "serializer",
    "StepDecoratorContract": "decorators",
}

__all__ = [  # pyright: ignore[reportUnsupportedDunderAll]
    "BlobStoreContract",
    "LauncherContract",
    "MetadataStoreContract",
    "PluginPackageContract",
    "SerializerContract",
    "StepDecoratorContract",
]


def __getattr__(name: str) -> Any:
    module = _HOME.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{module}"), name)


if TYPE_CHECKING:
    from .datastore import BlobStoreContract as BlobStoreContract
    from .decorators import StepDecoratorContract as StepDecoratorContract
    from .launcher import LauncherContract as LauncherContract
    from .metadata import MetadataStoreContract as MetadataStoreContract
    from .package import PluginPackageContract as PluginPackageContract
    from .serializer import SerializerContract as SerializerContract
