"""A plugin host over plugins that a test writes down in place: no distributions, no files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import attrs

from headrace.host.index import Index
from headrace.host.manager import PluginManager
from headrace.host.registry import Registry
from headrace.plan.config import Config
from headrace_hookspecs import (
    ConfigDefaultsRequest,
    DoctorRequest,
    ExecuteRequest,
    FlowGraph,
    GraphCheckRequest,
    GraphTransformRequest,
    PackageFilesRequest,
    StepNode,
    TaskEnvironmentRequest,
    hookimpl,
)

HOOKS = "headrace.hooks"
GRAPH = FlowGraph("F", {"start": StepNode("start", "linear", next=("end",)), "end": StepNode("end", "end")}, "start", "end")
TRANSFORM = GraphTransformRequest(GRAPH, False, {})
CHECK = GraphCheckRequest(GRAPH, "fork", False, {})
DOCTOR = DoctorRequest("/p", {}, False)
DEFAULTS = ConfigDefaultsRequest("/p", None, {})
FILES = PackageFilesRequest(GRAPH, "/p")
ENVIRONMENT = TaskEnvironmentRequest("F", "1", "start", GRAPH)
EXECUTE = ExecuteRequest(None)  # type: ignore[arg-type]


def config(**plugins: Any) -> Config:
    return Config({"plugins": {"required": [], "order": [], **plugins}}, "/p")


class Host:
    """A manager over plugins that are registered in this process, and what it said."""

    def __init__(self, process: Any = "author", environ: dict[str, str] | None = None, index: Index | None = None, **plugins: Any) -> None:
        settings = {name: plugins.pop(name) for name in ("required", "order") if name in plugins}
        disabled = plugins.pop("disable", [])
        self.said: list[str] = []
        registry = Registry(index or Index(()), disabled)
        for name, plugin in plugins.items():
            registry.register(HOOKS, name, plugin)
        self.manager = PluginManager(registry, config(**settings), process, say=self.said.append, environ=environ or {})


def plugin(hook: str, function: Callable[..., Any], *, processes: Any = None, **options: Any) -> Any:
    """An object with one hook. `function` gets the request (or event)."""
    if hook == "headrace_on_event":

        def method(self: Any, event: Any) -> Any:
            return function(event)
    else:

        def method(self: Any, request: Any) -> Any:  # type: ignore[misc]
            return function(request)

    if options.get("wrapper"):

        def method(self: Any, request: Any) -> Any:  # type: ignore[misc]
            return (yield from function(request))

    body: dict[str, Any] = {hook: hookimpl(method, **options)}
    if processes is not None:
        body["headrace_processes"] = processes
    return type("Plugin", (), body)()


def mark(label: str) -> Callable[[GraphTransformRequest], FlowGraph]:
    """A transformation that adds `label` to what the first step's doc says."""

    def transform(request: GraphTransformRequest) -> FlowGraph:
        return attrs.evolve(request.graph, doc=request.graph.doc + label)

    return transform


def transforms(**labels: str) -> dict[str, Any]:
    return {name: plugin("headrace_graph_transform", mark(label)) for name, label in labels.items()}


def good_wrapper(request: Any) -> Iterator[None]:
    return (yield)  # type: ignore[misc]
