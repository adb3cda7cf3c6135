"""Whether this process may be forked and the copy go on to run user code. Looks only at what is loaded already; imports nothing."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Container

FORK_UNSAFE = ("grpc", "jax", "tensorflow")
"""Libraries that keep threads or handles of their own from import on and do not survive a fork."""


def unfit_to_fork(own: Container[int] = ()) -> str | None:
    """Why a fork of this process would not be sound, as the end of a sentence; None if it is.

    Native threads of a BLAS do not count: they restart in the child. `own` are descriptors of sockets that are known to be harmless.
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
    if sockets := _open_sockets(own):
        return f"importing the flow opened a network connection (descriptor {sockets[0]})"
    return None


def _open_sockets(own: Container[int]) -> list[int]:
    """Sockets that this process opened. One that it inherited from its own parent is not close-on-exec and does not count."""
    found = []
    for folder in ("/proc/self/fd", "/dev/fd"):
        try:
            names = os.listdir(folder)
        except OSError:
            continue
        for fd in sorted(map(int, names)):
            if fd > 2 and fd not in own:
                try:
                    if stat.S_ISSOCK(os.fstat(fd).st_mode) and not os.get_inheritable(fd):
                        found.append(fd)
                except OSError:
                    continue  # the descriptor of the listing itself
        break
    return found
