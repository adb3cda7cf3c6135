import sys
from types import ModuleType

import pytest

from headrace_hookspecs import Failure, FlowDefinitionError, PlanContext, RetryPolicy, StepNode, decide
from headrace_resilience.retrying import Retry, RetryConfig
from headrace_testkit.decorators import linear_graph


def policy(**kwargs):
    graph = linear_graph(StepNode("work", "linear"))
    context = PlanContext(graph, "inline", False, {}, "ada")
    return Retry(RetryConfig(**kwargs)).plan(graph.steps["work"], context).retry


def test_bare_it_tries_three_more_times_without_waiting():
    assert policy() == RetryPolicy(times=3, wait=0.0, backoff=1.0, max_wait=3600.0, jitter=0.0, on=(), growth={})


def test_every_keyword_reaches_the_policy():
    written = policy(times=5, wait="10s", backoff=2, max_wait="1m", jitter=0.1, on="oom", growth={"memory": 2})
    assert written == RetryPolicy(times=5, wait=10.0, backoff=2.0, max_wait=60.0, jitter=0.1, on=("oom",), growth={"memory": 2.0})


@pytest.mark.parametrize(("minutes", "seconds"), [(2, 120.0), (0.5, 30.0), ("1", 60.0), (0, 0.0)])
def test_minutes_between_retries_are_waited(minutes, seconds):
    assert policy(minutes_between_retries=minutes).wait == seconds


def test_a_wait_of_more_than_an_hour_is_not_cut():
    assert policy(wait="2h").max_wait == 7200.0


def test_the_largest_number_of_retries_is_one_less_than_the_largest_number_of_attempts():
    failure = Failure("exception")
    assert decide(failure, policy(times=99), [failure] * 98).action == "retry"
    assert decide(failure, policy(times=99), [failure] * 99).action == "give_up"


def test_failures_are_named_by_class_by_dotted_name_by_builtin_name_and_by_kind():
    class Nested(Exception):
        pass

    nested = f"{__name__}.{Nested.__qualname__}"
    assert policy(on=[Nested, OSError, "socket.timeout", "KeyError", "timeout", OSError]).on == (
        nested,
        "builtins.OSError",
        "socket.timeout",
        "builtins.KeyError",
        "timeout",
    )


def test_only_the_failures_named_are_tried_again():
    chosen = policy(on=["ConnectionError", "timeout"])
    refused = Failure("exception", type="builtins.ValueError", bases=("builtins.Exception",))
    reset = Failure("exception", type="builtins.ConnectionResetError", bases=("builtins.ConnectionError", "builtins.OSError"))
    assert [decide(each, chosen, []).action for each in (refused, reset, Failure("timeout"))] == ["give_up", "retry", "retry"]


def test_a_class_of_the_started_file_is_known_by_both_its_names(monkeypatch):
    main = ModuleType("__main__")
    main.__file__ = "/flows/train_flow.py"
    monkeypatch.setitem(sys.modules, "__main__", main)
    error = type("NotYet", (Exception,), {"__module__": "__main__", "__qualname__": "NotYet"})
    both = ("__main__.NotYet", "train_flow.NotYet")
    assert [policy(on=each).on for each in (error, "__main__:NotYet", "train_flow:NotYet")] == [both] * 3


def test_a_class_may_come_as_a_reference():
    assert policy(on=["acme.errors:Busy", "flow:Train.NotYet"]).on == ("acme.errors.Busy", "flow.Train.NotYet")


def test_what_the_decorator_says_replaces_what_a_plugin_had_put_there():
    graph = linear_graph(StepNode("work", "linear", retry=RetryPolicy(times=9)))
    planned = Retry(RetryConfig(times=0)).plan(graph.steps["work"], PlanContext(graph, "inline", False, {}, "ada"))
    assert planned.retry == RetryPolicy(times=0)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"wait": 1, "minutes_between_retries": 1}, "@retry: wait and minutes_between_retries say the same thing."),
        ({"backoff": 2}, "@retry: backoff, max_wait and jitter change a wait that is 0."),
        ({"wait": 0, "jitter": 0.5}, "@retry: backoff, max_wait and jitter change a wait that is 0."),
        ({"minutes_between_retries": 2, "max_wait": 60}, "@retry: max_wait is shorter than the first wait of 120 s."),
    ],
)
def test_keywords_that_contradict_each_other_are_refused(kwargs, message):
    with pytest.raises(FlowDefinitionError) as caught:
        RetryConfig(**kwargs)
    assert (caught.value.code, caught.value.message) == ("decorator-conflict", message)
