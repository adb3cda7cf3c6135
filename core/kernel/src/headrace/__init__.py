"""The names that a flow file needs, and those that read its runs back. Each is imported on first use, so that importing `headrace` costs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headrace_client import Flow, Run, Runner, Step, Task
    from headrace_hookspecs import errors
    from headrace_hookspecs.errors import HeadraceError
    from headrace_resilience import catch, retry, timeout
    from headrace_resources import environment, resources

    from .dsl.flow import FlowSpec
    from .dsl.parameters import JSONType, Parameter, ParameterContext
    from .dsl.state import Inputs
    from .dsl.steps import step
    from .task.current import current

__version__ = "0.1.0"

__all__ = [
    "Flow", "FlowSpec", "HeadraceError", "Inputs", "JSONType", "Parameter", "ParameterContext", "Run", "Runner", "Step", "Task",
    "catch", "current", "environment", "errors", "resources", "retry", "step", "timeout",
]  # fmt: skip

if not TYPE_CHECKING:  # a checker that sees `__getattr__` takes every misspelt name for right

    def __getattr__(name):
        from importlib import import_module

        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        if name in ("catch", "environment", "resources", "retry", "timeout"):
            from .host.index import read_index
            from .host.registry import Registry

            value = Registry(read_index()).load("headrace.decorator", name)
        elif name == "errors":
            value = import_module("headrace_hookspecs.errors")
        else:
            homes = {"FlowSpec": "dsl.flow", "HeadraceError": "", "Inputs": "dsl.state", "current": "task.current", "step": "dsl.steps"}
            homes.update(dict.fromkeys(("JSONType", "Parameter", "ParameterContext"), "dsl.parameters"))
            try:
                home = f"headrace.{homes[name]}" if name in homes else "headrace_client"
                value = getattr(import_module("headrace_hookspecs" if name == "HeadraceError" else home), name)
            except ModuleNotFoundError as error:
                if error.name != "headrace_client":
                    raise
                raise ImportError(f"headrace.{name} needs the client: pip install headrace-client", name=error.name) from None
        globals()[name] = value
        return value

    def __dir__():
        return sorted({*globals(), *__all__})
