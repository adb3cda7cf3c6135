"""From a flow class to its graph: which steps there are, where each goes, what was declared. Runs no user code; reads the source instead."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from headrace_hookspecs.errors import FlowDefinitionError, UsageError
from headrace_hookspecs.ids import check_id
from headrace_hookspecs.ir import FlowGraph, Source, StepKind, StepNode

from ..graph.analysis import analyse
from ..graph.lint import problems_of
from ..graph.problems import Problem, diagnostics, graph_error
from .calls import Tail, read_tail
from .declarations import decorator_uses, parameter_specs
from .flow import FlowSpec
from .source import Sources
from .steps import StepMark, mark_of, members_of, user_function

if TYPE_CHECKING:
    from headrace_hookspecs.diagnostics import Diagnostic

_MEMBERS: Final = frozenset(name for name in vars(FlowSpec) if not name.startswith("_"))
_ASYNC, _GENERATOR = 0x80 | 0x100 | 0x200, 0x20  # CO_COROUTINE, CO_ITERABLE_COROUTINE, CO_ASYNC_GENERATOR; CO_GENERATOR (inspect is slow)


class _Step(NamedTuple):
    """A step as it stands in the class: the decorated function, its mark, and the function that was written."""

    function: object
    mark: StepMark | None
    user: Any


def build_graph(cls: type[FlowSpec]) -> FlowGraph:
    """The graph of a flow, analysed but not yet checked: `graph.lint.check` does that.

    Raises GraphError, listing every problem, where a step says something that no graph can hold; FlowDefinitionError for a wrong declaration
    and for steps whose source cannot be read.
    """
    graph, problems = _draft(cls)
    if problems:
        raise graph_error(_all(graph, problems))
    return graph


def diagnose(cls: type[FlowSpec]) -> tuple[FlowGraph, list[Diagnostic]]:
    """The graph as far as it can be read, and every problem with it."""
    graph, problems = _draft(cls)
    return graph, _all(graph, problems)


def _all(graph: FlowGraph, problems: list[Problem]) -> list[Diagnostic]:
    unread = {problem.step for problem in problems if problem.code != "lint-arguments"}
    return diagnostics(graph, [*problems, *problems_of(graph, unread)])


def _draft(cls: type[FlowSpec]) -> tuple[FlowGraph, list[Problem]]:
    _check_names(cls)
    sources = Sources()
    steps = {name: _Step(value, mark_of(value), user_function(value)) for name, value in members_of(cls, mark_of).items()}
    problems: list[Problem] = []
    start, end = (_terminal(steps, which, problems) for which in ("start", "end"))
    nodes = {name: _node(name, step, name == end, len(steps) == 1, sources, problems) for name, step in steps.items()}
    graph = FlowGraph(
        name=cls.__name__, steps=nodes, start=start, end=end, parameters=parameter_specs(cls),
        decorators=decorator_uses(reversed(cls.__mro__)), doc=clean_doc(cls.__doc__), source=_class_source(cls, sources),
    )  # fmt: skip
    return analyse(graph), problems


def _check_names(cls: type[FlowSpec]) -> None:
    """Raise FlowDefinitionError where the class's name, or one of its attributes', cannot be what it is."""
    try:
        check_id("flow", cls.__name__)
    except UsageError:
        problem, remedy = f"{cls.__name__!r} cannot be the name of a flow.", "Use ASCII letters, digits and _, at most 128 of them."
        raise FlowDefinitionError(problem, remedy=remedy, code="flow-name") from None
    for base in cls.__mro__[: cls.__mro__.index(FlowSpec)]:
        for name in _MEMBERS.intersection(vars(base)):
            if mark_of(vars(base)[name]) is None:
                problem, remedy = f"{base.__name__}.{name} hides what every flow has under that name.", "Give the attribute another name."
                file = getattr(sys.modules.get(base.__module__), "__file__", None)
                raise FlowDefinitionError(problem, file=file, remedy=remedy, code="flow-member-reserved")


def _terminal(steps: dict[str, _Step], which: str, problems: list[Problem]) -> str:
    """The name of the first or last step: the annotated one, else that of the name `start` or `end`, else the only one; else empty."""
    marked = [name for name, step in steps.items() if getattr(step.mark, which, False)]
    if len(steps) == 1:
        return next(iter(steps))
    if len(marked) > 1:
        text = f"More than one step is @step({which}=True): {', '.join(marked)}."
        code = {"start": "lint-start-several", "end": "lint-end-several"}[which]
        problems += [Problem(code, text, "A flow has one of them.", name) for name in marked[1:]]
    elif marked and which in steps and marked[0] != which:
        text = f"Step {marked[0]!r} is @step({which}=True), and there is a step named {which!r} too."
        code = {"start": "lint-start-conflict", "end": "lint-end-conflict"}[which]
        problems.append(Problem(code, text, "Rename that step, or drop the annotation.", marked[0]))
    return marked[0] if marked else which if which in steps else ""


def _node(name: str, step: _Step, is_end: bool, alone: bool, sources: Sources, problems: list[Problem]) -> StepNode:
    code = step.user.__code__
    try:
        tail = read_tail(function := sources.function(step.user))
        line = function.lineno
    except FlowDefinitionError:
        if not (alone or (step.mark and step.mark.start and step.mark.end)):
            raise
        tail, line = Tail(), code.co_firstlineno  # a flow of one step has no transitions that would have to be read
    count = code.co_argcount
    if code.co_flags & (_ASYNC | _GENERATOR):
        what = "async def" if code.co_flags & _ASYNC else "a generator (it has a yield)"
        text = f"Step {name!r} is {what}: its body would never run."
        problems.append(Problem("lint-body-invalid", text, "Write a plain def without yield.", name))
    elif tail.problem is not None:
        word, text, remedy = tail.problem
        if is_end:
            word, text, remedy = "lint-end-next", f"Step {name!r} is the last one and calls self.next.", "Remove the call."
        problems.append(Problem(word, text, remedy, name, Source(code.co_filename, tail.line)))
    if count not in (1, 2):
        text = f"Step {name!r} takes {count} arguments." if count else f"Step {name!r} takes no self."
        problems.append(Problem("lint-arguments", text, f"Write def {name}(self), or def {name}(self, inputs) for a join.", name))
    node_kind: StepKind = "end" if is_end else "join" if count > 1 and tail.kind == "linear" else tail.kind
    return StepNode(
        name=name, kind=node_kind, next=tail.next, foreach=tail.foreach, switch=tail.switch, num_parallel=tail.num_parallel,
        takes_inputs=count > 1, source=Source(code.co_filename, line),
        next_source=Source(code.co_filename, tail.line) if tail.line else None,
        doc=clean_doc(step.user.__doc__), decorators=decorator_uses([step.function]),
    )  # fmt: skip


def _class_source(cls: type, sources: Sources) -> Source | None:
    own = next((user_function(value) for value in vars(cls).values() if mark_of(value) is not None), None)
    file = own.__code__.co_filename if own else getattr(sys.modules.get(cls.__module__), "__file__", None)
    return Source(file, sources.class_line(file, cls.__name__, own.__code__.co_firstlineno if own else 0)) if file else None


def clean_doc(text: str | None) -> str:
    """A docstring without its indentation and the blank lines around it."""
    lines = (text or "").expandtabs().strip().splitlines()
    margin = min((len(line) - len(line.lstrip()) for line in lines[1:] if line.strip()), default=0)
    return "\n".join([*lines[:1], *(line[margin:] for line in lines[1:])])
