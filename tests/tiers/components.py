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


def _rados() -> str | None:
    """What a RADOS gateway consists of; the test kit starts it."""
    missing = [program for program in ("ceph", "ceph-mon", "ceph-osd", "radosgw", "radosgw-admin") if not shutil.which(program)]
    return f"no {', no '.join(missing)} on PATH" if missing else None


def _root() -> str | None:
    return None if os.geteuid() == 0 else "not run as root"


def _ordinary_user() -> str | None:
    return None if os.geteuid() != 0 else "run as root"


def _memory_cgroup() -> str | None:
    """A cgroup with a memory limit (`memory.max` in version 2, `memory.limit_in_bytes` in version 1), made and removed again."""
    root = Path("/sys/fs/cgroup")
    if not (root / "cgroup.controllers").is_file():
        root /= "memory"
    try:
        made = Path(tempfile.mkdtemp(prefix="headrace-probe-", dir=root))
    except OSError as error:
        return f"cannot make a cgroup: {error.strerror}"
    try:
        limits = ("memory.max", "memory.limit_in_bytes")
        return None if any((made / name).exists() for name in limits) else "cgroups here have no memory limit"
    finally:
        made.rmdir()


def _mount() -> str | None:
    """A file system in memory, mounted in a mount namespace of its own that ends with the probe."""
    command = ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"]
    try:
        tried = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except OSError as error:
        return f"cannot run unshare: {error.strerror}"
    return None if tried.returncode == 0 else tried.stderr.strip() or "mounting is refused"


def _namespaces() -> str | None:
    """What a pod gets that runs on this machine: namespaces for mounts, processes, network, IPC and host name."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "not run as root on Linux"
    command = ["unshare", "--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--mount-proc", "true"]
    try:
        tried = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except OSError as error:
        return f"cannot run unshare: {error.strerror}"
    return None if tried.returncode == 0 else tried.stderr.strip() or "namespaces are refused"


def _strace() -> str | None:
    """strace, allowed to trace, and new enough (5.0) to make system calls fail."""
    command = ["strace", "-f", "-o", os.devnull, "-e", "inject=fsync:error=EIO:when=1", sys.executable, "-Ic", ""]
    try:
        tried = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except OSError as error:
        return f"cannot run strace: {error.strerror}"
    return None if tried.returncode == 0 else tried.stderr.strip() or "it cannot trace"


def _type_checkers() -> str | None:
    missing = [name for name in ("mypy", "pyright") if not Path(sys.executable).with_name(name).exists()]
    return f"no {' and no '.join(missing)} beside this Python" if missing else None


PROBES: Mapping[str, Callable[[], str | None]] = {
    "git": _git,
    "memory-cgroup": _memory_cgroup,
    "mount": _mount,
    "namespaces": _namespaces,
    "ordinary-user": _ordinary_user,
    "other-python": _other_python,
    "rados": _rados,
    "root": _root,
    "strace": _strace,
    "type-checkers": _type_checkers,
}
