"""Where the tutorials are: inside the installed package, or in the folder `docs/tutorials` of a checkout."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Tutorial(NamedTuple):
    """A folder with a flow, named such as `01-penguins`, and what it is about in one line."""

    name: str
    folder: Path
    title: str


def find_tutorials() -> list[Tutorial]:
    """All tutorials, by name."""
    here = Path(__file__).resolve()
    packaged, checkout = here.with_name("tutorials_data"), here.parents[3] / "docs" / "tutorials"
    root = packaged if packaged.is_dir() else checkout
    if not root.is_dir():
        return []
    return [Tutorial(folder.name, folder, _title(folder)) for folder in sorted(root.iterdir()) if any(folder.glob("*.py"))]


def _title(folder: Path) -> str:
    """The first heading of the README, without its marks."""
    try:
        lines = (folder / "README.md").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.lstrip("# ").strip() for line in lines if line.startswith("#")), "")
