"""Server processes: free ports, waiting until a port answers, and an end that leaves nothing. Knows no service."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from . import ServerError

_POLL: Final = 0.05  # seconds between two looks

_TIED: Final = """
import ctypes, os, signal, sys
parent, *command = sys.argv[1:]
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != int(parent):
        sys.exit("the parent was gone before the signal was asked for")
os.execvp(command[0], command)
"""


def free_ports(count: int = 1) -> list[int]:
    """Loopback ports that nobody uses now, all different."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@contextmanager
def running(command: Sequence[str | Path], log: Path, environ: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a group of its own, its output in the file `log`. At the end the whole group gets SIGTERM, then SIGKILL.

    On Linux it dies with the thread that started it.
    """
    # an interpreter between asks for the death signal: a function to do that after the fork is not safe beside threads
    tied = (sys.executable, "-ISc", _TIED, str(os.getpid()), *map(str, command))
    with log.open("ab") as output:
        process = subprocess.Popen(
            tied,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=None if environ is None else dict(environ),
            start_new_session=True,
        )
    try:
        yield process
    finally:
        _end(process)


def await_port(port: int, process: subprocess.Popen[bytes], log: Path, seconds: float = 60.0) -> None:
    """Wait until something accepts connections on the loopback port. Raises ServerError if the process ends first, or after `seconds`."""

    def answers() -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", port)) == 0

    await_true(answers, process, log, seconds)


def await_true(happened: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, seconds: float = 60.0) -> None:
    """Wait until `happened()`. Raises ServerError if the process ends first, or after `seconds`."""
    deadline = time.monotonic() + seconds
    while not happened():
        if process.poll() is not None:
            raise ServerError(f"{_name(process)} ended with status {process.returncode}:\n{tail(log)}")
        if time.monotonic() > deadline:
            raise ServerError(f"{_name(process)} is not there after {seconds:.0f} seconds:\n{tail(log)}")
        time.sleep(_POLL)


def tail(log: Path) -> str:
    """The end of a log."""
    try:
        return log.read_text(encoding="utf-8", errors="replace")[-2000:]
    except OSError:
        return "(no log)"


def _name(process: subprocess.Popen[bytes]) -> str:
    return " ".join(list(map(str, process.args))[4:])  # type: ignore[arg-type]


def _end(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM for the group, two seconds for its leader, SIGKILL for whatever is left of it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(timeout=2)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
