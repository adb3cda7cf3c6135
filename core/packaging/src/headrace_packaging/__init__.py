"""The code package of a flow: which files travel when a step leaves the machine, and the archive they travel in.

Imported only then. Knows files and bytes, nothing of flows, stores or clusters.
"""

from __future__ import annotations

from .archive import archive as archive
from .archive import unpack as unpack
from .collect import PackagedFile as PackagedFile
from .collect import collect as collect
from .collect import identity as identity

__all__ = ["PackagedFile", "archive", "collect", "identity", "unpack"]
