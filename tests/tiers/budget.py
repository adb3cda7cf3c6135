"""Reads `tests/budget.toml`. Knows what a tier and a suite are, and not how one is run."""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_Table = TypeVar("_Table", "Tier", "Suite")


class BudgetError(Exception):
    """`tests/budget.toml` says something that cannot be carried out; the message says what and where."""


@dataclass(frozen=True)
class Tier:
    """One size of test run. `minutes` is what it should take, `hard_minutes` what fails it."""

    name: str
    minutes: float
    hard_minutes: float
    markers: str
    examples: int
    seeds: int
    random: bool
    suites: tuple[str, ...]


@dataclass(frozen=True)
class Suite:
    """One line of the closing table: either commands, or pytest over `paths`, here or on every other Python."""

    name: str
    paths: tuple[str, ...] = ()
    commands: tuple[tuple[str, ...], ...] = ()
    pythons: bool = False


@dataclass(frozen=True)
class Budget:
    """The whole file."""

    tiers: dict[str, Tier]
    suites: dict[str, Suite]

    def of(self, name: str) -> tuple[Tier, list[Suite]]:
        """The tier of that name and its suites in order. Raises BudgetError."""
        if name not in self.tiers:
            raise BudgetError(f"there is no tier {name!r}; there are: {', '.join(self.tiers)}")
        tier = self.tiers[name]
        missing = [suite for suite in tier.suites if suite not in self.suites]
        if missing:
            raise BudgetError(f"[tiers.{name}] names suites that are not described: {', '.join(missing)}")
        return tier, [self.suites[suite] for suite in tier.suites]


def load(root: Path) -> Budget:
    """The budget of the tree at `root`, every path in it checked. Raises BudgetError."""
    path = root / "tests" / "budget.toml"
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    try:
        return Budget(
            tiers={name: _build(Tier, name, table) for name, table in document["tiers"].items()},
            suites={name: _suite(root, name, table) for name, table in document["suites"].items()},
        )
    except (BudgetError, TypeError, KeyError) as error:
        raise BudgetError(f"{path}: {error}") from error


def _suite(root: Path, name: str, table: dict[str, Any]) -> Suite:
    suite = _build(Suite, name, table)
    if bool(suite.paths) == bool(suite.commands):
        raise BudgetError(f"[suites.{name}] needs either paths or commands")
    absent = [path for path in suite.paths if not (root / path).exists()]
    if absent:
        raise BudgetError(f"[suites.{name}] names paths that are not there: {', '.join(absent)}")
    return suite


def _build(kind: type[_Table], name: str, table: dict[str, Any]) -> _Table:
    unknown = set(table) - {field.name for field in fields(kind)}
    if unknown:
        raise BudgetError(f"[{name}] has unknown keys: {', '.join(sorted(unknown))}")
    return kind(name=name, **{key: _frozen(value) for key, value in table.items()})


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
