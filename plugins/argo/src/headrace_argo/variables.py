"""Argo's variables in which tasks find what only the engine knows, and text that must not be taken for one. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

_STAMP: Final = "workflow.creationTimestamp"

RUN: Final = (
    "".join(f"{{{{{_STAMP}.{part}}}}}" for part in "Ymd")
    + "-"
    + "".join(f"{{{{{_STAMP}.{part}}}}}" for part in "HMS")
    + "000-{{workflow.name}}"
)
"""The id of a run: its workflow's birth to the second (controllers live in UTC) and its workflow's name. Sorts by time, unique, readable."""

PARAMETERS: Final = "{{=toBase64(workflow.parameters.json)}}"
"""All parameters of a run: a JSON list of objects with `name` and `value`, as base64.

Nobody on the way reads anything into that: Argo would write a plain variable into a pod with the escapes of Go, which are not always those
of JSON, and look into it for variables of its own; Kubernetes would take `$(NAME)` for a reference and make `$$` a `$`.
"""

INDEX: Final = "{{inputs.parameters.index}}"
ITEM: Final = "{{item}}"
RETRIES: Final = "{{retries}}"
STATUS: Final = "{{workflow.status}}"


def size_of(task: str) -> str:
    """How many elements the foreach step that runs as `task` fans out over."""
    return f"{{{{tasks.{task}.outputs.parameters.size}}}}"


def tagged(value: Any, path: str = "") -> str | None:
    """The path of the first text below `value` that holds `{{`, which has no escape in Argo; None where there is none."""
    if isinstance(value, str):
        return path if "{{" in value else None
    items: Sequence[tuple[Any, Any]] = ()
    if isinstance(value, Mapping):
        items = list(value.items())
    elif isinstance(value, (list, tuple)):
        items = list(enumerate(value))
    for key, item in items:
        below = f"{path}[{key}]" if isinstance(key, int) else f"{path}.{key}".lstrip(".")
        found = below if isinstance(key, str) and "{{" in key else tagged(item, below)
        if found is not None:
            return found
    return None
