"""Server processes: free ports, waiting until a port answers, and an end that leaves nothing. Knows no service."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from . import ServerError

_POLL: Final = 0.05  # seconds between two looks
_DEATH_SIGNAL: Final = 1  # PR_SET_PDEATHSIG
_LIBC: Final = ctypes.CDLL(None) if sys.platform == "linux" else None


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

    Raises ServerError where the program cannot be started. Where the system can do it, the process dies with the thread that started it.
    """
    with log.open("ab") as output:
        try:
            process = subprocess.Popen(
                list(map(str, command)),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=None if environ is None else dict(environ),
                start_new_session=True,
                preexec_fn=partial(_die_with, os.getpid()),
            )
        except OSError as error:
            raise ServerError(f"{command[0]} cannot be run: {error.strerror}") from error
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
            raise ServerError(f"{process.args!r} ended with status {process.returncode}:\n{tail(log)}")
        if time.monotonic() > deadline:
            raise ServerError(f"{process.args!r} is not there after {seconds:.0f} seconds:\n{tail(log)}")
        time.sleep(_POLL)


def tail(log: Path) -> str:
    """The end of a log."""
    try:
        return log.read_text(encoding="utf-8", errors="replace")[-2000:]
    except OSError:
        return "(no log)"


def _die_with(parent: int) -> None:
    if _LIBC is not None:
        _LIBC.prctl(_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)  # it was gone before the signal was asked for


def _end(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM for the group, five seconds for its leader, SIGKILL for whatever is left of it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(timeout=5)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
