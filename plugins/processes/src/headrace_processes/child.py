"""What happens between the fork of a zygote and the end of an attempt: the process is set up, then runs the task or a fresh interpreter.

Runs in the child only; nothing here returns to the zygote. Knows neither launcher nor scheduler.
"""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from .system import Libc, open_descriptors

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

    from headrace_hookspecs import TaskEntry

CHANNEL_VARIABLE = "HEADRACE_CHANNEL_FD"
"""Where a task that is started by its command line finds the descriptor of its channel."""

STREAMS = {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8:backslashreplace"}
"""What makes the streams of a fresh interpreter those that `open_stream` makes in a fork, whatever the user has set."""

RESET = (signal.SIGTERM, signal.SIGCHLD, signal.SIGHUP, signal.SIGPIPE)


class Ends(NamedTuple):
    """The attempt's side of its three connections: descriptors for standard output, standard error and the channel."""

    stdout: int
    stderr: int
    channel: int

    def close(self) -> None:
        """Close all three, after somebody else has got them."""
        for fd in self:
            os.close(fd)


def run_task(entry: TaskEntry, spec: Mapping[str, Any], ends: Ends, enter: Callable[[Ends], None], libc: Libc) -> NoReturn:
    """Make the attempt in this process, a fork, and end it without any clean-up that user threads could block."""
    old = sys.stdin, sys.stdout, sys.stderr  # kept alive: their deletion would close descriptors 0, 1 and 2

    def run() -> int:
        enter(ends)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # as in any fresh interpreter
        sys.stdin = sys.__stdin__ = open(0, closefd=False)  # type: ignore[misc]  # noqa: SIM115
        sys.stdout = sys.__stdout__ = open_stream(1)  # type: ignore[misc]
        sys.stderr = sys.__stderr__ = open_stream(2)  # type: ignore[misc]
        _redirect_faulthandler()
        _reseed()
        return entry.run(spec, ends.channel)

    status = 1
    try:
        status = exit_status(run)
        sys.stdout.flush()
        sys.stderr.flush()
        libc.flush()
    finally:
        del old
        os._exit(status)


def run_command(command: Sequence[str], environ: Mapping[str, str], ends: Ends, enter: Callable[[Ends], None]) -> NoReturn:
    """Replace this process by `command`, with the channel's descriptor named in the environment. 127 if there is no such program."""
    try:
        enter(ends)
        for fd in open_descriptors():
            if fd > 2:
                os.set_inheritable(fd, fd == ends.channel)
        os.execvpe(command[0], list(command), {**environ, **STREAMS, CHANNEL_VARIABLE: str(ends.channel)})
    except OSError as error:
        os.write(2, f"cannot start {command[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(127)


def enter_attempt(ends: Ends, ours: Iterable[int], parent: int, libc: Libc) -> None:
    """Make this fork a process of its own: session and group, death with the parent, default signals, its own descriptors 0, 1 and 2.

    Only `ours`, the zygote's own descriptors, are closed: what user code opened when it was imported must stay as it is.
    """
    os.setsid()
    libc.die_with_parent(parent, signal.SIGKILL)
    signal.set_wakeup_fd(-1)
    for number in RESET:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for fd in ours:
        os.close(fd)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(ends.stdout, 1)
    os.dup2(ends.stderr, 2)
    for fd in (null, ends.stdout, ends.stderr):
        os.close(fd)


def exit_status(run: Callable[[], int]) -> int:
    """The exit status of a task whose entry is `run`, whatever it raises; what is not an exit is shown with its traceback."""
    try:
        return run()
    except SystemExit as stop:
        if stop.code is None or isinstance(stop.code, int):
            return (stop.code or 0) & 0xFF
        print(stop.code, file=sys.stderr)
    except Exception:  # noqa: BLE001 - the outermost frame of a process
        import traceback

        traceback.print_exc()
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 1


class _Descriptor(io.FileIO):
    """A descriptor whose `write` returns when all is written: a signal may cut a write to a pipe short, and the text layer ignores that."""

    def write(self, data: ReadableBuffer, /) -> int:
        view = memoryview(data).cast("B")
        done = 0
        while done < len(view):
            done += super().write(view[done:]) or 0
        return done


def open_stream(fd: int) -> io.TextIOWrapper:
    """A text stream that holds nothing back, not even half a line, and can print anything."""
    raw = _Descriptor(fd, "wb", closefd=False)
    return io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", write_through=True)  # type: ignore[type-var,unused-ignore]


def _redirect_faulthandler() -> None:
    faulthandler = sys.modules.get("faulthandler")
    if faulthandler is not None and faulthandler.is_enabled():
        faulthandler.enable(2)


def _reseed() -> None:
    """Give this attempt random numbers of its own: all forks would draw the same otherwise. A seed set at import does not survive this.

    `random` of the standard library does the same by itself after every fork.
    """
    if (numpy_random := sys.modules.get("numpy.random")) is not None:
        numpy_random.seed()
    if (torch := sys.modules.get("torch")) is not None and hasattr(torch, "seed"):
        torch.seed()
