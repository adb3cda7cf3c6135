"""What plugins that speak to AWS, or to a service that talks like it, share. Importing this imports neither attrs nor boto3.

A library for providers: it has no entry point, and knows no particular service.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

_HOME: Final = {
    "ClientOptions": "options",
    "Diagnosis": "errors",
    "ProcessClient": "clients",
    "diagnose": "errors",
    "make_client": "clients",
}

__all__ = ["ClientOptions", "Diagnosis", "ProcessClient", "diagnose", "make_client"]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    module = _HOME.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{module}"), name)


if TYPE_CHECKING:
    from .clients import ProcessClient as ProcessClient
    from .clients import make_client as make_client
    from .errors import Diagnosis as Diagnosis
    from .errors import diagnose as diagnose
    from .options import ClientOptions as ClientOptions
