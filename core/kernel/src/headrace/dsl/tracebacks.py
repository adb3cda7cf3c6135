"""The user's own traceback: what went wrong in a flow file, without the frames of the kernel and of the import system."""

from __future__ import annotations

import os
from typing import Final

from headrace_hookspecs.errors import HeadraceError

_OURS: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def user_traceback(error: BaseException) -> str:
    """The traceback as Python prints it, from the first frame that is the user's to the last; causes included."""
    import traceback

    deliberate = isinstance(error, HeadraceError) or hasattr(error, "headrace_failure_kind")
    pending: list[traceback.TracebackException | None] = [shown := traceback.TracebackException.from_exception(error)]
    while pending:
        part = pending.pop()
        if part is not None:
            kept = list(part.stack)
            while kept and _internal(kept[0].filename):
                del kept[0]
            # where we, or a plugin, raise on the user's behalf (a wrong call, a timeout) is not where the user has to look
            while deliberate and len(kept) > 1 and (_internal(kept[-1].filename) or f"{os.sep}headrace_" in kept[-1].filename):
                del kept[-1]
            part.stack[:] = [frame for frame in kept if not frame.filename.startswith("<frozen importlib")]
            pending += [part.__cause__, part.__context__]
    return "".join(shown.format() if shown.stack or shown.__cause__ or shown.__context__ else shown.format_exception_only())


def user_line(error: BaseException, file: str) -> int | None:
    """The line of `file` at which it happened: the innermost frame there, or where its syntax is wrong."""
    if isinstance(error, SyntaxError):
        return error.lineno if error.filename == file else None
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _internal(file: str) -> bool:
    return file.startswith((_OURS, "<frozen importlib"))
