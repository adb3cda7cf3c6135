"""Whether a path is on a network file system, where the shared memory of SQLite's write-ahead log does not work. Linux only; pure but for one file."""

from __future__ import annotations

import os
import re
from typing import Final

MOUNTS: Final = "/proc/self/mounts"

_NETWORK: Final = re.compile(r"(nfs|cifs|smb|9p|afs|lustre|gpfs|beegfs|ceph|glusterfs|virtiofs|vboxsf|prl_fs|fuse\.)", re.IGNORECASE)


def network_file_system(path: str, mounts: str = MOUNTS) -> str | None:
    """The type of the network file system that `path` is on (`nfs4`, `fuse.sshfs`); None for any other, and where it cannot be told."""
    try:
        with open(mounts, encoding="utf-8", errors="surrogateescape") as table:
            lines = table.read().splitlines()
    except OSError:
        return None
    real, best, kind = os.path.realpath(path), "", ""
    for line in lines:
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        folder = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), fields[1])
        inside = real == folder or real.startswith(folder.rstrip("/") + "/")
        # of two mounts on one folder the later one is seen
        if inside and len(folder) >= len(best):
            best, kind = folder, fields[2]
    return kind if _NETWORK.match(kind) else None
