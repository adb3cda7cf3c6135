"""The same work in several processes that start together, for what a provider promises between processes."""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import pytest


def in_processes(tasks: Sequence[Callable[[], Any]], *, timeout: float = 60.0) -> list[Any]:
    """Call each task in a forked process of its own, all at once; their results, which have to be JSON, in order.

    A task that raises, or is not done after `timeout` seconds, fails the test.
    """
    ready, start = os.pipe()
    children = []
    for task in tasks:
        reader, writer = os.pipe()

        def child(task: Callable[[], Any] = task, writer: int = writer) -> None:
            os.close(start)
            os.read(ready, 1)
            with os.fdopen(writer, "wb") as stream:
                stream.write(_answer(task))

        children.append((start_process(child, timeout=timeout), reader))
        os.close(writer)
    os.close(ready)
    os.close(start)  # the starting gun: every child reads the end of this pipe
    answers = []
    for process, reader in children:
        with os.fdopen(reader, "rb") as stream:
            answers.append(stream.read())
        os.waitpid(process, 0)
    failures = [answer.decode() for answer in answers if not answer.startswith(b"{")]
    assert not failures, failures[0] or "a process was killed, or took too long"
    return [json.loads(answer)["result"] for answer in answers]


def start_process(task: Callable[[], object], *, timeout: float = 60.0) -> int:
    """Call `task` in a forked process; its id. It ends with the task, or is killed after `timeout` seconds; the caller waits for it."""
    if not hasattr(os, "fork"):
        pytest.skip("this system has no fork")
    with warnings.catch_warnings():
        # pytest's watchdog is a thread that never touches what the child does
        warnings.simplefilter("ignore", DeprecationWarning)
        process = os.fork()
    if process == 0:
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(int(timeout))
            task()
        finally:
            os._exit(0)  # so that nothing of the test runner happens twice
    return process


def _answer(task: Callable[[], Any]) -> bytes:
    try:
        return json.dumps({"result": task()}).encode()
    except BaseException:  # noqa: BLE001 - the parent is told whatever happened
        return "".join(traceback.format_exception(*sys.exc_info())).encode()
