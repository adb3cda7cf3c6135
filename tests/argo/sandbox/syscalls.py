"""The system calls that Python's standard library lacks on the oldest supported version: namespaces, mounts, the loopback interface."""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import socket
import struct

NEWNS, NEWUTS, NEWIPC, NEWPID, NEWNET = 0x00020000, 0x04000000, 0x08000000, 0x20000000, 0x40000000
RDONLY, NOSUID, REMOUNT, BIND, REC, PRIVATE = 0x1, 0x2, 0x20, 0x1000, 0x4000, 0x40000
_DETACH = 2
_SET_PDEATHSIG = 1
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_MOUNT_SETATTR = 442
_SIOCSIFFLAGS, _UP_AND_RUNNING = 0x8914, 0x41

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    """Leave namespaces for new ones; a new PID namespace is that of the next child."""
    _checked(_libc.unshare(flags), "unshare")


def mount(source: str, target: str, kind: str | None = None, flags: int = 0, options: str = "") -> None:
    """Mount a file system."""
    words = [each if each is None else each.encode() for each in (source, target, kind)]
    _checked(_libc.mount(*words, ctypes.c_ulong(flags), options.encode()), f"mount {source} on {target}")


def read_only(target: str) -> None:
    """Make a mount read-only, and all below it."""
    attributes = struct.pack("=QQQQ", RDONLY, 0, 0, 0)
    result = _libc.syscall(_MOUNT_SETATTR, _AT_FDCWD, target.encode(), _AT_RECURSIVE, attributes, ctypes.c_size_t(len(attributes)))
    _checked(result, f"mount_setattr {target}")


def become_root(path: str) -> None:
    """Make the mount at `path` the root of the file system, and let go of the old one."""
    os.chdir(path)
    _checked(_libc.syscall(_PIVOT_ROOT[os.uname().machine], b".", b"."), f"pivot_root {path}")
    _checked(_libc.umount2(b".", _DETACH), "umount of the old root")
    os.chdir("/")


def die_with_parent() -> None:
    """Be killed when the parent ends."""
    _checked(_libc.prctl(_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL), 0, 0, 0), "prctl")


def loopback_up() -> None:
    """Bring up `lo` in this network namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _UP_AND_RUNNING))


def set_host_name(name: str) -> None:
    """The name of this machine in its namespace."""
    _checked(_libc.sethostname(name.encode(), ctypes.c_size_t(len(name.encode()))), "sethostname")
