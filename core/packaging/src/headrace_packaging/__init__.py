"""What it takes for a step to leave the machine: the code package, the lock of what tasks need, deployments, and the entry point over there.

Imported only then. `collect`, `archive` and `closure` know files and distributions alone; `deploying` plans and records on the author's machine;
`remote` supervises a task on another.
"""

from __future__ import annotations

from .archive import archive as archive
from .archive import unpack as unpack
from .collect import PackagedFile as PackagedFile
from .collect import collect as collect
from .collect import identity as identity

__all__ = ["PackagedFile", "archive", "collect", "identity", "unpack"]
