"""Made-up distributions for tests: a dist-info folder, and a module with the code behind its entry points."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path


def install(
    site: Path,
    name: str,
    points: Mapping[str, Mapping[str, str]],
    *,
    version: str = "1.0",
    module: str = "",
    code: str = "",
    kind: str = "dist-info",
) -> None:
    """Write a distribution into the folder `site`: `points` is group -> name -> target, `code` the text of the module `module`."""
    info = site / f"{name.replace('-', '_')}-{version}.{kind}"
    info.mkdir(parents=True)
    (info / ("METADATA" if kind == "dist-info" else "PKG-INFO")).write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: Version: 9\n\nName: not this one\n"
    )
    lines = []
    for group, targets in points.items():
        lines += [f"[{group}]", *(f"{key} = {target}" for key, target in targets.items()), ""]
    if lines:
        (info / "entry_points.txt").write_text("\n".join(lines))
    if module:
        (site / f"{module}.py").write_text(textwrap.dedent(code))
