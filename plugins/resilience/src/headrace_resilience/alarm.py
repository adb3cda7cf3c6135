"""Raises TimeoutException in a block of code that takes too long. Knows neither steps nor tasks; leaves no timer and no handler behind.

In the main thread the timer signal interrupts even a blocked system call. In any other thread, and where there is no such signal, Python
can only be asked to raise the exception between two bytecodes: a sleeping or computing C function then ends first.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType

from .exceptions import TimeoutException


def interrupt_after(seconds: float, message: str) -> AbstractContextManager[None]:
    """Raise `TimeoutException(message)` once in the calling thread if the block still runs after `seconds` (more than 0).

    A timer that the program had set goes on when the block has ended; one that was due meanwhile rings then.
    """
    if hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread():
        return _by_signal(seconds, message)
    return _by_thread(seconds, message)


@contextmanager
def _by_signal(seconds: float, message: str) -> Iterator[None]:
    def ring(signum: int, frame: FrameType | None) -> None:
        raise TimeoutException(message)

    # the timer that was there stops first, so that it cannot ring with the handler that is not its own
    started = time.monotonic()
    remaining, interval = signal.setitimer(signal.ITIMER_REAL, 0)
    handler = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    finally:
        # the signal may have come in the very line that disarms: it rings once, so from here on nothing interrupts
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL if handler is None else handler)
        if remaining:
            left = remaining - (time.monotonic() - started)
            signal.setitimer(signal.ITIMER_REAL, max(left, 1e-6), interval)


@contextmanager
def _by_thread(seconds: float, message: str) -> Iterator[None]:
    import ctypes

    raise_in = ctypes.pythonapi.PyThreadState_SetAsyncExc
    thread = ctypes.c_ulong(threading.get_ident())
    late = ctypes.py_object(_saying(message))
    armed, ended = threading.Event(), threading.Event()
    lock = threading.Lock()
    over = False

    def watch() -> None:
        armed.wait()
        if not ended.wait(seconds):
            with lock:
                if not over:
                    raise_in(thread, late)

    threading.Thread(target=watch, name="headrace-timeout", daemon=True).start()
    try:
        armed.set()  # not before the block is guarded
        yield
    finally:
        ended.set()
        with lock:
            over = True
        raise_in(thread, None)  # one that was asked for and not raised yet must not reach other code


def _saying(message: str) -> type[TimeoutException]:
    """A TimeoutException that has its message already: what is raised from outside is a class, made an instance without arguments."""

    def init(self: TimeoutException) -> None:
        Exception.__init__(self, message)

    names = {"__init__": init, "__module__": TimeoutException.__module__, "__qualname__": TimeoutException.__qualname__}
    return type(TimeoutException.__name__, (TimeoutException,), names)
