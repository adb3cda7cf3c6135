"""Whether a value is plain: made of nothing but the exact types that come back as they were. Pure, no recursion, C speed for flat containers."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

ATOMS: Final = frozenset({type(None), bool, int, float, str, bytes})
CONTAINERS: Final = frozenset({list, tuple, dict, set, frozenset})
_FROZEN: Final = frozenset({tuple, frozenset})

DEEPEST: Final = 100
"""Containers inside each other; deeper values are left to others."""


def kinds_inside(value: object) -> set[type]:
    """The types of everything inside a plain value, itself not counted. Raises TypeError, saying why, for a value that is not plain.

    A list, dict or set that is reached twice is not plain either: two equal copies would come back where there was one.
    """
    every: set[type] = set()
    kind = type(value)
    if kind in ATOMS:
        return every
    _refuse_foreign({kind})
    seen: set[int] = set()
    level: list[Any] = [value]
    for _ in range(DEEPEST):
        below: list[Any] = []
        for container in level:
            kind = type(container)
            parts: Collection[Any] = container if kind is not dict else [*container.keys(), *container.values()]
            kinds = set(map(type, parts)) - ATOMS
            every |= kinds
            if kinds:
                _refuse_foreign(kinds)
                below.extend(part for part in parts if type(part) in kinds)
            if kinds or kind not in _FROZEN:
                if id(container) in seen:
                    raise TypeError(f"a {kind.__name__} is in it twice")
                seen.add(id(container))
        if not below:
            return every
        level = below
    raise TypeError(f"it is more than {DEEPEST} levels deep")


def _refuse_foreign(kinds: set[type]) -> None:
    foreign = kinds - CONTAINERS
    if foreign:
        raise TypeError(f"{', '.join(sorted(kind.__qualname__ for kind in foreign))} is no plain type")
