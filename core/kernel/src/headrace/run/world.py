"""The seam behind which the scheduler's clock, randomness and waiting stand, so that it also runs in a simulator."""

from __future__ import annotations

import select
import time
from collections.abc import Sequence


class World:
    """The real one: system clocks, `random`, and select on file descriptors."""

    def time(self) -> float:
        """Seconds since the epoch, for records."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never go back, for waiting."""
        return time.monotonic()

    def jitter(self) -> float:
        """A random number in [0, 1)."""
        import random

        return random.random()

    def wait(self, descriptors: Sequence[int], timeout: float | None) -> None:
        """Return when one of the descriptors is readable, after `timeout` seconds, or on a signal."""
        poller = select.poll()
        for descriptor in descriptors:
            poller.register(descriptor, select.POLLIN)
        poller.poll(None if timeout is None else max(0.0, timeout) * 1000 + 1)
