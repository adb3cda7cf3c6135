"""Lets root be bound by the modes of files, as everybody else is, so that no test is left out where the machine runs all as root.

Linux keeps root's power over files in two capabilities. A process that gave them up is still root otherwise: it owns its files and reaches
its interpreter, wherever that is installed.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from typing import Any

_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1, 2
_PR_SET_NO_NEW_PRIVS = 38
_VERSION_3 = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    """32 capabilities; the kernel takes two of these."""

    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def absence() -> str | None:
    """Why tests about the modes of files cannot be run here, or None if they can."""
    if os.geteuid() == 0 and not sys.platform.startswith("linux"):
        return "root cannot give up its rights over files on this system"
    return None


def obey_file_modes() -> None:
    """Bind this process and all that it starts to the modes of files, for good. Raises OSError where the system does not allow that."""
    if os.geteuid() != 0:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    _checked(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))  # or a program that root starts would have them again
    header, sets = _Header(_VERSION_3, 0), (_Sets * 2)()
    _checked(libc.capget(ctypes.byref(header), sets))
    kept = ~(1 << _CAP_DAC_OVERRIDE | 1 << _CAP_DAC_READ_SEARCH)
    for name in ("effective", "permitted", "inheritable"):
        setattr(sets[0], name, getattr(sets[0], name) & kept)
    _checked(libc.capset(ctypes.byref(header), sets))


def _checked(status: int) -> None:
    if status != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def unprivileged(work: Callable[[], Any]) -> Any:
    """The result of `work`, which has to be JSON, from a process of its own that obeys the modes of files."""
    from headrace_testkit.processes import in_processes

    def child() -> Any:
        obey_file_modes()
        return work()

    return in_processes([child])[0]
