"""The Pythons on this machine that headrace supports. Knows where to look and nothing of environments; standard library only."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

SUPPORTED = ("3.10", "3.11", "3.12", "3.13")


def others(own: str) -> dict[str, str]:
    """Version ("3.12") to executable, one for each supported version but `own`, in ascending order."""
    found: dict[str, str] = {}
    for version, executable in _candidates():
        if version != own and version not in found and _answers(executable, version):
            found[version] = executable
    return {version: found[version] for version in SUPPORTED if version in found}


def _candidates() -> Iterator[tuple[str, str]]:
    """Pythons made by pyenv, the newest patch first, then those on PATH."""
    for root in (os.environ.get("PYENV_ROOT"), os.path.expanduser("~/.pyenv")):
        for folder in sorted(_folders(root), key=_patch, reverse=True):
            match = re.fullmatch(r"(3\.\d+)\.\d+", folder.name)
            if match and match[1] in SUPPORTED:
                yield match[1], str(folder / "bin" / f"python{match[1]}")
    for version in SUPPORTED:
        on_path = shutil.which(f"python{version}")
        if on_path:
            yield version, on_path


def _folders(pyenv_root: str | None) -> list[Path]:
    """What pyenv has installed; nothing where it is not there or belongs to somebody else."""
    try:
        return list(Path(pyenv_root, "versions").iterdir()) if pyenv_root else []
    except OSError:
        return []


def _patch(folder: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in folder.name.split(".") if part.isdigit())


def _answers(executable: str, version: str) -> bool:
    """Whether the program runs and is that version: a shim of pyenv may be there without a Python behind it."""
    ask = [executable, "-Ic", "import sys; print('%d.%d' % sys.version_info[:2])"]
    try:
        answer = subprocess.run(ask, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and answer.stdout.strip() == version


if __name__ == "__main__":
    for each, path in others(own="").items():
        print(f"Python {each}: {path}")
