"""A flow file and the parts of a project that planning needs, with plugins registered in this process."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from headrace.dsl.load import LoadedFlow, load_flow
from headrace.host.index import Index
from headrace.plan.config import load_config
from headrace.plan.plan import Plan, make_plan
from headrace.project import Project
from headrace_hookspecs import Capability, StepNode
from headrace_hookspecs.formats import process_workload

FLOW = """
    from decorators_of_the_test import *
    from headrace import FlowSpec, step

    class Small(FlowSpec):
        @step
        def start(self):
            self.next(self.end)

        @step
        def end(self):
            pass
"""


class Launcher:
    """A launcher that can only render."""

    def __init__(self, capabilities: frozenset[Capability] = frozenset()) -> None:
        self.capabilities = capabilities

    def render(self, step: StepNode) -> Any:
        return process_workload(step)


class Provider:
    """A plugin object around a ready-made provider."""

    api = "1.0"

    def __init__(self, make: Callable[[], Any], config: type[Any] | None = None) -> None:
        self.make = make
        self.config = config
        self.seen: list[Any] = []

    def config_class(self) -> type[Any] | None:
        return self.config

    def create(self, config: Any, context: Any) -> Any:
        self.seen.append((config, context))
        return self.make()


class Bench:
    """A project without installed plugins, to which a test adds its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.decorators: dict[str, Any] = {}
        self.plugins: dict[tuple[str, str], Any] = {}
        self.options: list[str] = ["launcher.name=plain"]
        self.add("headrace.launcher", "plain", Provider(Launcher))
        self.add("headrace.datastore", "files", Provider(object))
        self.add("headrace.metadata", "sqlite", Provider(object))
        self.project: Project | None = None

    def add(self, group: str, name: str, plugin: Any) -> Any:
        self.plugins[group, name] = plugin
        return plugin

    def decorator(self, handle: Any) -> Any:
        """Make a decorator usable in the flow file and known by name."""
        self.decorators[handle.name] = handle
        return self.add("headrace.decorator", handle.name, handle)

    def load(self, source: str = FLOW) -> LoadedFlow:
        module = type(sys)("decorators_of_the_test")
        module.__dict__.update(self.decorators)
        sys.modules["decorators_of_the_test"] = module
        file = self.folder / "flow.py"
        file.write_text(textwrap.dedent(source))
        return load_flow(str(file))

    def open(self) -> Project:
        config = load_config(project=str(self.folder), options=self.options, environ={})
        project = Project(config, Index(()), flow="Small", environ={})
        for (group, name), plugin in self.plugins.items():
            project.registry.register(group, name, plugin)
        self.project = project
        return project

    def plan(self, source: str = FLOW, *with_specs: str, options: Mapping[str, Any] | None = None, **keywords: Any) -> Plan:
        loaded, project = self.load(source), self.open()
        return make_plan(loaded, project, manager=project.manager("author"), with_specs=with_specs, options=options, **keywords)
