"""The components a test can need beyond Python and the locked packages, and how each is found. Standard library only."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from . import pythons


def absence(component: str) -> str | None:
    """Why the component cannot be used on this machine, or None if it can. Raises LookupError for a name nobody knows."""
    if component not in PROBES:
        raise LookupError(f"no component is called {component!r}; there are: {', '.join(PROBES)}")
    return PROBES[component]()


def required(environment: Mapping[str, str] = os.environ) -> list[str]:
    """What HEADRACE_REQUIRE names: the components without which a test run has failed."""
    return [name.strip() for name in environment.get("HEADRACE_REQUIRE", "").split(",") if name.strip()]


def _git() -> str | None:
    return None if shutil.which("git") else "no git on PATH"


def _other_python() -> str | None:
    own = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return None if pythons.others(own) else f"found only Python {own}"


def _root() -> str | None:
    return None if os.geteuid() == 0 else "not run as root"


def _ordinary_user() -> str | None:
    return None if os.geteuid() != 0 else "run as root"


def _memory_cgroup() -> str | None:
    """A control group with a memory limit, of version 2 or 1, made and removed again."""
    for root, limit in ((Path("/sys/fs/cgroup"), "memory.max"), (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes")):
        try:
            made = Path(tempfile.mkdtemp(prefix="headrace-probe-", dir=root))
        except OSError:
            continue
        try:
            if (made / limit).exists():
                return None
        finally:
            made.rmdir()
    return "cannot make a control group with a memory limit"


PROBES: Mapping[str, Callable[[], str | None]] = {
    "git": _git,
    "memory-cgroup": _memory_cgroup,
    "mount": _mount,
    "ordinary-user": _ordinary_user,
    "other-python": _other_python,
    "root": _root,
    "strace": _strace,
    "type-checkers": _type_checkers,
}
