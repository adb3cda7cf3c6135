"""Where things are in this repository: distributions, their packages, their modules. Knows no law."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]


def read(path: Path) -> dict[str, Any]:
    """A TOML file."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def distributions() -> dict[str, Path]:
    """Folder relative to the root -> folder, of every member of the workspace."""
    members = read(ROOT / "pyproject.toml")["tool"]["uv"]["workspace"]["members"]
    found = (folder for pattern in members for folder in ROOT.glob(pattern) if (folder / "pyproject.toml").is_file())
    return {folder.relative_to(ROOT).as_posix(): folder for folder in sorted(found)}


def package(folder: Path) -> Path:
    """The one import package of a distribution."""
    (only,) = (path for path in (folder / "src").iterdir() if path.is_dir() and not path.name.endswith((".egg-info", "__pycache__")))
    return only


def module_names() -> set[str]:
    """The dotted paths of all modules of ours, without the bare word `headrace`, which is a name for much else."""
    names = set()
    for folder in distributions().values():
        top = package(folder)
        for path in top.rglob("*.py"):
            parts = path.relative_to(top.parent).with_suffix("").parts
            names.add(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return names - {"headrace"}


def sources() -> Iterator[Path]:
    """Every Python file of the repository that is ours to read: products, tests, tools, documentation."""
    for top in (".ci", "hookspecs", "core", "cli", "serializers", "plugins", "plugins-contrib", "tests", "docs"):
        yield from sorted((ROOT / top).rglob("*.py"))
    yield ROOT / "conftest.py"
