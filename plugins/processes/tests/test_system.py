import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace_processes.child import open_stream
from headrace_processes.system import OomKills, children_of, signal_group


@pytest.mark.parametrize(
    "form",
    ["low 0\nhigh 0\nmax 12\noom 3\noom_kill {}\noom_group_kill 9\n", "oom_kill_disable 0\nunder_oom 0\noom_kill {}\n"],
    ids=["version 2", "version 1"],
)
def test_an_out_of_memory_kill_is_claimed_once(tmp_path: Path, form: str) -> None:
    file = tmp_path / "memory"
    file.write_text(form.format(5))
    kills = OomKills(str(file))
    assert not kills.claim()
    file.write_text(form.format(7))
    assert [kills.claim(), kills.claim(), kills.claim()] == [True, True, False]


def test_a_count_that_cannot_be_read_is_no_kill(tmp_path: Path) -> None:
    assert not OomKills(str(tmp_path / "missing")).claim()


def test_children_are_found_and_signalled_alone_or_with_their_group() -> None:
    pid = os.fork()
    if pid == 0:
        signal.pause()
        os._exit(0)
    assert pid in set(children_of(os.getpid()))
    signal_group(pid, signal.SIGKILL)  # it leads no group
    assert os.waitpid(pid, 0)[1] == signal.SIGKILL
    assert pid not in set(children_of(os.getpid()))
    signal_group(pid, signal.SIGKILL)  # gone: no error


def test_a_stream_writes_all_although_signals_cut_its_writes_short() -> None:
    woken, wake = os.pipe()
    size = 5_000_000
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGALRM, lambda number, frame: None)
        signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
        open_stream(wake).write("x" * size)
        os._exit(0)
    os.close(wake)
    read = 0
    while data := os.read(woken, 1000):
        read += len(data)
    os.close(woken)
    os.waitpid(pid, 0)
    assert read == size


@pytest.fixture
def small_group() -> Iterator[Path]:
    """A memory control group of 100 MiB, the file of processes in it; version 2 or 1."""
    for root, limit in ((Path("/sys/fs/cgroup"), "memory.max"), (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes")):
        group = root / f"headrace-test-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            if (group / limit).exists():
                (group / limit).write_text(str(100 << 20))
                if (group / "memory.swap.max").exists():
                    (group / "memory.swap.max").write_text("0")
                yield group / "cgroup.procs"
                return
        finally:
            group.rmdir()
    pytest.skip("cannot make a memory control group here")


HUNGRY = """
import os, sys
with open(sys.argv[1], "w") as group:
    group.write(str(os.getpid()))
import headrace_processes
from headrace_hookspecs import ProviderContext
from headrace_testkit.driving import Driver
from headrace_testkit.scripted import ScriptedEntry
driver = Driver(headrace_processes.fork.create(None, ProviderContext(".", "Scripted", os.environ, print)))
driver.open(ScriptedEntry(), os.getcwd())
for step in ("die_talking", "eat", "die_talking"):
    ended = driver.one(step)
    print(ended.last.kind, ended.last.signal, ended.last.oom)
driver.launcher.close(grace=0.0)
"""


def test_an_attempt_that_the_kernel_killed_for_its_memory_says_so(small_group: Path) -> None:
    done = subprocess.run([sys.executable, "-c", HUNGRY, str(small_group)], capture_output=True, text=True, check=True)
    assert done.stdout == "exited 9 False\nexited 9 True\nexited 9 False\n"
