import headrace_resources
from headrace_testkit.decorators import StepDecoratorContract


class TestResources(StepDecoratorContract):
    handle = headrace_resources.resources
    accepted = (
        {},
        {"cpu": "0.5", "gpu": "1", "memory": "8192", "disk": 10240, "shared_memory": 0},
        {"memory": "8G", "disk": "1.5TiB", "shared_memory": "64 Mi"},
        {"cpu": None, "memory": None},
        {"gpu": 0},
    )
    refused = (
        {"cpu": 0},
        {"cpu": -1},
        {"cpu": "many"},
        {"cpu": True},
        {"cpu": [1]},
        {"cpu": float("nan")},
        {"gpu": 0.5},
        {"gpu": -1},
        {"gpu": "a100"},
        {"memory": 0},
        {"memory": "8X"},
        {"memory": "100B"},
        {"memory": True},
        {"disk": -5},
        {"shared_memory": -1},
    )


class TestEnvironment(StepDecoratorContract):
    handle = headrace_resources.environment
    accepted = ({}, {"vars": {}}, {"vars": {"OMP_NUM_THREADS": 1, "_x": "a=b c", "EMPTY": "", "FLAG": True}})
    refused = (
        {"vars": ["A=1"]},
        {"vars": "A=1"},
        {"vars": {"": "x"}},
        {"vars": {"1A": "x"}},
        {"vars": {"A=B": "x"}},
        {"vars": {"A B": "x"}},
        {"vars": {3: "x"}},
        {"vars": {"HEADRACE_RUN": "x"}},
        {"vars": {"A": None}},
        {"vars": {"A": "a\0b"}},
    )
