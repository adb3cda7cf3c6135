"""The options that a flow brings to the command line: its parameters, and what its decorators declare. Imports the language, so only here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headrace.dsl.declarations import parameter_specs
from headrace.dsl.parameters import parameters_of
from headrace_hookspecs.decorators import CALLS

from .parameters import decorator_options, parameter_options

if TYPE_CHECKING:
    import click

    from headrace.dsl.load import LoadedFlow


def options_of(loaded: LoadedFlow, *, parameters: bool) -> list[click.Option]:
    """With `parameters` those, in the order of their definition; then the options of flow decorators."""
    options: list[click.Option] = []
    if parameters:
        declared = parameters_of(loaded.cls)
        options += parameter_options(loaded.cls.__name__, [(spec, declared[spec.attribute]) for spec in parameter_specs(loaded.cls)])
    if any(CALLS in base.__dict__ for base in loaded.cls.__mro__):
        from headrace.dsl.build import build_graph
        from headrace.host.index import read_index
        from headrace.host.registry import Registry
        from headrace.plan.decorators import flow_options

        for decorator, brought in flow_options(build_graph(loaded.cls), Registry(read_index())).items():
            options += decorator_options(f"Options of @{decorator}", brought)
    return options
