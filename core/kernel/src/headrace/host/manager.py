"""Calls the hooks of all plugins that are installed; a typed method stands for each. pluggy is imported only if a plugin has hooks."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from headrace_hookspecs.errors import GraphError, PluginError

from .registry import Registry

if TYPE_CHECKING:
    from headrace_hookspecs.diagnostics import Diagnostic
    from headrace_hookspecs.events import Event
    from headrace_hookspecs.hooks import (
        ConfigDefaultsRequest,
        DoctorRequest,
        ExecuteRequest,
        GraphCheckRequest,
        GraphTransformRequest,
        PackageFilesRequest,
        TaskEnvironmentRequest,
    )
    from headrace_hookspecs.ir import FlowGraph
    from headrace_hookspecs.outcome import Outcome

    from ..plan.config import Config
    from .hosted import Hosted
    from .observers import Observer

GROUP: Final = "headrace.hooks"
T = TypeVar("T")


def say_on_stderr(line: str) -> None:
    """The default way of telling the user something."""
    print(f"headrace: {line}", file=sys.stderr, flush=True)


class PluginManager:
    """The hooks plugins of one process, which is `author`, `scheduler` or `task`, or several of them at once.

    Plugins are loaded, sorted (`plugins.order` first, then by name) and registered before the first call. One that cannot be imported,
    speaks another API or breaks a rule of hooks is named and left out, whichever hooks it has; only `plugins.required` turns that, like its
    absence, into an error. Once registered, a failure in a policy hook stops, one in an observer does not.
    """

    def __init__(
        self,
        registry: Registry,
        config: Config,
        process: str | Collection[str],
        *,
        say: Callable[[str], None] = say_on_stderr,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._registry: Final = registry
        self._config: Final = config
        self._processes: Final = {process} if isinstance(process, str) else set(process)
        self._say: Final = say
        self._trace: Final = environ.get("HEADRACE_TRACE_HOOKS") == "1"
        self._extra: Final[dict[str, object]] = {}
        self._hosted: dict[str, Hosted] | None = None
        self._observers: list[Observer] | None = None

    def register(self, plugin: object, name: str) -> None:
        """Add an object with hooks: a chosen provider, or a plugin of a test. Without a hook, or under a known name, nothing happens.

        After the first call it comes behind the others, and serves the hooks that are still to be called.
        """
        if name in self._extra or not any(attribute.startswith("headrace_") for attribute in dir(plugin)):
            return
        self._extra[name] = plugin
        if self._hosted is not None:
            self._host(self._hosted, name, plugin)
            if self._observers is not None and name in self._hosted:
                self._observers += self._observe(self._hosted[name])

    def implements(self, hook: str) -> bool:
        """Whether any plugin has the hook, so that a caller can spare itself the request."""
        return any(hook in plugin.hooks for plugin in self._plugins())

    @property
    def observes(self) -> bool:
        """Whether anybody listens to events."""
        return self.implements("headrace_on_event")

    def config_defaults(self, request: ConfigDefaultsRequest) -> dict[str, Mapping[str, Any]]:
        """The nested defaults of each plugin, by the plugin's name. No two set the same key."""
        answers = dict(self._ask("headrace_config_defaults", request, partial(_mapping_to, object)))
        owners: dict[tuple[str, ...], str] = {}
        for name, tree in answers.items():
            for path in _paths(tree):
                for other, owner in owners.items():
                    if owner != name and other[: len(path)] == path[: len(other)]:
                        raise _both(owner, name, "configuration key", ".".join(path if len(path) > len(other) else other))
                owners[path] = name
        return answers

    def graph_transform(self, request: GraphTransformRequest, relint: Callable[[FlowGraph], object]) -> FlowGraph:
        """The graph as all plugins leave it, in order; `relint` is called with the result of each."""
        import attrs

        from headrace_hookspecs.ir import FlowGraph

        for plugin in self._plugins():
            for graph in plugin.ask("headrace_graph_transform", request, partial(_of_type, FlowGraph)):
                try:
                    relint(graph)
                except GraphError as error:
                    error.remedy = f"The plugin {plugin.name!r} made this of the graph. {error.remedy or ''}".rstrip()
                    raise
                request = attrs.evolve(request, graph=graph)
        return request.graph

    def graph_check(self, request: GraphCheckRequest) -> list[Diagnostic]:
        """The diagnostics of all plugins."""
        return [item for _, found in self._ask("headrace_graph_check", request, _diagnostics) for item in found]

    def package_files(self, request: PackageFilesRequest) -> dict[str, bytes]:
        """Archive path -> content. No two plugins give the same path."""
        files: dict[str, bytes] = {}
        owners: dict[str, str] = {}
        for name, answer in self._ask("headrace_package_files", request, partial(_mapping_to, bytes)):
            for path, content in answer.items():
                if "\\" in path or {"", ".", ".."} & set(path.split("/")):
                    raise PluginError(f"The plugin {name!r} packages {path!r}, which is no path inside a package.", code="plugin-failed")
                if path in files:
                    raise _both(owners[path], name, "packaged file", path)
                owners[path], files[path] = name, content
        return files

    def task_environment(self, request: TaskEnvironmentRequest) -> dict[str, str]:
        """Environment variables for the tasks of a step. No two plugins give one name different values."""
        values: dict[str, str] = {}
        owners: dict[str, str] = {}
        for name, answer in self._ask("headrace_task_environment", request, partial(_mapping_to, str)):
            for variable, value in answer.items():
                if values.get(variable, value) != value:
                    raise _both(owners[variable], name, "environment variable", variable)
                owners[variable], values[variable] = name, value
        return values

    def task_execute(self, request: ExecuteRequest, kernel: Callable[[], Outcome]) -> Outcome:
        """Run `kernel` inside all wrappers, the first plugin's outermost. Raises what it raises, or what a wrapper makes of that."""
        call = kernel
        for plugin in reversed(list(self._plugins())):
            if "headrace_task_execute" in plugin.hooks:
                call = partial(plugin.wrap, request, call)
        return call()

    def on_event(self, event: Event) -> None:
        """Pass the event on to every observer's own thread; returns at once and never raises."""
        if self._observers is None:
            self._observers = [observer for plugin in self._plugins() for observer in self._observe(plugin)]
        for observer in self._observers:
            observer.tell(event)

    def doctor(self, request: DoctorRequest) -> list[Diagnostic]:
        """What all plugins say about the installation. A failure is a finding about the plugin."""
        from headrace_hookspecs.diagnostics import Diagnostic

        found: list[Diagnostic] = []
        for plugin in self._plugins():
            try:
                found += [item for answer in plugin.ask("headrace_doctor", request, _diagnostics) for item in answer]
            except Exception as error:  # noqa: BLE001 - an observer's failure, of whatever kind, is only told
                found.append(Diagnostic("error", getattr(error, "message", str(error)), "plugin-failed"))
        return found

    def close(self, timeout: float = 5.0) -> None:
        """Let the observers take what is waiting, for at most `timeout` seconds: the end of a run. Another may follow."""
        deadline = time.monotonic() + timeout
        for observer in self._observers or ():
            observer.close(deadline)

    def _plugins(self) -> Iterable[Hosted]:
        if self._hosted is None:
            hosted: dict[str, Hosted] = {}
            required = self._config.get("plugins.required")
            order: list[str] = self._config.get("plugins.order")
            rank = {name: place for place, name in enumerate(order)}
            names = {*self._registry.names(GROUP), *required, *self._extra}
            for name in sorted(names, key=lambda name: (rank.get(name, len(order)), name)):
                if name in self._extra:
                    self._host(hosted, name, self._extra[name])
                    continue
                try:
                    self._host(hosted, name, self._registry.load(GROUP, name))
                except PluginError as error:
                    if name in required:
                        error.remedy = f"`plugins.required` names it. {error.remedy or ''}".rstrip()
                        raise
                    self._say(f"The plugin {name!r} is left out. {error.message}")
            self._hosted = hosted
        return self._hosted.values()

    def _host(self, hosted: dict[str, Hosted], name: str, plugin: object) -> None:
        # what `headrace_hookspecs.hooks.processes_of` answers, without importing pluggy for it
        if self._processes.intersection(getattr(plugin, "headrace_processes", ("author", "scheduler"))):
            from .hosted import Hosted

            hosted[name] = Hosted(name, plugin, trace=self._trace)

    def _ask(self, hook: str, request: object, accept: Callable[[Any], T]) -> list[tuple[str, T]]:
        return [(plugin.name, answer) for plugin in self._plugins() for answer in plugin.ask(hook, request, accept)]

    def _observe(self, plugin: Hosted) -> list[Observer]:
        if "headrace_on_event" not in plugin.hooks:
            return []
        from .observers import Observer

        return [Observer(plugin.name, plugin.tell, self._say)]


def _of_type(kind: type[Any], answer: Any) -> Any:
    if not isinstance(answer, kind):
        raise TypeError(f"it answered {type(answer).__name__} instead of {kind.__name__}")
    return answer


def _mapping_to(kind: type[Any], answer: object) -> Mapping[str, Any]:
    mapping: Mapping[str, Any] = _of_type(Mapping, answer)
    for key, value in mapping.items():
        if not (isinstance(key, str) and isinstance(value, kind)):
            raise TypeError(f"it answered {key!r}: {value!r}, which does not map text to {kind.__name__}")
    return mapping


def _diagnostics(answer: Iterable[Diagnostic]) -> list[Diagnostic]:
    from headrace_hookspecs.diagnostics import Diagnostic

    return [_of_type(Diagnostic, item) for item in answer]


def _paths(tree: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterable[tuple[str, ...]]:
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from _paths(value, (*above, key))
        else:
            yield (*above, key)


def _both(one: str, other: str, noun: str, what: str) -> PluginError:
    return PluginError(
        f"The plugins {one!r} and {other!r} both set the {noun} {what!r}.",
        code="plugin-conflict",
        remedy="Disable one of the two with `plugins.disable`.",
    )
