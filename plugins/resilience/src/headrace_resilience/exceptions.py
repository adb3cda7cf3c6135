"""What user code may see raised by a decorator of this distribution. Imports nothing, for it is loaded with every flow that uses one."""

from __future__ import annotations


class TimeoutException(Exception):
    """The step ran longer than its `@timeout` allows. An exception like any other: it may be caught, and `@retry` and `@catch` apply."""

    headrace_failure_kind = "timeout"
    """The class of failure that is recorded for it, and that `@retry(on="timeout")` means."""

    def __reduce__(self) -> tuple[object, ...]:
        # an instance made by another thread is of a class that only exists there
        return (TimeoutException, self.args)


TimeoutException.__module__ = __package__
