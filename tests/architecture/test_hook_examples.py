"""The example in each hook's documentation, run by the kernel's plugin host: it is called, and its answer does what the page says."""

import inspect
import types
from contextlib import contextmanager

import pytest
from attrs import evolve

from headrace.host.index import Index
from headrace.host.manager import PluginManager
from headrace.host.registry import Registry
from headrace.plan.config import Config
from headrace_hookspecs import (
    ConfigDefaultsRequest,
    Diagnostic,
    DoctorRequest,
    Event,
    ExecuteRequest,
    FlowGraph,
    GraphCheckRequest,
    GraphTransformRequest,
    Outcome,
    PackageFilesRequest,
    Resources,
    Source,
    StepNode,
    TaskEnvironmentRequest,
    hookimpl,
    hooks,
)

START = StepNode("start", "linear", next=("end",), labels={"tier": "1"})
GRAPH = FlowGraph("TrainFlow", {"start": START, "end": StepNode("end", "end")}, "start", "end")


@pytest.fixture
def manager():
    """A host without installed plugins, in all processes at once."""
    config = Config({"plugins": {"required": [], "order": []}}, "/project")
    made = PluginManager(Registry(Index(())), config, ("author", "scheduler", "task"), say=pytest.fail, environ={})
    yield made
    made.close()


def example(name, **needs):
    """A plugin whose one hook is the example of the documentation; `needs` are the names that the example takes for granted."""
    text = inspect.cleandoc(inspect.getdoc(getattr(hooks, name)).partition("Example::")[2])
    plugin = types.ModuleType("acme_plugin")
    exec(compile(text, name, "exec"), {"hookimpl": hookimpl, **needs}, vars(plugin))
    plugin.headrace_processes = frozenset({"author", "scheduler", "task"})
    return plugin


def test_headrace_config_defaults(manager):
    manager.register(example("headrace_config_defaults"), "acme")
    answer = manager.config_defaults(ConfigDefaultsRequest("/project", None, {}))
    assert answer == {"acme": {"datastore": {"name": "s3", "s3": {"root": "s3://acme-flows"}}}}


def test_headrace_graph_transform(manager):
    manager.register(example("headrace_graph_transform", evolve=evolve), "acme")
    linted = []
    graph = manager.graph_transform(GraphTransformRequest(GRAPH, False, {}), linted.append)
    assert {name: step.labels for name, step in graph.steps.items()} == {"start": {"tier": "1", "team": "ml"}, "end": {"team": "ml"}}
    assert linted == [graph]


def test_headrace_graph_check(manager):
    manager.register(example("headrace_graph_check", Diagnostic=Diagnostic), "acme")
    source = Source("flow.py", 7)
    greedy = evolve(GRAPH, steps={**GRAPH.steps, "start": evolve(START, resources=Resources(gpu=1), source=source)})
    assert manager.graph_check(GraphCheckRequest(GRAPH, "fork", False, {})) == []
    assert manager.graph_check(GraphCheckRequest(greedy, "fork", False, {})) == [
        Diagnostic("error", "GPU steps need a cost centre", step="start", source=source)
    ]


def test_headrace_package_files(manager):
    manager.register(example("headrace_package_files"), "acme")
    assert manager.package_files(PackageFilesRequest(GRAPH, "/project")) == {"acme/VERSION": b"2026.7\n"}


def test_headrace_task_environment(manager):
    manager.register(example("headrace_task_environment"), "acme")
    request = TaskEnvironmentRequest("TrainFlow", "17", "start", GRAPH)
    assert manager.task_environment(request) == {"TEAM": "ml", "FLOW_NAME": "TrainFlow"}


def test_headrace_task_execute(manager):
    spans = []

    class Tracer:
        @contextmanager
        def span(self, name):
            spans.append(f"open {name}")
            try:
                yield
            finally:
                spans.append(f"close {name}")

    manager.register(example("headrace_task_execute", tracer=Tracer()), "acme")
    outcome = Outcome("succeeded", ("end",))
    task = types.SimpleNamespace(spec=types.SimpleNamespace(pathspec="TrainFlow/17/start/0"))
    assert manager.task_execute(ExecuteRequest(task), lambda: spans.append("step") or outcome) is outcome
    assert spans == ["open TrainFlow/17/start/0", "step", "close TrainFlow/17/start/0"]


def test_headrace_on_event(manager):
    posted = []
    manager.register(example("headrace_on_event", post=posted.append), "acme")
    for state in ("succeeded", "failed"):
        manager.on_event(Event("run-ended", 1.0, "TrainFlow", "17", data={"state": state}))
    manager.close()
    assert posted == ["TrainFlow/17 failed"]


def test_headrace_doctor(manager):
    manager.register(example("headrace_doctor", Diagnostic=Diagnostic, VERSION="2026.7"), "acme")
    assert manager.doctor(DoctorRequest("/project", {}, False)) == [Diagnostic("info", "acme defaults 2026.7", code="acme-version")]
