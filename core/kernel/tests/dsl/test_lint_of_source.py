"""Each rule of the validity checker, on a flow file whose comments say what is found where."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flowfiles import expected

from headrace import FlowSpec
from headrace.dsl.build import build_graph, diagnose
from headrace.graph.lint import check
from headrace_hookspecs.errors import GraphError

CASES = dict(re.findall(r"^=== (.*)\n((?:(?!===).*\n)*)", (Path(__file__).parent / "lint_cases.txt").read_text(), re.MULTILINE))


@pytest.mark.parametrize("text", CASES.values(), ids=CASES)
def test_problems_are_found_where_they_are(text: str, flow: Callable[[str], type[FlowSpec]]) -> None:
    cls = flow(text)
    graph, found = diagnose(cls)
    assert [(problem.source.line, problem.code) for problem in found if problem.source] == expected(text)
    assert len(found) == len(expected(text))
    for problem in found:
        assert problem.severity == "error"
        assert problem.source is not None
        assert problem.source.file == graph.source.file if graph.source else False
        assert problem.remedy
        assert problem.step is None or problem.step in graph.steps


@pytest.mark.parametrize(
    "text", [text for text in CASES.values() if "# lint" in text], ids=[name for name in CASES if "# lint" in CASES[name]]
)
def test_one_error_lists_every_problem_and_the_first_heads(text: str, flow: Callable[[str], type[FlowSpec]]) -> None:
    cls = flow(text)
    _, found = diagnose(cls)
    with pytest.raises(GraphError) as raised:
        check(build_graph(cls))
    error = raised.value
    first = found[0]
    assert (error.code, error.message, error.step) == (first.code, first.message, first.step)
    assert first.source is not None
    assert (error.file, error.line) == (first.source.file, first.source.line)
    assert error.remedy is not None
    assert error.remedy.startswith(first.remedy or "?")
    for other in found[1:]:
        assert other.message in error.remedy


def test_step_names_that_every_flow_uses_are_reserved() -> None:
    from headrace.graph.lint_steps import RESERVED

    assert {name for name in dir(FlowSpec) if not name.startswith("_")} <= RESERVED


def test_nested_foreach_can_be_forbidden(flow: Callable[[str], type[FlowSpec]]) -> None:
    from headrace.graph.lint import lint

    text = """
class F(FlowSpec):
    @step
    def start(self):
        self.xs = [1]
        self.next(self.a, foreach="xs")
    @step
    def a(self):
        self.next(self.b, foreach="xs")  # lint-foreach-nested
    @step
    def b(self):
        self.next(self.c)
    @step
    def c(self, inputs):
        self.next(self.d)
    @step
    def d(self, inputs):
        self.next(self.end)
    @step
    def end(self): pass
"""
    graph = build_graph(flow(text))
    assert lint(graph) == []
    found = lint(graph, nested_foreach=False)
    assert [(problem.source.line, problem.code) for problem in found if problem.source] == expected(text)
