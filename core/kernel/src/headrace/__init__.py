"""The names that a flow file needs, and those that read its runs back. Each is imported on first use, so that importing `headrace` costs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headrace_client import Flow, Run, Runner, Step, Task
    from headrace_hookspecs.errors import (
        ConfigError,
        CorruptDataError,
        FlowDefinitionError,
        FlowFileError,
        GraphError,
        HeadraceError,
        InvalidTransitionError,
        MissingCapabilityError,
        NotFoundError,
        ParameterError,
        PluginError,
        RunFailed,
        RunInterrupted,
        SerializationError,
        StoreError,
        UsageError,
    )
    from headrace_resilience import catch, retry, timeout
    from headrace_resources import environment, resources

    from .dsl.flow import FlowSpec
    from .dsl.parameters import JSONType, Parameter, ParameterContext
    from .dsl.state import Inputs
    from .dsl.steps import step
    from .task.current import current

__version__ = "0.1.0"

__all__ = [
    "ConfigError",
    "CorruptDataError",
    "Flow",
    "FlowDefinitionError",
    "FlowFileError",
    "FlowSpec",
    "GraphError",
    "HeadraceError",
    "Inputs",
    "InvalidTransitionError",
    "JSONType",
    "MissingCapabilityError",
    "NotFoundError",
    "Parameter",
    "ParameterContext",
    "ParameterError",
    "PluginError",
    "Run",
    "RunFailed",
    "RunInterrupted",
    "Runner",
    "SerializationError",
    "Step",
    "StoreError",
    "Task",
    "UsageError",
    "catch",
    "current",
    "environment",
    "resources",
    "retry",
    "step",
    "timeout",
]

if not TYPE_CHECKING:  # a checker that sees `__getattr__` takes every misspelt name for right

    def __getattr__(name):
        import importlib

        if name in ("catch", "environment", "resources", "retry", "timeout"):
            from .host.index import read_index
            from .host.registry import Registry

            value = Registry(read_index()).load("headrace.decorator", name)
        elif name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        else:
            home = {
                **dict.fromkeys(("Flow", "Run", "Runner", "Step", "Task"), "headrace_client"),
                **dict.fromkeys(("JSONType", "Parameter", "ParameterContext"), "headrace.dsl.parameters"),
                "FlowSpec": "headrace.dsl.flow",
                "Inputs": "headrace.dsl.state",
                "current": "headrace.task.current",
                "step": "headrace.dsl.steps",
            }.get(name, "headrace_hookspecs.errors")
            try:
                value = getattr(importlib.import_module(home), name)
            except ModuleNotFoundError as error:
                if error.name != "headrace_client":
                    raise
                raise ImportError(f"headrace.{name} needs the client: pip install headrace-client", name=home) from None
        globals()[name] = value
        return value

    def __dir__():
        return sorted({*globals(), *__all__})
