"""From an exception to a Failure: its class, its text, and the user's own frames; ours are left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headrace_hookspecs import Failure
from headrace_hookspecs.task import NEVER_RETRY

from ..dsl.load import importable_name
from ..dsl.tracebacks import user_traceback

_MESSAGE, _TRACEBACK = 10_000, 100_000
"""Characters that are kept of each; both travel to the scheduler, into records and into the index."""


def failure_of(error: BaseException, kind: str | None = None) -> Failure:
    """Classify `error`. An exception says its kind itself by an attribute `headrace_failure_kind`, else it is `exception` or `exit`.

    Never raises, whatever the exception's own code does.
    """
    text = _shortened(user_traceback(error), _TRACEBACK)
    names = tuple(f"{importable_name(base.__module__)}.{base.__qualname__}" for base in type(error).__mro__[:-1])
    message = _shortened(_asked(str, error), _MESSAGE)
    code: int | None = None
    give_up = False
    if isinstance(error, SystemExit):
        code = error.code if isinstance(error.code, int) else (0 if error.code is None else 1)
        kind = kind or "exit"
        message = f"The step called sys.exit({_shortened(_asked(repr, error.code), _MESSAGE)}); a step ends by returning."
        give_up = code == NEVER_RETRY
    chosen: Any = kind or getattr(error, "headrace_failure_kind", "exception")
    return Failure(chosen, message, names[0], text, exit_code=code, give_up=give_up, bases=names[1:])


def _asked(words: Callable[[Any], str], value: object) -> str:
    """`words(value)`, which is the value's own code and may raise in its turn."""
    try:
        return words(value)
    except Exception as error:  # noqa: BLE001 - the user's own __str__ or __repr__
        return f"<no text: its __{words.__name__}__ raised {type(error).__name__}>"


def _shortened(text: str, most: int) -> str:
    """The text without its middle where it is too long."""
    if len(text) <= most:
        return text
    return f"{text[: most // 2]}\n[{len(text) - most} characters left out]\n{text[-(most // 2) :]}"
