"""The runtime closure: which distributions a task needs, locked by version, and what an interpreter lacks of them.

`locked` reads metadata of what is installed here; `difference` reads names of folders only, as it runs at the start of every remote task.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Final

from headrace_hookspecs.errors import PluginError

_INFO: Final = (".dist-info", ".egg-info")


def locked(roots: Iterable[str]) -> list[tuple[str, str]]:
    """(name, version) of the distributions `roots` and of all that they require here, sorted. Raises PluginError for one that is missing."""
    from importlib_metadata import PackageNotFoundError, distribution
    from packaging.requirements import Requirement

    found: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(root, "") for root in roots]
    while waiting:
        name, extra = waiting.pop()
        if (_normal(name), extra) in seen:
            continue
        seen.add((_normal(name), extra))
        try:
            here = distribution(name)
        except PackageNotFoundError:
            raise PluginError(f"{name} is needed by the tasks and is not installed.", remedy=f"pip install {name}") from None
        found[_normal(name)] = here.version
        for requirement in map(Requirement, here.requires or ()):
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                waiting += [(requirement.name, wanted) for wanted in ("", *requirement.extras)]
    return sorted(found.items())


def difference(wanted: Iterable[tuple[str, str]], path: Sequence[str] | None = None) -> list[str]:
    """What is not installed as `wanted` says, a line each; empty where all is. `path` is `sys.path` where not given."""
    here: dict[str, str] = {}
    for folder in sys.path if path is None else path:
        try:
            names = [entry for entry in os.listdir(folder or ".") if entry.endswith(_INFO)]
        except OSError:
            continue
        for entry in names:
            name, _, version = entry.rpartition(".")[0].partition("-")
            here.setdefault(_normal(name), version)
    lines = []
    for name, version in wanted:
        found = here.get(_normal(name))
        if found is None:
            lines.append(f"{name} {version} is missing")
        elif found != version:
            lines.append(f"{name} is {found}, {version} was locked")
    return lines


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
