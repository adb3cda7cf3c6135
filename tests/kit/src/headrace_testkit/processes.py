"""The same work in several processes that start together, for what a provider promises between processes."""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import pytest


def in_processes(tasks: Sequence[Callable[[], Any]], *, timeout: float = 60.0) -> list[Any]:
    """Call each task in a forked process of its own, all at once; their results, which have to be JSON, in order.

    A task that raises, or is not done after `timeout` seconds, fails the test.
    """
    if not hasattr(os, "fork"):
        pytest.skip("this system has no fork")
    ready, start = os.pipe()
    children = []
    for task in tasks:
        reader, writer = os.pipe()
        process = os.fork()
        if process == 0:
            os.close(start)
            _child(task, ready, writer, timeout)
        os.close(writer)
        children.append((process, reader))
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


def _child(task: Callable[[], Any], ready: int, writer: int, timeout: float) -> None:
    """Never returns, so that nothing of the test runner happens twice."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(int(timeout))
    try:
        os.read(ready, 1)
        answer = json.dumps({"result": task()})
    except BaseException:  # noqa: BLE001 - the parent is told whatever happened
        answer = "".join(traceback.format_exception(*sys.exc_info()))
    with os.fdopen(writer, "wb") as stream:
        stream.write(answer.encode())
    os._exit(0)
