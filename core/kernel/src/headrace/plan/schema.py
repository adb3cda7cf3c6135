"""The kernel's own configuration keys, and which sections belong to plugins. Data only."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any, Final, NamedTuple


class Key(NamedTuple):
    """One key: the type of its value, the value where nobody says anything, what it means, and the least number that makes sense."""

    type: Any
    default: Any
    help: str
    minimum: float | None = None


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


KEYS: Final[Mapping[str, Key]] = {
    "datastore.name": Key(str, "files", "where bytes go"),
    "metadata.name": Key(str, "sqlite", "where the index of runs is kept"),
    "launcher.name": Key(str, "fork" if sys.platform == "linux" else "spawn", "how tasks are started where a step says nothing"),
    "serializers.allow_pickle": Key(bool, True, "whether values may be read and written by a serializer that can run code"),
    "serializers.order": Key(list[str], [], "serializers that are asked before all others"),
    "plugins.required": Key(list[str], [], "hooks plugins without which nothing may run"),
    "plugins.disable": Key(list[str], [], "plugins, entry points (`datastore.s3`) or distributions that are never imported"),
    "plugins.order": Key(list[str], [], "hooks plugins that come first; the others follow by name"),
    "plugins.prefer": Key(dict[str, dict[str, str]], {}, "kind -> name -> the distribution that wins where two claim the name"),
    "plugins.lock": Key(str | None, None, "file with the only plugins that may be used (default: headrace.lock.json, if it exists)"),
    "package.include": Key(list[str], ["*.py"], "files that travel with a flow that is deployed, as Git's patterns"),
    "package.image": Key(str | None, None, "image of the containers in which tasks run, with headrace and its plugins in it"),
    "run.max_workers": Key(int, _processors(), "tasks at the same time (default: the processors of this machine)", 1),
    "run.max_num_splits": Key(int, 1000, "the widest foreach", 1),
    "run.grace": Key(float, 5.0, "seconds between asking a task to end and ending it", 0),
    "run.with": Key(list[str], [], "decorators for every step, as `--with` writes them"),
    "limits.log_bytes": Key(int, 10 * 2**20, "bytes of output kept for one attempt", 1),
    "limits.attempts": Key(int, 100, "attempts of one task", 1),
    "limits.inline_value": Key(int, 16384, "bytes of an artifact that is kept in the record itself", 0),
    "limits.inline_total": Key(int, 131072, "bytes of all artifacts in one record", 0),
}

SECTIONS: Final = frozenset(
    {"card", "command", "datastore", "environment", "hooks", "launcher", "metadata", "orchestrator", "secrets", "serializers"}
)
"""`[KIND.NAME]` belongs to the plugin of that name, which alone knows its keys."""
