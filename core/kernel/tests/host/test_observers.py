from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from hosting import DOCTOR, Host, plugin, transforms

from headrace_hookspecs import Diagnostic, Event


def event(number: int = 0) -> Event:
    return Event("task-queued", float(number), "F", "1")


def test_events_reach_every_observer_in_order() -> None:
    got: dict[str, list[float]] = {"a": [], "b": []}
    host = Host(
        "scheduler",
        a=plugin("headrace_on_event", lambda event: got["a"].append(event.time)),
        b=plugin("headrace_on_event", lambda event: got["b"].append(event.time)),
    )
    assert host.manager.observes
    for number in range(100):
        host.manager.on_event(event(number))
    host.manager.close()
    assert got == {name: [float(number) for number in range(100)] for name in "ab"}
    assert host.said == []


def test_without_observers_there_is_no_thread() -> None:
    host = Host("scheduler", **transforms(a="1"))
    before = threading.active_count()
    host.manager.on_event(event())
    assert not host.manager.observes
    assert threading.active_count() == before


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(1), KeyboardInterrupt()])
def test_a_failing_observer_is_told_once_and_off_after_three_strikes(error: BaseException) -> None:
    got: list[float] = []

    def fail(event: Event) -> None:
        got.append(event.time)
        raise error

    host = Host("scheduler", bad=plugin("headrace_on_event", fail))
    for number in range(10):
        host.manager.on_event(event(number))
    host.manager.close()
    assert got == [0.0, 1.0, 2.0]
    assert host.said == [
        f"The plugin 'bad' failed in headrace_on_event: {type(error).__name__}: {error}. The run goes on.",
        "The plugin 'bad' failed 3 times and gets no more events.",
    ]


def test_a_failing_observer_does_not_touch_another() -> None:
    got: list[float] = []

    def fail(event: Event) -> None:
        raise ValueError

    host = Host("scheduler", bad=plugin("headrace_on_event", fail), good=plugin("headrace_on_event", lambda event: got.append(event.time)))
    for number in range(5):
        host.manager.on_event(event(number))
    host.manager.close()
    assert got == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_a_hanging_observer_delays_neither_the_run_nor_another_observer() -> None:
    release, done = threading.Event(), threading.Event()

    def hang(event: Event) -> None:
        release.wait()

    host = Host("scheduler", hung=plugin("headrace_on_event", hang), good=plugin("headrace_on_event", lambda event: done.set()))
    try:
        for number in range(3):
            host.manager.on_event(event(number))
        assert done.wait(10)
        started = time.monotonic()
        host.manager.close(timeout=0.05)
        assert time.monotonic() - started < 5
        assert host.said == ["The plugin 'hung' is too slow: it did not take 3 events."]
        host.manager.on_event(event(9))
        host.manager.close(timeout=0.05)
        assert len(host.said) == 1
    finally:
        release.set()


def test_events_beyond_the_backlog_are_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headrace.host.observers.BACKLOG", 2)
    release, entered, got = threading.Event(), threading.Event(), []

    def slow(event: Event) -> None:
        entered.set()
        release.wait()
        got.append(event.time)

    host = Host("scheduler", slow=plugin("headrace_on_event", slow))
    host.manager.on_event(event(0))
    assert entered.wait(10)
    for number in range(1, 6):
        host.manager.on_event(event(number))
    release.set()
    host.manager.close()
    assert got == [0.0, 1.0]
    assert host.said == ["The plugin 'slow' is too slow: it did not take 4 events."]


def test_a_second_run_of_the_process_is_observed_too_and_strikes_remain() -> None:
    got: list[float] = []

    def fail(event: Event) -> None:
        got.append(event.time)
        if event.time != 2:
            raise ValueError

    host = Host("scheduler", bad=plugin("headrace_on_event", fail))
    for run in range(6):
        host.manager.on_event(event(run))
        host.manager.close()
    assert got == [0.0, 1.0, 2.0, 3.0]
    assert len(host.said) == 2


def test_an_observer_that_is_registered_late_gets_what_follows() -> None:
    early: list[float] = []
    late: list[float] = []
    host = Host("scheduler", early=plugin("headrace_on_event", lambda event: early.append(event.time)))
    host.manager.on_event(event(0))
    host.manager.register(plugin("headrace_on_event", lambda event: late.append(event.time)), "launcher.acme")
    host.manager.on_event(event(1))
    host.manager.close()
    assert (early, late) == ([0.0, 1.0], [1.0])


@pytest.mark.parametrize("error", [ValueError("no disk"), SystemExit("no disk")])
def test_a_doctor_that_fails_becomes_a_finding(error: BaseException) -> None:
    def fail(request: Any) -> Any:
        raise error

    fine = Diagnostic("info", "fine")
    host = Host(bad=plugin("headrace_doctor", fail), good=plugin("headrace_doctor", lambda request: [fine]))
    broken = Diagnostic("error", f"The plugin 'bad' failed in headrace_doctor: {type(error).__name__}: no disk", "plugin-failed")
    assert host.manager.doctor(DOCTOR) == [broken, fine]
