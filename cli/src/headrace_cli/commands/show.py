"""`flow show`: the graph of a flow as text, JSON or Graphviz."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from .. import output
from ..flowcommand import FlowCommand, flow_argument, loaded_flow
from ..session import CliSession

if TYPE_CHECKING:
    from headrace_hookspecs import DecoratorUse, FlowGraph, StepNode


@click.command("show", cls=FlowCommand, short_help="Show the graph of a flow.")
@flow_argument
@click.option("--dot", is_flag=True, help="Print the graph for Graphviz.")
@output.json_option
@click.pass_context
def command(ctx: click.Context, dot: bool, as_json: bool) -> None:
    """Print the steps of a flow in the order in which they run, with their decorators and what follows.

    \b
    Examples:
      flow show hello.py
      flow show flows.py:TrainFlow
      flow show -m shop.flows:TrainFlow
      flow show hello.py --dot | dot -Tsvg > hello.svg
    """
    from headrace.dsl.build import build_graph

    session = ctx.ensure_object(CliSession)
    graph = build_graph(loaded_flow(ctx).cls)
    if as_json:
        from headrace.graph.codec import graph_to_json

        session.emit(graph_to_json(graph))
    elif dot:
        session.echo(graphviz(graph))
    else:
        session.echo(text(graph))


def text(graph: FlowGraph) -> str:
    """The flow and, in topological order, its steps."""
    where = f"  {graph.source.file}:{graph.source.line}" if graph.source else ""
    blocks = [f"{output.paint(graph.name, 'bold', sys.stdout)}{where}\n{graph.doc}".rstrip()]
    blocks += ["\n".join(_decorator(use) for use in graph.decorators)] if graph.decorators else []
    blocks += [_step(graph.steps[name]) for name in graph.order or graph.steps]
    return "\n\n".join(blocks)


def _step(step: StepNode) -> str:
    lines = [_decorator(use) for use in step.decorators]
    lines.append(f"Step {output.paint(step.name, 'bold', sys.stdout)}")
    lines += [f"  {line}".rstrip() for line in (step.doc or "?").splitlines()]
    if step.next:
        lines.append(f"  => {_following(step)}")
    return "\n".join(lines)


def _following(step: StepNode) -> str:
    if step.switch is not None:
        cases = ", ".join(f"{target} if {_plain(case)}" for case, target in step.switch.cases)
        return f"{cases}  (by self.{step.switch.condition})"
    targets = ", ".join(step.next)
    if step.foreach is not None:
        return f"{targets}  (foreach self.{step.foreach})"
    return f"{targets}  (num_parallel)" if step.num_parallel else targets


def _decorator(use: DecoratorUse) -> str:
    values = ", ".join(f"{key}={_plain(value)}" for key, value in use.config.items())
    origin = "" if use.origin == "source" else f"  (from {use.origin})"
    return f"@{use.name}{f'({values})' if values else ''}{origin}"


def _plain(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=repr)


def graphviz(graph: FlowGraph) -> str:
    """The graph in the language of Graphviz."""
    shapes = {"switch": "hexagon", "foreach": "box3d", "join": "invhouse"}
    lines = [f"digraph {graph.name} {{", "  rankdir=LR;", '  node [shape=box, fontname="sans-serif"];']
    for name in graph.order or graph.steps:
        step = graph.steps[name]
        lines.append(f"  {name} [shape={shapes.get(step.kind, 'box')}];")
        if step.switch is not None:
            lines += [f"  {name} -> {target} [label={_quoted(_plain(case))}];" for case, target in step.switch.cases]
        else:
            label = f" [label={_quoted(f'each of {step.foreach}')}]" if step.foreach else ""
            lines += [f"  {name} -> {target}{label};" for target in step.next]
    return "\n".join([*lines, "}"])


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
