"""Which plugins are installed, read straight from the distributions' `entry_points.txt` files. Imports no plugin and keeps no cache.

Reading a few hundred small files takes 2-4 ms where importing `importlib.metadata` alone takes ten times as much.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import PathFinder
from typing import Any, Final, NamedTuple

from headrace_hookspecs.errors import PluginError

PREFIX: Final = "headrace."
LOCK_NAME: Final = "headrace.lock.json"
LOCK_VERSION: Final = 1

_SEPARATORS: Final = re.compile(r"[-_.]+")


class EntryPoint(NamedTuple):
    """What one distribution announces: `target` is `module:attribute`, `group` one of `headrace.*`."""

    group: str
    name: str
    target: str
    distribution: str
    version: str


class Index(NamedTuple):
    """All entry points of ours, sorted. `lock` is the file that they were frozen in, empty if they were read from the installation."""

    entries: tuple[EntryPoint, ...]
    lock: str = ""


def open_index(project: str, lock: str | None = None) -> Index:
    """The index of a project: from the lock file (`lock`, else `headrace.lock.json` in the project folder) if there is one.

    Relative paths start from `project`. A lock file that is named has to exist.
    """
    file = os.path.join(project, lock or LOCK_NAME)
    if lock or os.path.exists(file):
        return _thaw(file)
    return read_index()


def read_index(path: Sequence[str] | None = None) -> Index:
    """The entry points of what is installed on `path` (default: `sys.path`).

    Of several distributions with the same normalised name the first one on the path counts. Zip files on the path and foreign finders of
    distributions are left to importlib_metadata.
    """
    folders = list(dict.fromkeys(sys.path if path is None else path))
    found = None if _has_foreign_finder() else _scan(folders)
    return Index(tuple(sorted(_ask_importlib(folders) if found is None else found)))


def freeze(index: Index) -> dict[str, Any]:
    """The index as JSON for a lock file: nothing outside it is ever loaded while that exists."""
    return {"version": LOCK_VERSION, "plugins": [entry._asdict() for entry in sorted(index.entries)]}


def normalise(name: str) -> str:
    """The form in which names of distributions are compared."""
    return _SEPARATORS.sub("_", name).lower()


def _thaw(file: str) -> Index:
    try:
        with open(file, encoding="utf-8") as stream:
            data = json.load(stream)
        if data["version"] != LOCK_VERSION:
            raise ValueError(f"its version is {data['version']!r}, not {LOCK_VERSION}")
        entries = [EntryPoint(**plugin) for plugin in data["plugins"]]
        if not all(isinstance(value, str) for entry in entries for value in entry):
            raise ValueError("a field is no string")
    except (OSError, ValueError, LookupError, TypeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise PluginError(
            f"The plugin lock cannot be used: {reason}.",
            code="plugin-lock",
            file=file,
            remedy="Write it anew with `flow plugins lock`.",
        )
    return Index(tuple(sorted(entries)), file)


def _scan(folders: Sequence[str]) -> list[EntryPoint] | None:
    """What the folders hold; None where one is something else than a folder."""
    entries: list[EntryPoint] = []
    seen: set[str] = set()
    for folder in folders:
        if folder.lower().endswith(".egg"):
            return None
        try:
            with os.scandir(folder or ".") as listing:
                names = [item.name for item in listing if item.name.lower().endswith((".dist-info", ".egg-info"))]
        except NotADirectoryError:
            return None
        except OSError:
            continue
        for name in names:
            key = normalise(os.path.splitext(name)[0].partition("-")[0])
            if key not in seen:
                seen.add(key)
                entries.extend(_read(os.path.join(folder, name)))
    return entries


def _read(folder: str) -> Iterator[EntryPoint]:
    text = _text(os.path.join(folder, "entry_points.txt"))
    if PREFIX not in text:
        return
    fields: dict[str, str] = {}
    for line in (_text(os.path.join(folder, "METADATA")) or _text(os.path.join(folder, "PKG-INFO"))).splitlines():
        key, colon, value = line.partition(":")
        if not colon or {"Name", "Version"} <= fields.keys():
            break
        fields[key] = value.strip()
    name, _, rest = os.path.splitext(os.path.basename(folder))[0].partition("-")
    distribution, version = fields.get("Name", name), fields.get("Version", rest.partition("-")[0])
    group = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            group = line.strip("[]")
        elif group.startswith(PREFIX) and "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            yield EntryPoint(group, key.strip(), _target(value), distribution, version)


def _text(file: str) -> str:
    try:
        with open(file, "rb", buffering=0) as stream:
            return stream.read().decode("utf-8", "replace")
    except OSError:
        return ""


def _target(value: str) -> str:
    return "".join(value.partition("[")[0].split())


def _has_foreign_finder() -> bool:
    """Whether somebody else than Python's own finder (or its backport) can announce distributions."""
    for finder in sys.meta_path:
        kind = finder if isinstance(finder, type) else type(finder)
        known = finder is PathFinder or kind.__module__.startswith("importlib_metadata")
        if not known and hasattr(finder, "find_distributions"):
            return True
    return False


def _ask_importlib(folders: Sequence[str]) -> Iterator[EntryPoint]:
    import importlib_metadata

    seen: set[str] = set()
    for distribution in importlib_metadata.distributions(path=list(folders)):
        metadata = distribution.metadata
        name, version = (metadata.get("Name"), metadata.get("Version")) if metadata else (None, None)
        key = normalise(name or "")
        if not name or key in seen:
            continue
        seen.add(key)
        for point in distribution.entry_points:
            if point.group.startswith(PREFIX):
                yield EntryPoint(point.group, point.name, _target(point.value), name, version or "")
