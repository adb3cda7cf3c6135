"""Whether this process may be forked and the copy go on to run user code. Looks only at what is loaded already; imports nothing."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress

from .system import open_descriptors

FORK_UNSAFE = ("grpc", "jax", "tensorflow")
"""Libraries that keep threads or handles of their own from import on and do not survive a fork."""


def unfit_to_fork() -> str | None:
    """Why a fork of this process would not be sound, as the end of a sentence; None if it is.

    Native threads of a BLAS do not count: they restart in the child.
    """
    if (threading := sys.modules.get("threading")) is not None and threading.active_count() > 1:
        names = ", ".join(thread.name for thread in threading.enumerate() if thread is not threading.main_thread())
        return f"importing the flow started a thread ({names})"
    if (torch := sys.modules.get("torch")) is not None:
        cuda = getattr(torch, "cuda", None)
        if cuda is not None and cuda.is_initialized():
            return "importing the flow initialised CUDA"
    for name in FORK_UNSAFE:
        if name in sys.modules:
            return f"the flow imports {name}, which does not survive a fork"
    if (fd := _open_connection()) is not None:
        return f"importing the flow opened a network connection (descriptor {fd})"
    return None


def _open_connection() -> int | None:
    """The descriptor of a socket that this process opened to somewhere else.

    One that it inherited from its own parent is not close-on-exec and does not count; nor does a pair without names, which leads nowhere
    but to this process and its children (an event loop's, a launcher's).
    """
    for fd in open_descriptors():
        # a collection of garbage may close one at any moment
        with suppress(OSError):
            if fd > 2 and stat.S_ISSOCK(os.fstat(fd).st_mode) and not os.get_inheritable(fd) and _leads_elsewhere(fd):
                return fd
    return None


def _leads_elsewhere(fd: int) -> bool:
    import socket

    with socket.socket(fileno=os.dup(fd)) as connection:
        if connection.family != socket.AF_UNIX or connection.getsockname():
            return True
        try:
            return bool(connection.getpeername())
        except OSError:
            return False
