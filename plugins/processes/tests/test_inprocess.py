import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from headrace_testkit.scripted import ScriptedEntry


def test_everything_is_as_before_after_a_task(launched: Any) -> None:
    driver = launched("inline")

    def state() -> Any:
        handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
        return dict(os.environ), os.getcwd(), list(sys.argv), handlers, sys.stdout, sys.stderr

    before = state()
    assert driver.one("change_process").last.exit_code == 0
    assert state() == before
    assert driver.one("describe").messages[0]["environ"].get("CHANGED_BY_TASK") is None
    assert driver.one("describe").messages[0]["pid"] == os.getpid()


def test_output_is_shown_at_once_and_the_launcher_says_so(launched: Any, capsys: pytest.CaptureFixture[str]) -> None:
    driver = launched("inline")
    driver.launch("greet")
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("grüße an alle\na lone \\udcff surrogate\n", "careful\n")
    assert driver.launcher.echoes
    assert [event.data for event in driver.launcher.events() if event.stream == "stderr"] == [b"careful\n"]


@pytest.mark.parametrize(("step", "number"), [("interrupt_self", signal.SIGINT), ("terminate_self", signal.SIGTERM)])
def test_a_signal_ends_the_task_and_then_reaches_the_scheduler(launched: Any, step: str, number: signal.Signals) -> None:
    driver = launched("inline")
    heard = []
    before = signal.signal(number, lambda received, frame: heard.append((received, list(driver.seen))))
    try:
        (key,) = driver.launch(step)
    finally:
        signal.signal(number, before)
    assert heard == [(number, [])]
    last = driver.ended(key).last
    assert (last.kind, last.exit_code, last.signal) == ("exited", None, number)


def test_an_interrupt_stops_the_tasks_that_were_to_follow(launched: Any) -> None:
    driver = launched("inline")
    with pytest.raises(KeyboardInterrupt):
        driver.launch("interrupt_self", "succeed")
    assert {event.key for event in driver.launcher.events()} == {"interrupt_self/1/0"}


def test_tasks_of_one_launch_run_one_after_the_other(launched: Any) -> None:
    driver = launched("inline")
    first, second = driver.run("greet", "greet")
    keys = [event.key for event in driver.seen]
    assert keys == [first.key] * len(first.kinds) + [second.key] * len(second.kinds)
    assert driver.launcher.events() == []


def test_no_descriptor_is_left_open(launched: Any) -> None:
    driver = launched("inline")
    driver.one("greet")
    before = os.listdir("/proc/self/fd")
    driver.run(*["greet"] * 50)
    assert os.listdir("/proc/self/fd") == before


DEBUGGED = """
import os
import headrace_processes
from headrace_hookspecs import ProviderContext
from headrace_testkit.driving import Driver
from headrace_testkit.scripted import ScriptedEntry
driver = Driver(headrace_processes.inline.create(None, ProviderContext(".", "Scripted", os.environ, print)))
driver.open(ScriptedEntry(), os.getcwd())
ended = driver.one("debug")
driver.launcher.close(grace=0.0)
print("recorded", ended.stdout, ended.last.exit_code)
"""


def test_a_breakpoint_reaches_the_terminal(tmp_path: Path) -> None:
    """`breakpoint()` in a task reads from and prints to the terminal; what the task prints is recorded too."""
    ours, theirs = pty.openpty()
    environ = {**os.environ, "TERM": "dumb", "PYTHONBREAKPOINT": "", "HOME": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", DEBUGGED], stdin=theirs, stdout=theirs, stderr=theirs, cwd=tmp_path, env=environ
    ) as process:
        os.close(theirs)
        shown = _until(ours, b"(Pdb) ")
        os.write(ours, b"answer += 1\n")
        shown += _until(ours, b"(Pdb) ")
        os.write(ours, b"continue\n")
        shown += _until(ours, b"recorded")
        shown += _until(ours, b"\n")
    os.close(ours)
    assert process.returncode == 0
    assert b"the answer is 42" in shown
    assert shown.endswith(b"the answer is 42\\n' 0\r\n")


def _until(terminal: int, wanted: bytes) -> bytes:
    shown = b""
    while wanted not in shown:
        shown += os.read(terminal, 1)
    return shown


def test_preload_sees_the_runs_environment_and_leaves_it(launched: Any) -> None:
    entry = ScriptedEntry()
    launched("inline", entry)
    assert entry.preloaded == ("context", os.getpid())
    assert "SCRIPTED" not in os.environ
