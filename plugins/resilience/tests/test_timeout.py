import itertools
import pickle
import signal
import sys
import threading
import time

import pytest

import headrace_resilience
from headrace_hookspecs import StepNode
from headrace_hookspecs import Timeout as TimeoutField
from headrace_resilience import TimeoutException
from headrace_resilience.alarm import interrupt_after
from headrace_resilience.timing import Timeout, TimeoutConfig
from headrace_testkit.decorators import MemoryTask, linear_graph


def task(tmp_path):
    graph = linear_graph(StepNode("train", "linear"))
    return MemoryTask(graph, graph.steps["train"], str(tmp_path))


def in_a_thread(work):
    """What `work()` returned in a thread of its own."""
    results = []
    thread = threading.Thread(target=lambda: results.append(work()), daemon=True)
    thread.start()
    thread.join(60)
    assert results, "the thread did not end"
    return results[0]


def forever():
    for _ in itertools.count():
        threading.Event().wait(0.001)


def test_the_limit_is_the_sum_of_all_three(tmp_path):
    step = task(tmp_path).step
    planned = Timeout(TimeoutConfig(seconds=1.5, minutes="2", hours=0.5)).plan(step, None)
    assert planned.timeout == TimeoutField(soft=1921.5)


def test_a_step_that_takes_too_long_is_interrupted_with_the_given_times(tmp_path):
    around = Timeout(TimeoutConfig(seconds=0.05)).around(task(tmp_path))
    with pytest.raises(TimeoutException) as caught, around:
        threading.Event().wait(60)
    assert str(caught.value) == "Step train timed out after 0 hours, 0 minutes, 0.05 seconds"


def test_a_step_in_another_thread_is_interrupted_too(tmp_path):
    def work():
        try:
            with Timeout(TimeoutConfig(seconds=0.05)).around(task(tmp_path)):
                forever()
        except TimeoutException as error:
            return error

    error = in_a_thread(work)
    assert error.args == ("Step train timed out after 0 hours, 0 minutes, 0.05 seconds",)
    assert (type(error).__module__, type(error).__qualname__) == ("headrace_resilience", "TimeoutException")
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), copy.args) == (TimeoutException, error.args)


def test_its_failure_is_of_the_class_timeout_and_survives_pickling():
    error = TimeoutException("Step train timed out")
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), copy.args, copy.headrace_failure_kind) == (TimeoutException, error.args, "timeout")
    assert issubclass(TimeoutException, Exception)
    assert f"{TimeoutException.__module__}.{TimeoutException.__qualname__}" == "headrace_resilience.TimeoutException"
    assert headrace_resilience.TimeoutException is TimeoutException


def test_a_step_may_catch_the_exception_and_go_on(tmp_path):
    with Timeout(TimeoutConfig(seconds=0.02)).around(task(tmp_path)):
        try:
            threading.Event().wait(60)
        except TimeoutException:
            went_on = True
    assert went_on


def test_a_timer_of_the_program_goes_on_afterwards():
    rung = []
    handler = signal.signal(signal.SIGALRM, lambda *_: rung.append(True))
    signal.setitimer(signal.ITIMER_REAL, 60, 5)
    try:
        with interrupt_after(30, "never"):
            pass
        remaining, interval = signal.getitimer(signal.ITIMER_REAL)
        assert (50 < remaining <= 60, interval) == (True, 5)
        signal.setitimer(signal.ITIMER_REAL, 0.001)
        with interrupt_after(30, "never"):
            spin(time.monotonic() + 0.01)
        while not rung:
            threading.Event().wait(0.001)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)


def spin(until):
    while time.monotonic() < until:
        pass


def race():
    """Let limit and work end at about the same time, again and again; the messages of all timeouts."""
    messages = []
    for round in range(300):
        until = time.monotonic() + 0.0004 + (round % 20) * 0.00005
        try:
            with interrupt_after(0.0005, "too long"):
                spin(until)
        except TimeoutException as error:
            messages.append(str(error))
    return messages


def test_a_limit_reached_as_the_step_ends_never_interrupts_what_follows():
    before = signal.getsignal(signal.SIGALRM)
    assert set(race()) <= {"too long"}
    assert (signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)) == (before, (0.0, 0.0))


def test_a_limit_reached_as_the_step_ends_in_another_thread_never_interrupts_what_follows():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(0.00001)
    try:
        assert set(in_a_thread(race)) <= {"too long"}
    finally:
        sys.setswitchinterval(interval)
