import json
import os
import resource
import signal
import subprocess
import sys
from typing import Any

import pytest

from headrace_hookspecs import PluginError, StepNode
from headrace_testkit.driving import Watched, is_there
from headrace_testkit.scripted import ScriptedEntry, open_files

PROCESSES = ["fork", "spawn"]


def test_an_attempt_is_one_fork_of_the_process_that_preloaded_and_no_exec(launched: Any) -> None:
    driver = launched("fork")
    told = [ended.messages[0] for ended in driver.run("describe", "describe", "describe")]
    zygote = told[0]["parent"]
    # the context was preloaded by the very parent of each attempt, and is there without another preload
    assert [(each["parent"], each["preloaded"]) for each in told] == [(zygote, ["context", zygote])] * 3
    assert zygote != os.getpid()
    assert len({each["pid"] for each in told}) == 3


def test_a_flow_that_must_not_be_forked_is_imported_anew_and_once(launched: Any) -> None:
    driver = launched("fork", ScriptedEntry(fork_safe=False))
    told = [ended.messages[0] for ended in driver.run("describe", "describe")]
    assert told[0]["parent"] == told[1]["parent"] == told[0]["preloaded"][1]
    with open(f"/proc/{told[0]['parent']}/cmdline", "rb") as file:
        assert b"headrace_processes" in file.read()  # exec'd, not a fork of this process


def test_each_step_environment_has_one_process_that_its_attempts_start_from(launched: Any) -> None:
    driver = launched("fork")
    fast, exact = (StepNode("describe", "linear", env={"MODE": mode}) for mode in ("fast", "exact"))
    told = [ended.messages[0] for ended in driver.run(fast, exact, fast, "describe")]
    parents = [each["parent"] for each in told]
    assert parents[0] == parents[2]
    assert len(set(parents)) == 3
    assert launched.said == []


@pytest.mark.parametrize("name", PROCESSES)
def test_when_the_zygote_dies_its_attempts_are_lost_and_later_ones_start(launched: Any, name: str) -> None:
    driver = launched(name)
    zygote = driver.one("describe").messages[0]["parent"]
    running = driver.launch("converse", "stubborn")
    pids = [driver.message(key)["pid"] for key in running]
    watched = [Watched(pid) for pid in pids]
    os.kill(zygote, signal.SIGKILL)
    ended = [driver.ended(key) for key in running]
    assert [(each.last.kind, each.last.exit_code, each.last.signal) for each in ended] == [("lost", None, None)] * 2
    assert all(each.ended() for each in watched)
    again = driver.one("describe")
    assert again.last.exit_code == 0
    assert again.messages[0]["parent"] not in (zygote, os.getpid())
    assert not is_there(zygote)
    assert launched.said == []


def test_the_zygote_leaves_ctrl_c_to_the_scheduler(launched: Any) -> None:
    driver = launched("fork")
    told = driver.one("describe").messages[0]
    os.kill(told["parent"], signal.SIGINT)
    again = driver.one("describe").messages[0]
    assert again["parent"] == told["parent"]
    assert os.getpgid(told["parent"]) != os.getpgid(0)  # Ctrl-C in a terminal goes to the group


SCHEDULER = """
import json, os, signal, sys
import headrace_processes
from headrace_hookspecs import ProviderContext
from headrace_testkit.driving import Driver
from headrace_testkit.scripted import ScriptedEntry, open_files
name, fork_safe = sys.argv[1:]
driver = Driver(getattr(headrace_processes, name).create(None, ProviderContext(".", "Scripted", os.environ, print)))
driver.open(ScriptedEntry(fork_safe=fork_safe == "True"), os.getcwd())
pids = [driver.one("leave_daemon").messages[0]["pid"]]
pids += [driver.message(key)["pid"] for key in driver.launch("stubborn", "converse")]
pids.append(driver.one("describe").messages[0]["parent"])
print(json.dumps(pids), flush=True)
signal.pause()
"""


