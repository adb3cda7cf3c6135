"""A task entry whose tasks do what the name of their step says: print, crash, flood, wait, leave things behind.

It stands in for the kernel's entry in the conformance tests of launchers, as a callable and as the command line `python -m` this module.
A task may tell things as JSON lines on its channel and wait for an answer; what it does without one (`ask` gives None) is not to wait.
"""

from __future__ import annotations

import ctypes
import io
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from headrace_hookspecs import TaskSpec

MODULE = "headrace_testkit.scripted"
"""This module, also where it runs as `__main__`."""


class ScriptedEntry:
    """Implements `headrace_hookspecs.TaskEntry`. `preloaded` is the context and the process in which `preload` was called last."""

    def __init__(self, *, fork_safe: bool = True, state: Mapping[str, Any] | None = None) -> None:
        self.command: Sequence[str] = (sys.executable, "-m", MODULE)
        self.reference = f"{MODULE}:make_entry"
        self.state: Mapping[str, Any] = state or {}
        self.fork_safe = fork_safe
        self.preloaded: tuple[str, int] | None = None

    def warm(self) -> None:
        """Nothing to import."""

    def preload(self, context: bytes) -> None:
        """Note the context and the process; `"preload": "raise"` or `"exit"` in the state makes it fail outside the test's process."""
        failure = self.state.get("preload") if os.getpid() != self.state.get("test") else None
        if failure == "raise":
            raise RuntimeError("the store is not there")
        if failure == "exit":
            os._exit(1)
        self.preloaded = context.decode(), os.getpid()

    def run(self, spec: Mapping[str, Any], channel: int) -> int:
        """Do what the step is named for."""
        with socket.socket(fileno=channel) as connection:
            return SCRIPT[spec["step"]](_Task(TaskSpec.from_json(spec), connection, self.preloaded))


def make_entry(state: Mapping[str, Any]) -> ScriptedEntry:
    """An equal entry in a fresh interpreter."""
    if state.get("thread"):
        threading.Thread(target=threading.Event().wait, name="from-the-flow", daemon=True).start()
    return ScriptedEntry(state=state)


class _Task:
    def __init__(self, spec: TaskSpec, connection: socket.socket, preloaded: tuple[str, int] | None) -> None:
        self.spec = spec
        self.preloaded = preloaded
        self._connection = connection

    def tell(self, **message: Any) -> None:
        self._connection.sendall(json.dumps(message).encode() + b"\n")

    def ask(self, **message: Any) -> Any:
        self.tell(**message)
        answer = b""
        while not answer.endswith(b"\n"):
            piece = self._connection.recv(4096)
            if not piece:
                return None
            answer += piece
        return json.loads(answer)


def succeed(task: _Task) -> int:
    return 0


def fail(task: _Task) -> int:
    return 3


def exit_seven(task: _Task) -> int:
    sys.exit(7)


def exit_message(task: _Task) -> int:
    sys.exit("no data today")


def crash(task: _Task) -> int:
    raise ValueError("a mistake in the flow")


def greet(task: _Task) -> int:
    print("grüße", "an alle")
    print("careful", file=sys.stderr)
    print("a lone \udcff surrogate")
    return 0


def binary(task: _Task) -> int:
    sys.stdout.buffer.write(bytes(range(256)))
    sys.stdout.flush()
    return 0


def huge_line(task: _Task) -> int:
    sys.stdout.write("x" * 3_000_000)
    return 0


def unfinished_line(task: _Task) -> int:
    sys.stdout.write("half a li")
    task.ask(printed=True)
    return 0


def die_talking(task: _Task) -> int:
    print("last words", end="")
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def vanish(task: _Task) -> int:
    print("about to vanish", end="")
    os._exit(9)


def segfault(task: _Task) -> int:
    print("about to fault", end="")
    ctypes.string_at(0)
    return 0


def eat(task: _Task) -> int:
    """Take memory until that is refused."""
    taken = []
    while True:
        taken.append(b"x" * (1 << 20))


def print_from_c(task: _Task) -> int:
    ctypes.CDLL(None).printf(b"from C")
    return 0


