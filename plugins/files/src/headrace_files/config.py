"""The section `[datastore.files]`."""

from __future__ import annotations

import os

from attrs import frozen

from headrace_hookspecs.errors import ConfigError

from .store import FileStore


@frozen
class FilesConfig:
    """`root`: the directory, from the project folder; made at the first write.

    `fsync`: have every write on the disk before it counts as done, so that it survives a power cut and not only a crash; slower.
    `umask`: octal digits, such as "007" for a directory that a group shares; empty is the process's own.
    """

    root: str = ".headrace"
    fsync: bool = False
    umask: str = ""


def open_store(config: FilesConfig, project: str) -> FileStore:
    """The store that the configuration describes. Raises ConfigError; does no I/O."""
    try:
        umask = int(config.umask, 8) if config.umask else None
    except ValueError:
        umask = -1
    if umask is not None and not 0 <= umask <= 0o777:
        raise ConfigError(f"datastore.files.umask is {config.umask!r}; it has to be octal digits.", remedy='Write "007" or "022".')
    root = os.path.join(project, os.path.expanduser(config.root))
    return FileStore(os.path.normpath(root), fsync=config.fsync, umask=umask)
