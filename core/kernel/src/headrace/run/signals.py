"""Ctrl-C, SIGTERM and SIGHUP as something the scheduler can look at between two events, instead of an exception anywhere."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType
from typing import Any

from headrace_hookspecs.errors import HeadraceError


class Interrupts:
    """While entered, the three signals are counted and wake up whoever waits on `fileno`. In other threads than the main one: nothing."""

    def __init__(self) -> None:
        self.count = 0
        self.name = ""
        try:
            self._read, self._write = os.pipe()
        except OSError as error:
            raise HeadraceError(
                f"The scheduler cannot start: {error.strerror}.", code="too-many-files", remedy="Raise the limit of open files (ulimit -n)."
            ) from error
        for descriptor in (self._read, self._write):
            os.set_blocking(descriptor, False)
        self._before: dict[int, Any] = {}
        self._wakeup = -1

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                if signal.getsignal(number) is not signal.SIG_IGN:  # nohup stays nohup
                    self._before[number] = signal.signal(number, self._note)
            self._wakeup = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        return self

    def __exit__(self, *_: object) -> None:
        if self._before:
            signal.set_wakeup_fd(self._wakeup)
            for number, handler in self._before.items():
                signal.signal(number, handler)
        os.close(self._read)
        os.close(self._write)

    def fileno(self) -> int:
        """Readable after a signal."""
        return self._read

    def drain(self) -> None:
        """Forget the wake-up, not the count."""
        try:
            os.read(self._read, 512)
        except BlockingIOError:
            pass

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        self.name = signal.Signals(number).name
