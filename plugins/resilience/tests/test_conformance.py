import headrace_resilience
from headrace_testkit.decorators import StepDecoratorContract


class FileNotThereYet(Exception):
    pass


class TestRetry(StepDecoratorContract):
    handle = headrace_resilience.retry
    accepted = (
        {},
        {"times": 0},
        {"times": "2", "minutes_between_retries": "0.5"},
        {"wait": 1.5, "backoff": 2, "max_wait": "1m", "jitter": 0.25},
        {"wait": "1h30m"},
        {"on": "timeout"},
        {"on": [FileNotThereYet, "ConnectionError", "socket.timeout", "oom"]},
        {"growth": {"memory": 2, "cpu": "1.5"}},
    )
    refused = (
        {"times": -1},
        {"times": 100},
        {"times": 1.5},
        {"times": True},
        {"times": "often"},
        {"minutes_between_retries": -1},
        {"wait": 1, "minutes_between_retries": 1},
        {"wait": "soon"},
        {"wait": ""},
        {"wait": float("inf")},
        {"wait": [1]},
        {"wait": 10, "max_wait": 5},
        {"wait": 1, "backoff": 0.5},
        {"wait": 1, "jitter": 1.5},
        {"backoff": 2},
        {"jitter": 0.5},
        {"max_wait": "1m"},
        {"on": "timeouts"},
        {"on": "cancelled"},
        {"on": "acme:"},
        {"on": "acme:not a name"},
        {"on": [int]},
        {"on": 202},
        {"growth": {"memory": 0.5}},
        {"growth": {"colour": 2}},
        {"growth": 2},
    )


class TestCatch(StepDecoratorContract):
    handle = headrace_resilience.catch
    accepted = ({}, {"var": "failure"}, {"var": "problème", "print_exception": False})
    refused = (
        {"var": "not a name"},
        {"var": "class"},
        {"var": ""},
        {"var": 3},
        {"var": "end"},
        {"print_exception": "False"},
        {"print_exception": None},
    )


class TestTimeout(StepDecoratorContract):
    handle = headrace_resilience.timeout
    accepted = ({"seconds": 0.5}, {"minutes": "2"}, {"hours": 1, "minutes": 2, "seconds": 3})
    refused = ({}, {"seconds": 0}, {"seconds": -1, "minutes": 1}, {"seconds": "1m"}, {"hours": 10_000}, {"seconds": None})