def describe(task: _Task) -> int:
    task.tell(
        pid=os.getpid(),
        parent=os.getppid(),
        group=os.getpgid(0),
        session=os.getsid(0),
        environ=dict(os.environ),
        cwd=os.getcwd(),
        preloaded=task.preloaded,
        random=random.random(),
        stdin=os.read(0, 100).decode(),
        handlers={number.name: str(signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)},
        blocked=sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
        descriptors=open_files(),
        spec=task.spec.to_json(),
    )
    return 0


def open_files() -> dict[int, str]:
    """The descriptors of this process and what each is open on; empty where there is no /proc."""
    found = {}
    for name in os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else ():
        try:
            found[int(name)] = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue  # that of the listing
    return found


def converse(task: _Task) -> int:
    answer: Any = {"next": 0}
    while answer is not None and "status" not in answer:
        answer = task.ask(pid=os.getpid(), said=answer["next"])
    return 0 if answer is None else int(answer["status"])


def tell_much(task: _Task) -> int:
    for number in range(2000):
        task.tell(number=number, padding="p" * 500)
    return 0


def stubborn(task: _Task) -> int:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    task.ask(pid=os.getpid())
    return 0


def flood(task: _Task) -> int:
    task.tell(flooding=True)
    chunk = b"y" * 65536
    while True:
        os.write(1, chunk)


def leave_child(task: _Task) -> int:
    child = subprocess.Popen([sys.executable, "-S", "-c", "import signal; signal.pause()"])
    task.tell(pid=child.pid)
    child.returncode = 0  # nobody waits for it
    return 0


def leave_daemon(task: _Task) -> int:
    """A grandchild in a session of its own that keeps the task's standard output."""
    _daemon(task, lambda: signal.pause())
    return 0


def leave_loud_daemon(task: _Task) -> int:
    def shout() -> None:
        while True:
            os.write(1, b"z" * 1000)

    _daemon(task, shout)
    return 0


def leave_thread(task: _Task) -> int:
    threading.Thread(target=threading.Event().wait).start()
    return 0


def change_process(task: _Task) -> int:
    """Change what a task in the caller's process must not leave changed."""
    os.environ["CHANGED_BY_TASK"] = "1"
    os.environ.pop("SCRIPTED", None)
    os.chdir("/")
    sys.argv[:] = ["changed"]
    signal.signal(signal.SIGUSR1, lambda number, frame: None)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.stdout = sys.stderr = io.StringIO()
    return 0


def interrupt_self(task: _Task) -> int:
    signal.raise_signal(signal.SIGINT)
    return 0


def terminate_self(task: _Task) -> int:
    signal.raise_signal(signal.SIGTERM)
    return 0


def debug(task: _Task) -> int:
    answer = 41
    breakpoint()
    print("the answer is", answer)
    return 0


def _daemon(task: _Task, live: Callable[[], object]) -> None:
    woken, wake = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            try:
                os.write(wake, str(os.getpid()).encode())
                live()
            finally:
                os._exit(0)
        os._exit(0)
    task.tell(pid=int(os.read(woken, 100)))
    os.wait()


SCRIPT: Mapping[str, Callable[[_Task], int]] = {
    act.__name__: act
    for act in (
        succeed, fail, exit_seven, exit_message, crash, greet, binary, huge_line, unfinished_line, die_talking, vanish, segfault,
        eat, print_from_c, describe, converse, tell_much, stubborn, flood, leave_child, leave_daemon, leave_loud_daemon, leave_thread,
        change_process, interrupt_self, terminate_self, debug,
    )
}  # fmt: skip
"""What a step can be named."""


if __name__ == "__main__":
    _entry = ScriptedEntry()
    _entry.preload(b"from the command line")
    # whatever this raises ends the interpreter in the ordinary way
    _status = _entry.run(TaskSpec.from_slots(os.environ).to_json(), int(os.environ["HEADRACE_CHANNEL_FD"]))
    sys.stdout.flush()
    ctypes.CDLL(None).fflush(None)
    os._exit(_status)  # threads that a task left must not hold it
