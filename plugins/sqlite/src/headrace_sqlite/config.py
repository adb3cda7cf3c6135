"""The section `[metadata.sqlite]`."""

from __future__ import annotations

import os

from attrs import frozen

from headrace_hookspecs.errors import ConfigError
from headrace_hookspecs.providers import ProviderContext

from .store import SqliteStore


@frozen
class SqliteConfig:
    """`path`: the file, from the project folder; made at the first write. `busy_timeout`: seconds to wait for another process's write."""

    path: str = ".headrace/metadata.sqlite"
    busy_timeout: float = 30.0


def open_store(config: SqliteConfig, context: ProviderContext) -> SqliteStore:
    """The store that the configuration describes. Raises ConfigError; does no I/O."""
    if not config.busy_timeout >= 0:
        raise ConfigError(f"metadata.sqlite.busy_timeout is {config.busy_timeout!r}; it has to be a number of seconds, 0 or more.")
    path = os.path.join(context.project, os.path.expanduser(config.path))
    return SqliteStore(os.path.normpath(path), busy_timeout=config.busy_timeout, say=context.say)
