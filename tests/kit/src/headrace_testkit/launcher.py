"""Conformance of launchers: `LauncherContract`, for every launcher on this machine.

What a launcher does not declare it refuses to render, or the tests say what it does instead. `CANCEL` stands for attempts in processes of
their own.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

import pytest

from headrace_hookspecs import Capability, Launcher, StepNode

from .capabilities import requires, without
from .driving import Driver, is_there
from .rendering import RenderContract
from .scripted import ScriptedEntry

_in_its_own_process: Final = requires(Capability.CANCEL)


class LauncherContract(RenderContract):
    """Subclass it, override `make_launcher` and name the launcher's `capabilities`."""

    @pytest.fixture
    def entry(self) -> ScriptedEntry:
        """The entry that `driver` is opened with."""
        return ScriptedEntry()

    @pytest.fixture
    def driver(self, launcher: Launcher, entry: ScriptedEntry, tmp_path: Path) -> Iterator[Driver]:
        driver = Driver(launcher)
        driver.open(entry, str(tmp_path), {"SCRIPTED": "yes", "PYTHONIOENCODING": "ascii"})
        yield driver
        launcher.close(grace=0.0)

    # plan time, besides what a RenderContract asks

    @requires(Capability.HARD_TIMEOUT)
    def test_what_is_ended_for_its_time_can_be_ended_at_all(self, launcher: Launcher) -> None:
        assert Capability.CANCEL in launcher.capabilities

    # one attempt

    def test_an_attempt_starts_ends_once_and_ends_last(self, driver: Driver) -> None:
        ended = driver.one("greet")
        assert ended.kinds[0] == "started"
        assert set(ended.kinds[1:-1]) == {"output"}
        assert ended.kinds[-1] == "exited"
        assert driver.of(ended.key)[0].pid
        assert (ended.last.exit_code, ended.last.signal, ended.last.oom) == (0, None, False)
        assert [event.time for event in driver.seen] == sorted(event.time for event in driver.seen)

    def test_the_end_says_what_was_used(self, driver: Driver) -> None:
        usage = driver.one("succeed").last.usage
        assert usage is not None
        assert set(usage) == {"max_rss", "user", "system"}
        assert 1_000 < usage["max_rss"] < 10_000_000  # KiB
        assert 0 <= usage["user"] < 60
        assert 0 <= usage["system"] < 60

    @pytest.mark.parametrize(("step", "code"), [("succeed", 0), ("fail", 3), ("exit_seven", 7), ("exit_message", 1), ("crash", 1)])
    def test_the_exit_code_is_the_tasks(self, driver: Driver, step: str, code: int) -> None:
        ended = driver.one(step)
        assert (ended.last.kind, ended.last.exit_code, ended.last.signal) == ("exited", code, None)
        said = {"exit_message": b"no data today", "crash": b"ValueError: a mistake in the flow"}.get(step, b"")
        assert said in ended.stderr
        assert ended.stdout == b""

    def test_the_streams_are_apart_and_print_anything(self, driver: Driver) -> None:
        ended = driver.one("greet")
        assert ended.stdout == "grüße an alle\na lone \\udcff surrogate\n".encode()
        assert ended.stderr == b"careful\n"

    def test_bytes_come_as_they_are(self, driver: Driver) -> None:
        assert driver.one("binary").stdout == bytes(range(256))

    def test_a_huge_line_comes_whole(self, driver: Driver) -> None:
        assert driver.one("huge_line").stdout == b"x" * 3_000_000

    def test_messages_come_in_order_and_whole(self, driver: Driver) -> None:
        ended = driver.one("tell_much")
        assert [message["number"] for message in ended.messages] == list(range(2000))
        assert ended.last.exit_code == 0

    def test_the_task_has_the_runs_environment_folder_and_context(self, driver: Driver, tmp_path: Path) -> None:
        ended = driver.one("describe")
        told = ended.messages[0]
        assert told["environ"]["SCRIPTED"] == "yes"
        assert told["cwd"] == str(tmp_path)
        assert told["spec"]["step"] == "describe"
        assert told["spec"]["limit"] == 100

    def test_an_attempt_that_is_over_may_be_cancelled_and_answered(self, driver: Driver) -> None:
        key = driver.one("succeed").key
        driver.launcher.cancel(key, force=False)
        driver.launcher.cancel(key, force=True)
        driver.reply(key, too="late")
        assert driver.one("succeed").last.exit_code == 0

    def test_a_closed_launcher_may_be_closed_again(self, driver: Driver) -> None:
        driver.one("succeed")
        driver.launcher.close(grace=0.0)
        driver.launcher.close(grace=0.0)

    # what a launcher does that cannot end its attempts, or has one at a time

    @without(Capability.CANCEL)
    def test_what_nobody_can_end_is_over_when_launch_returns(self, driver: Driver) -> None:
        keys = driver.launch("succeed", "fail", "describe")
        driver.seen += driver.launcher.events()
        assert [(driver.is_over(key), driver.so_far(key).last.exit_code) for key in keys] == [(True, 0), (True, 3), (True, 0)]

    @without(Capability.CANCEL)
    def test_a_read_of_the_channel_that_nobody_will_answer_does_not_hang(self, driver: Driver) -> None:
        assert driver.one("converse").last.exit_code == 0

    @without(Capability.PARALLEL_TASKS)
    def test_attempts_run_one_after_the_other(self, driver: Driver) -> None:
        ended = driver.run("describe", "greet", "describe")
        assert [key for key, _ in groupby(event.key for event in driver.seen)] == [each.key for each in ended]
        assert [each.last.exit_code for each in ended] == [0, 0, 0]

    # attempts in processes of their own

    @_in_its_own_process
    def test_half_a_line_goes_out_at_once(self, driver: Driver) -> None:
        (key,) = driver.launch("unfinished_line")
        assert driver.message(key) == {"printed": True}
        driver.until(lambda: driver.so_far(key).stdout == b"half a li", "the half line")
        assert not driver.is_over(key)
        driver.reply(key)
        assert driver.ended(key).last.exit_code == 0

    @_in_its_own_process
    @pytest.mark.parametrize(
        ("step", "printed", "code", "number"),
        [
            ("die_talking", b"last words", None, signal.SIGKILL),
            ("segfault", b"about to fault", None, signal.SIGSEGV),
            ("vanish", b"about to vanish", 9, None),
            ("print_from_c", b"from C", 0, None),
        ],
    )
    def test_the_last_bytes_come_before_the_end(
        self, driver: Driver, step: str, printed: bytes, code: int | None, number: int | None
    ) -> None:
        ended = driver.one(step)
        assert ended.stdout == printed
        assert (ended.last.kind, ended.last.exit_code, ended.last.signal, ended.last.oom) == ("exited", code, number, False)

    @_in_its_own_process
    def test_a_task_converses_with_the_scheduler(self, driver: Driver) -> None:
        (key,) = driver.launch("converse")
        for number, word in enumerate(["eins", "zwei", "x" * 1_000_000]):
            driver.message(key, number)
            driver.reply(key, next=word)
        assert driver.message(key, 3)["said"] == "x" * 1_000_000
        driver.reply(key, status=5)
        ended = driver.ended(key)
        assert [message["said"] for message in ended.messages][:3] == [0, "eins", "zwei"]
        assert ended.last.exit_code == 5

    @_in_its_own_process
    def test_an_answer_that_is_not_read_blocks_nobody(self, driver: Driver) -> None:
        (key,) = driver.launch("stubborn")
        driver.message(key)
        for _ in range(3):
            driver.reply(key, padding="x" * 1_000_000)
        driver.launcher.cancel(key, force=True)
        assert driver.ended(key).last.kind == "exited"

    @_in_its_own_process
    def test_the_task_is_a_clean_process(self, driver: Driver) -> None:
        told = driver.one("describe").messages[0]
        assert told["pid"] == told["group"] == told["session"]
        assert told["stdin"] == ""
        assert told["blocked"] == []
        assert (told["handlers"]["SIGTERM"], told["handlers"]["SIGCHLD"]) == (str(signal.SIG_DFL), str(signal.SIG_DFL))
        assert "default_int_handler" in told["handlers"]["SIGINT"]

    @_in_its_own_process
    def test_each_attempt_draws_its_own_random_numbers(self, driver: Driver) -> None:
        drawn = [ended.messages[0]["random"] for ended in driver.run("describe", "describe", "describe")]
        assert len(set(drawn)) == 3

    @_in_its_own_process
    def test_cancel_asks_the_attempt_to_end(self, driver: Driver) -> None:
        (key,) = driver.launch("converse")
        driver.message(key)
        driver.launcher.cancel(key, force=False)
        last = driver.ended(key).last
        assert (last.exit_code, last.signal, last.oom) == (None, signal.SIGTERM, False)

    @_in_its_own_process
    def test_force_ends_an_attempt_that_does_not_listen(self, driver: Driver) -> None:
        (key,) = driver.launch("stubborn")
        pid = driver.message(key)["pid"]
        driver.launcher.cancel(key, force=False)
        driver.launcher.cancel(key, force=True)
        last = driver.ended(key).last
        assert (last.exit_code, last.signal, last.oom) == (None, signal.SIGKILL, False)
        assert not is_there(pid)

    @_in_its_own_process
    def test_an_attempt_may_be_cancelled_before_it_has_started(self, driver: Driver) -> None:
        (key,) = driver.launch("converse")
        driver.launcher.cancel(key, force=True)
        last = driver.ended(key).last
        assert (last.kind, last.exit_code, last.signal) == ("exited", None, signal.SIGKILL)

    @requires(Capability.CANCEL, Capability.PARALLEL_TASKS)
    def test_one_that_floods_its_output_starves_no_other(self, driver: Driver) -> None:
        (flood,) = driver.launch("flood")
        driver.message(flood)
        (other,) = driver.launch("converse")
        for number in range(20):
            driver.message(other, number)
            driver.reply(other, next=number)
        driver.message(other, 20)
        driver.reply(other, status=0)
        assert driver.ended(other).last.exit_code == 0
        assert not driver.is_over(flood)
        driver.launcher.cancel(flood, force=True)
        assert driver.ended(flood).last.signal == signal.SIGKILL

    @_in_its_own_process
    @pytest.mark.parametrize("step", ["leave_child", "leave_daemon", "leave_loud_daemon", "leave_thread"])
    def test_what_a_task_leaves_behind_does_not_hold_its_end(self, driver: Driver, step: str) -> None:
        assert driver.one(step).last.exit_code == 0

    @_in_its_own_process
    def test_close_leaves_no_process(self, driver: Driver) -> None:
        left = [driver.one(step).messages[0]["pid"] for step in ("leave_child", "leave_daemon")]
        at_once = 3 if Capability.PARALLEL_TASKS in self.capabilities else 1
        running = driver.launch(*["stubborn", "converse", "stubborn"][:at_once])
        left += [driver.message(key)["pid"] for key in running]
        driver.launcher.close(grace=0.1)
        if sys.platform == "linux":
            assert [pid for pid in left if is_there(pid)] == []

    @_in_its_own_process
    def test_close_lets_attempts_end_by_themselves(self, driver: Driver) -> None:
        (key,) = driver.launch("converse")
        pid = driver.message(key)["pid"]
        driver.launcher.close(grace=60.0)
        assert not is_there(pid)

    @requires(Capability.PARALLEL_TASKS)
    def test_attempts_run_at_the_same_time(self, driver: Driver) -> None:
        keys = driver.launch("converse", "converse", "converse")
        for key in keys:
            driver.message(key)
        assert not any(driver.is_over(key) for key in keys)
        for key in keys:
            driver.reply(key, status=0)
        assert [driver.ended(key).last.exit_code for key in keys] == [0, 0, 0]

    @requires(Capability.GANG)
    def test_the_nodes_of_a_gang_run_at_the_same_time(self, driver: Driver) -> None:
        keys = driver.launch(*[StepNode("converse", "linear", gang=True)] * 4)
        assert len({driver.message(key)["pid"] for key in keys}) == 4
        for key in keys:
            driver.reply(key, status=0)
        assert [driver.ended(key).last.exit_code for key in keys] == [0, 0, 0, 0]

    @requires(Capability.ENVIRONMENT)
    def test_a_step_has_its_own_variables(self, driver: Driver) -> None:
        steps = [StepNode("describe", "linear", env=env) for env in ({"MODE": "fast"}, {"MODE": "exact", "SCRIPTED": "no"}, {})]
        told = [ended.messages[0]["environ"] for ended in driver.run(*steps)]
        assert [(environ.get("MODE"), environ["SCRIPTED"]) for environ in told] == [("fast", "yes"), ("exact", "no"), (None, "yes")]

    def test_a_close_before_anything_was_launched(
        self, make_launcher: Callable[[], Launcher], entry: ScriptedEntry, tmp_path: Path
    ) -> None:
        never, prepared, opened = make_launcher(), make_launcher(), make_launcher()
        try:
            prepared.prepare(entry)
            Driver(opened).open(entry, str(tmp_path))
        finally:
            for launcher in (never, prepared, opened):
                launcher.close(grace=0.0)
        assert os.getcwd() != str(tmp_path)