@pytest.mark.parametrize(("name", "fork_safe"), [("fork", True), ("fork", False), ("spawn", True)])
def test_when_the_scheduler_is_killed_no_process_remains(name: str, fork_safe: bool) -> None:
    with subprocess.Popen([sys.executable, "-c", SCHEDULER, name, str(fork_safe)], stdout=subprocess.PIPE) as scheduler:
        try:
            assert scheduler.stdout is not None
            watched = [Watched(pid) for pid in json.loads(scheduler.stdout.readline())]
            assert len(watched) == 4
        finally:
            scheduler.kill()
    assert all(process.ended() for process in watched)


@pytest.mark.parametrize(("name", "launches"), [("fork", 200), ("spawn", 20)])
def test_attempts_leave_no_descriptor_open(launched: Any, name: str, launches: int) -> None:
    def descriptors(pid: int) -> set[str]:
        return set(os.listdir(f"/proc/{pid}/fd"))

    driver = launched(name)
    zygote = driver.one("describe").messages[0]["parent"]
    before, before_there = descriptors(os.getpid()), descriptors(zygote)
    for _ in range(launches // 10):
        assert {ended.last.exit_code for ended in driver.run(*["greet"] * 10)} == {0}
    assert descriptors(os.getpid()) == before
    assert descriptors(zygote) == before_there


@pytest.mark.parametrize("name", PROCESSES)
def test_an_attempt_has_its_own_descriptors_only(launched: Any, name: str) -> None:
    before = set(open_files().values())
    driver = launched(name)
    running = driver.launch("converse", "converse", "converse")
    for key in running:
        driver.message(key)
    told = driver.one("describe").messages[0]["descriptors"]
    assert told["0"] == "/dev/null"
    own = {target for target in told.values() if target.startswith(("pipe:", "socket:"))} - before
    assert {told["1"], told["2"]} < own
    assert len(own) == 3  # and the channel; nothing of the zygote, nothing of other attempts
    if name == "spawn":
        assert len(told) == 4
    for key in running:
        driver.reply(key, status=0)


@pytest.mark.parametrize("name", PROCESSES)
def test_a_launch_that_the_machine_cannot_take_starts_nothing(launched: Any, name: str) -> None:
    driver = launched(name)
    driver.one("succeed")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    before = os.listdir("/proc/self/fd")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(map(int, before)) + 40, hard))
    try:
        with pytest.raises(PluginError) as refused:
            driver.launch(*["succeed"] * 50)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert refused.value.code == "launch-failed"
    assert "run.max_workers" in str(refused.value)
    assert os.listdir("/proc/self/fd") == before
    assert driver.one("succeed").last.exit_code == 0
    assert [event.kind for event in driver.seen] == ["started", "exited"] * 2


def test_a_program_that_does_not_exist_is_named(launched: Any) -> None:
    entry = ScriptedEntry()
    entry.command = ["/no/such/python"]
    ended = launched("spawn", entry).one("succeed")
    assert ended.last.exit_code == 127
    assert ended.stderr == b"cannot start /no/such/python: No such file or directory\n"


def test_more_attempts_than_one_message_can_carry(launched: Any) -> None:
    driver = launched("fork")
    ended = driver.run(*["greet"] * 100)
    assert {(each.last.exit_code, each.stderr) for each in ended} == {(0, b"careful\n")}


def test_what_was_printed_before_the_fork_is_printed_once() -> None:
    script = """
import os, sys
import headrace_processes
from headrace_hookspecs import ProviderContext
from headrace_testkit.driving import Driver
from headrace_testkit.scripted import ScriptedEntry, open_files
sys.stdout.write("before ")
driver = Driver(headrace_processes.fork.create(None, ProviderContext(".", "Scripted", os.environ, print)))
driver.open(ScriptedEntry(), os.getcwd())
assert driver.one("greet").stdout.startswith(b"gr")
driver.launcher.close(grace=0.0)
print("after")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("before after\n", "")


def test_the_plugin_objects_cost_nothing_until_they_create() -> None:
    script = (
        "import sys; import headrace_processes; print([name for name in sys.modules if 'headrace' in name or name in ('attr', 'socket')])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "['headrace_processes']\n"
