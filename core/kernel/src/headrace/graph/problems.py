"""Findings of the validity checker before anybody asks for them: plain tuples, as attrs classes cost time that a flow without problems need not spend."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from headrace_hookspecs.errors import GraphError
from headrace_hookspecs.ir import FlowGraph, Source, StepNode

if TYPE_CHECKING:
    from headrace_hookspecs.diagnostics import Diagnostic


class Problem(NamedTuple):
    """One finding; `code` names the rule. `step` is empty where it is about the whole flow, `source` None where it is the step's or flow's own."""

    code: str
    message: str
    remedy: str
    step: str = ""
    source: Source | None = None


def at_step(node: StepNode, code: str, message: str, remedy: str) -> Problem:
    """A finding about a step, shown at its definition."""
    return Problem(code, message, remedy, node.name)


def at_next(node: StepNode, code: str, message: str, remedy: str) -> Problem:
    """A finding about a transition, shown at the step's `self.next`."""
    return Problem(code, message, remedy, node.name, node.next_source)


def diagnostics(graph: FlowGraph, problems: Iterable[Problem]) -> list[Diagnostic]:
    """The findings as the contract has them, in source order; those about the whole flow come first."""
    position = {name: number for number, name in enumerate(graph.steps)}
    homes = {name: node.source for name, node in graph.steps.items()}
    found = [problem._replace(source=problem.source or homes.get(problem.step) or graph.source) for problem in problems]
    if not found:
        return []
    from headrace_hookspecs.diagnostics import Diagnostic

    found.sort(key=lambda problem: (position.get(problem.step, -1), problem.source.line if problem.source else 0))
    return [Diagnostic("error", p.message, p.code, p.step or None, p.source, p.remedy) for p in found]


def graph_error(found: Sequence[Diagnostic]) -> GraphError:
    """One error for all of them: the first heads, the others follow its remedy."""
    first, *rest = found
    lines = [first.remedy or ""]
    if rest:
        lines.append(f"  {len(rest)} more problem{'s' if len(rest) > 1 else ''}:")
        lines += [f"  - {_where(other)}{other.message} {other.remedy or ''}".rstrip() for other in rest]
    source = first.source
    return GraphError(
        first.message,
        remedy="\n".join(lines).strip(),
        file=source.file if source else None,
        line=(source.line or None) if source else None,
        step=first.step,
        code=first.code,
    )


def _where(found: Diagnostic) -> str:
    return f"{found.source.file}:{found.source.line}: " if found.source else ""
