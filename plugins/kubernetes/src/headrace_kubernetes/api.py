"""The two settings whose parts have names of their own in the Kubernetes API: tolerations and security contexts. Pure.

Parts may be written as in Python (`toleration_seconds`) or as in a manifest (`tolerationSeconds`); they leave here as in a manifest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from .values import refuse

_TOLERATION: Final[Mapping[str, type]] = {"key": str, "operator": str, "value": str, "effect": str, "tolerationSeconds": int}
_CHOICES: Final = {"operator": ("Exists", "Equal"), "effect": ("NoSchedule", "PreferNoSchedule", "NoExecute")}
_SECURITY: Final[Mapping[str, type]] = {
    "privileged": bool,
    "allowPrivilegeEscalation": bool,
    "readOnlyRootFilesystem": bool,
    "runAsUser": int,
    "runAsGroup": int,
    "runAsNonRoot": bool,
}
_WORDS: Final[Mapping[type, str]] = {str: "text", int: "a whole number", bool: "true or false"}


def tolerations(value: Any) -> tuple[dict[str, Any], ...] | None:
    """A list of tolerations, each with `key`, `operator`, `value`, `effect` and `toleration_seconds`, all of them optional."""
    if value is None:
        return None
    if isinstance(value, (str, Mapping)) or not isinstance(value, Sequence):
        raise refuse(f"tolerations={value!r} is no list.", 'Write tolerations=[{"key": "gpu", "operator": "Exists"}].')
    return tuple(_toleration(item) for item in value)


def security_context(value: Any) -> dict[str, Any] | None:
    """The security context of the container."""
    return None if value is None else _parts("security_context", value, _SECURITY)


def _toleration(value: Any) -> dict[str, Any]:
    found = _parts("tolerations", value, _TOLERATION)
    for part, known in _CHOICES.items():
        if part in found and found[part] not in known:
            raise refuse(f"tolerations: {part}={found[part]!r} is not known.", f"Write one of {', '.join(known)}.")
    if found.get("operator") == "Exists" and "value" in found:
        raise refuse("tolerations: operator='Exists' goes with no value.", "Leave the value out, or write operator='Equal'.")
    if "key" not in found and found.get("operator") != "Exists":
        raise refuse("tolerations: one has no key.", "Only operator='Exists' may do without: it tolerates everything.")
    if "tolerationSeconds" in found and found.get("effect") != "NoExecute":
        raise refuse("tolerations: toleration_seconds goes with effect='NoExecute' only.", "Leave one of the two out.")
    return found


def _parts(name: str, value: Any, known: Mapping[str, type]) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise refuse(f"{name}: {value!r} is no mapping.", f"It may have {', '.join(known)}.")
    found: dict[str, Any] = {}
    for written, item in value.items():
        part = _camel(str(written))
        if part not in known:
            raise refuse(f"{name}: {written!r} is unknown.", f"It may have {', '.join(known)}.")
        if part in found:
            raise refuse(f"{name}: {part} is given twice.", "Give it once.")
        if type(item) is not known[part] or (type(item) is int and item < 0):
            raise refuse(f"{name}: {written}={item!r} has to be {_WORDS[known[part]]}.", f"Correct the value of {written}.")
        found[part] = item
    return found


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)
