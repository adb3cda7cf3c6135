"""The run record: everything about a run that is known before its first task. Written once, never changed; JSON."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from headrace_hookspecs import FlowGraph

from ..graph.codec import graph_to_json

FORMAT: Final = 1
_MOST_FILES, _LARGEST_FILE = 500, 1 << 20


def make_record(
    graph: FlowGraph,
    run: str,
    *,
    created: float,
    user: str,
    parameters: Mapping[str, Any],
    config: Mapping[str, Any],
    project: str,
    source: Mapping[str, Any],
    tags: Sequence[str],
    plugins: Sequence[Mapping[str, str]],
    version: str,
    origin: str | None,
    reuse: Any,
) -> dict[str, Any]:
    """The record as a JSON object; its fields are those of docs/adr/0007."""
    python = ".".join(map(str, sys.version_info[:3]))
    record = {
        "format": FORMAT,
        "flow": graph.name,
        "run": run,
        "created": created,
        "user": user,
        "graph": graph_to_json(graph),
        "parameters": dict(parameters),
        "config": dict(config),
        "project": project,
        "source": dict(source),
        "tags": sorted(tags),
        "system_tags": sorted([f"user:{user}", f"headrace_version:{version}", f"python_version:{python}"]),
        "plugins": list(plugins),
        "versions": {"headrace": version, "python": python, "platform": sys.platform},
    }
    if origin is not None:
        record["origin"] = origin
        record["reuse"] = reuse
    return record


def sources(file: str) -> dict[str, bytes]:
    """The flow file and the modules imported from its folder: path relative to that folder -> content.

    Packages installed below the folder (a virtual environment) are left out, as are files that cannot be read.
    """
    folder = os.path.dirname(os.path.abspath(file))
    found: dict[str, bytes] = {}
    for path in [os.path.abspath(file), *_module_files(folder + os.sep)]:
        if "site-packages" not in path and path.endswith(".py") and len(found) < _MOST_FILES:
            name = os.path.relpath(path, folder).replace(os.sep, "/")
            try:
                if name not in found and os.path.getsize(path) <= _LARGEST_FILE:
                    with open(path, "rb") as stream:
                        found[name] = stream.read()
            except OSError:
                continue
    return found


def digests(files: Mapping[str, bytes]) -> dict[str, str]:
    """Path -> sha256 of the content, in hexadecimal."""
    return {path: hashlib.sha256(content).hexdigest() for path, content in sorted(files.items())}


def user_name(environ: Mapping[str, str]) -> str:
    """Who runs: HEADRACE_USER, SUDO_USER, USERNAME, USER, else the operating system's answer, else `unknown`."""
    for name in ("HEADRACE_USER", "SUDO_USER", "USERNAME", "USER", "LOGNAME"):
        if environ.get(name):
            return environ[name]
    try:
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):
        return "unknown"


def _module_files(folder: str) -> Iterable[str]:
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None)
        # most modules are elsewhere, and their paths absolute
        if isinstance(path, str) and (path.startswith(folder) or not os.path.isabs(path)):
            path = os.path.abspath(path)
            if path.startswith(folder):
                yield path
