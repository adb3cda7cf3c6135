"""`merge_artifacts`: which artifacts of a join's inputs agree, and which the user has to decide about."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from headrace_hookspecs.errors import HeadraceError

from .inputs import InputView


class MergeConflictError(HeadraceError):
    """Inputs disagree on artifacts, or a wanted one is missing; `artifact_names` lists them."""

    code = "merge-conflict"

    def __init__(self, message: str, artifact_names: Sequence[str] = (), **where: Any) -> None:
        super().__init__(message, **where)
        self.artifact_names = list(artifact_names)


def merge(
    inputs: Sequence[InputView], resolved: Collection[str], exclude: Collection[str], include: Collection[str]
) -> dict[str, InputView]:
    """For each name to merge, an input that holds its value.

    `resolved` are the names that `self` answers already. Values agree when their stored bytes do, else when they are equal. Raises
    MergeConflictError, listing every name in conflict, before anything is merged.
    """
    if exclude and include:
        raise MergeConflictError("merge_artifacts takes either include or exclude, not both.", code="merge-usage")
    holders: dict[str, list[InputView]] = {}
    for view in inputs:
        for name in view._reader.names():
            wanted = name in include if include else name not in exclude
            if wanted and name not in resolved:
                holders.setdefault(name, []).append(view)
    conflicts = [name for name, views in holders.items() if not _agree(name, views)]
    if conflicts:
        listed = ", ".join(sorted(conflicts))
        raise MergeConflictError(
            f"The inputs disagree on {listed}.",
            sorted(conflicts),
            remedy="Assign each of them in the join before merge_artifacts(), or name it in exclude=[...].",
        )
    missing = sorted(name for name in include if name not in holders and name not in resolved)
    if missing:
        raise MergeConflictError(f"No input has {', '.join(missing)}.", missing, code="merge-missing")
    return {name: views[0] for name, views in holders.items()}


def _agree(name: str, views: Sequence[InputView]) -> bool:
    first = views[0]
    return all(first._reader.same(name, view._reader) or _equal(first.artifact(name), view.artifact(name)) for view in views[1:])


def _equal(left: Any, right: Any) -> bool:
    """Equality that also understands arrays: a comparison that is no bool counts as equal when all of it is."""
    if type(left) is not type(right):
        return False
    try:
        answer = left == right
        if isinstance(answer, bool):
            return answer
        return bool(answer.all()) if getattr(answer, "shape", None) == getattr(left, "shape", ()) else False
    except Exception:  # noqa: BLE001 - the values' own code; one that cannot be compared differs
        return False
