"""From an exception to a Failure: its class, its text, and the user's own frames; ours are left out."""

from __future__ import annotations

from typing import Any, Final

from headrace_hookspecs import Failure

from ..dsl.load import importable_name
from ..dsl.tracebacks import user_traceback

NEVER_RETRY: Final = 202


def failure_of(error: BaseException, kind: str | None = None) -> Failure:
    """Classify `error`. An exception says its kind itself by an attribute `headrace_failure_kind`, else it is `exception` or `exit`."""
    text = user_traceback(error)
    names = tuple(f"{importable_name(base.__module__)}.{base.__qualname__}" for base in type(error).__mro__[:-1])
    message = str(error)
    code: int | None = None
    give_up = False
    if isinstance(error, SystemExit):
        code = error.code if isinstance(error.code, int) else (0 if error.code is None else 1)
        kind = kind or "exit"
        message = f"The step called sys.exit({error.code!r}); a step ends by returning."
        give_up = code == NEVER_RETRY
    chosen: Any = kind or getattr(error, "headrace_failure_kind", "exception")
    return Failure(chosen, message, names[0], text, exit_code=code, give_up=give_up, bases=names[1:])
