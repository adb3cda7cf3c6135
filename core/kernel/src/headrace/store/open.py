"""From a name in the configuration to a provider: loads exactly what was chosen, with its own section of the configuration."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from headrace_hookspecs.errors import HeadraceError, PluginError
from headrace_hookspecs.providers import ProviderContext

if TYPE_CHECKING:
    from ..host.registry import Registry
    from ..plan.config import Config


def create(
    group: str, name: str, section: str, registry: Registry, config: Config, *, flow: str = "", say: Callable[[str], None] | None = None
) -> Any:
    """The provider `name` of a group, made from its section of the configuration. `say` prints a line of information for the user.

    Raises PluginError, naming the distribution, where the provider cannot be made; its own HeadraceErrors pass.
    """
    plugin = registry.load(group, name)
    try:
        settings = plugin.config_class()
        chosen = None if settings is None else config.structure(settings, section)
        return plugin.create(chosen, ProviderContext(config.project, flow, os.environ, say or _say))
    except HeadraceError:
        raise
    except Exception as error:  # a foreign provider may fail in any way; its name is told
        entry = registry.entry(group, name)
        full = isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE)
        raise PluginError(
            f"{group.rpartition('.')[2]} {name!r} of {entry.distribution} {entry.version} cannot be made: {type(error).__name__}: {error}",
            code="too-many-files" if full else "plugin-broken",
            remedy="Raise the limit of open files (ulimit -n)." if full else None,
        ) from error


def _say(line: str) -> None:
    print(line, file=sys.stderr)
