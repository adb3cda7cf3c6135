"""Server processes end with whoever started them, and say why they did not come up."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from headrace_testkit.processes import start_process
from headrace_testkit.servers import ServerError
from headrace_testkit.servers.running import await_port, await_true, free_ports, running

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc; only Linux ends them with their parent")

SERVE = "import socket, sys; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); print('up', flush=True); s.accept(); s.accept()"


def alive(process: int) -> bool:
    """Whether it runs; one that has ended and that nobody has waited for does not."""
    stat = Path(f"/proc/{process}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def wait_for(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not happened() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert happened()


def test_a_server_answers_until_it_is_left(tmp_path: Path) -> None:
    (port,) = free_ports()
    with running((sys.executable, "-c", SERVE, str(port)), tmp_path / "log") as process:
        await_port(port, process, tmp_path / "log")
        assert alive(process.pid)
    assert process.returncode == -signal.SIGTERM


def test_what_ignores_the_signal_and_its_children_are_killed(tmp_path: Path) -> None:
    code = "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(os.fork(), flush=True); time.sleep(600)"
    log = tmp_path / "log"
    with running((sys.executable, "-c", code), log) as process:
        await_true(lambda: len(log.read_text().split()) == 2, process, log)
        child = max(map(int, log.read_text().split()))
        assert alive(child)
    assert process.returncode == -signal.SIGKILL
    wait_for(lambda: not alive(child))


def test_a_server_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    (port,) = free_ports()
    log, number = tmp_path / "log", tmp_path / "number"

    def parent() -> None:
        with running((sys.executable, "-c", SERVE, str(port)), log) as process:
            await_port(port, process, log)
            number.write_text(str(process.pid))
            os.kill(os.getpid(), signal.SIGKILL)

    os.waitpid(start_process(parent), 0)
    wait_for(lambda: not alive(int(number.read_text())))


@pytest.mark.parametrize(
    ("command", "said"), [((sys.executable, "-c", "raise SystemExit('no disk')"), "no disk"), (("no-such-program",), "no-such-program")]
)
def test_a_server_that_does_not_come_up_says_why(tmp_path: Path, command: tuple[str, ...], said: str) -> None:
    (port,) = free_ports()
    with running(command, tmp_path / "log") as process, pytest.raises(ServerError, match=said):
        await_port(port, process, tmp_path / "log")
