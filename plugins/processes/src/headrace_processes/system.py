"""What the operating system offers beyond the standard library: death with the parent, adoption of orphans, counts of out-of-memory kills.

Linux only where it matters; elsewhere each of these does nothing, and says so by its return value. Knows no attempt.
"""

from __future__ import annotations

import os
import signal
import sys
import warnings
from collections.abc import Iterator

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


class Libc:
    """The few C functions that a zygote and its children call, loaded once so that a child after the fork imports nothing."""

    __slots__ = ("_lib",)

    def __init__(self) -> None:
        import ctypes

        self._lib = ctypes.CDLL(None)

    def die_with_parent(self, parent: int, number: signal.Signals) -> None:
        """Have this process get `number` when `parent` dies; end at once if it is gone already."""
        if sys.platform == "linux":
            self._lib.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    def adopt_orphans(self) -> None:
        """Become the parent of every descendant whose own parent ends, daemons too."""
        if sys.platform == "linux":
            self._lib.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def flush(self) -> None:
        """Write out what C code has printed and not flushed."""
        self._lib.fflush(None)


def fork() -> int:
    """`os.fork` without the warning that native threads (of a BLAS) bring: they restart in the child, Python threads were ruled out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def signal_group(pid: int, number: int) -> None:
    """Signal the process group that `pid` leads, or `pid` alone while it has not made its group yet. Neither there any more: fine."""
    for send in (os.killpg, os.kill):
        try:
            send(pid, number)
        except ProcessLookupError:
            continue
        except PermissionError:
            pass
        return


def open_descriptors() -> list[int]:
    """The descriptors of this process, sorted."""
    with os.scandir("/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd") as entries:
        found = sorted(int(entry.name) for entry in entries)
    # the listing's own is closed by now
    return [fd for fd in found if _is_open(fd)]


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def children_of(parent: int) -> Iterator[int]:
    """The processes whose parent is `parent`, by a look at `/proc`; none where there is no `/proc`."""
    try:
        names = os.listdir("/proc")
    except OSError:
        return
    for name in names:
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    # the name in parentheses may hold anything; state and parent follow the last one
                    fields = file.read().rpartition(b")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == parent:
                yield int(name)


class OomKills:
    """Out-of-memory kills in this process's memory control group since the object was made. Nothing readable: none.

    `path` is the group's `memory.events` (version 2) or `memory.oom_control` (version 1); found by itself where not given.
    """

    __slots__ = ("_claimed", "_path")

    def __init__(self, path: str | None = None) -> None:
        self._path = path or next((path for path in _event_files() if os.access(path, os.R_OK)), None)
        self._claimed = self._count()

    def claim(self) -> bool:
        """Whether there was a kill that no earlier call has claimed."""
        if self._count() <= self._claimed:
            return False
        self._claimed += 1
        return True

    def _count(self) -> int:
        if self._path is None:
            return 0
        try:
            with open(self._path) as file:
                return sum(int(line.split()[1]) for line in file if line.startswith("oom_kill "))
        except OSError:
            return 0


def _event_files() -> Iterator[str]:
    """Where the count may be: control groups version 2 and 1, under the group's own path and, in a container, at the root."""
    try:
        with open("/proc/self/cgroup") as file:
            groups = [line.rstrip("\n").split(":", 2) for line in file]
    except OSError:
        return
    for _, controllers, path in groups:
        if not controllers:
            yield f"/sys/fs/cgroup{path.rstrip('/')}/memory.events"
            yield "/sys/fs/cgroup/memory.events"
        elif "memory" in controllers.split(","):
            yield f"/sys/fs/cgroup/memory{path.rstrip('/')}/memory.oom_control"
            yield "/sys/fs/cgroup/memory/memory.oom_control"
