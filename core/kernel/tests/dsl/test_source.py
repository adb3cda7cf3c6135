"""Where the source of steps comes from."""

from __future__ import annotations

import ast
import doctest
import linecache
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flowfiles import HEADER, SECOND_STEP

from headrace import FlowSpec
from headrace.dsl.build import build_graph
from headrace.dsl.load import load_flow
from headrace.graph.lint import check
from headrace_hookspecs.errors import FlowDefinitionError

Make = Callable[[str], type[FlowSpec]]


def test_no_source_is_an_error_that_says_what_to_do() -> None:
    space: dict[str, Any] = {"__name__": "nowhere"}
    exec(
        HEADER + "class F(FlowSpec):\n    @step\n    def start(self):\n        self.next(self.end)\n    @step\n    def end(self): pass\n",
        space,
    )
    with pytest.raises(FlowDefinitionError) as raised:
        build_graph(space["F"])
    error = raised.value
    assert (error.code, error.step, error.file) == ("flow-source-missing", "start", "<string>")
    assert error.remedy


def test_a_flow_of_one_step_needs_no_source() -> None:
    space: dict[str, Any] = {"__name__": "nowhere"}
    exec(HEADER + "class F(FlowSpec):\n    @step(start=True, end=True)\n    def only(self): pass\n", space)
    graph = build_graph(space["F"])
    check(graph)
    assert (graph.order, graph.steps["only"].kind) == (("only",), "end")


def test_source_that_is_in_linecache_only_is_read_as_in_a_notebook() -> None:
    text = HEADER + "class F(FlowSpec):\n    @step\n    def start(self):\n        self.next(self.end)\n    @step\n    def end(self): pass\n"
    name = "<ipython-input-1-0123456789ab>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    space: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(text, name, "exec"), space)
    graph = build_graph(space["F"])
    check(graph)
    assert graph.steps["start"].next == ("end",)


def flow_in_a_doctest() -> None:
    """A flow in an example.

    >>> from headrace import FlowSpec, step
    >>> class F(FlowSpec):
    ...     @step
    ...     def start(self):
    ...         self.next(self.end)
    ...     @step
    ...     def end(self):
    ...         pass
    >>> from headrace.dsl.build import build_graph
    >>> build_graph(F).order
    ('start', 'end')
    """


def test_source_in_a_doctest_is_read() -> None:
    results = [doctest.DocTestRunner().run(found) for found in doctest.DocTestFinder().find(flow_in_a_doctest, globs={})]
    assert [(result.attempted, result.failed) for result in results] == [(4, 0)]


def test_a_file_that_changed_since_it_was_imported_is_not_misread(flow: Make, folder: Path) -> None:
    cls = flow("class F(FlowSpec):\n    @step\n    def start(self):\n        self.next(self.end)\n" + SECOND_STEP)
    (folder / "flow.py").write_text("# a line\n" * 3 + HEADER)
    with pytest.raises(FlowDefinitionError) as raised:
        build_graph(cls)
    assert raised.value.code == "flow-source-changed"


@pytest.mark.parametrize("coding", ["utf-8-sig", "latin-1"])
def test_files_are_read_in_their_own_encoding(coding: str, folder: Path) -> None:
    text = "# -*- coding: latin-1 -*-\n" if coding == "latin-1" else ""
    text += (
        HEADER + 'class F(FlowSpec):\n    @step\n    def start(self):\n        """Größe."""\n        self.next(self.end)\n' + SECOND_STEP
    )
    (folder / "flow.py").write_bytes(text.encode(coding))
    graph = build_graph(load_flow("flow.py").cls)
    assert graph.steps["start"].doc == "Größe."


def test_a_file_is_parsed_once(flow: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    cls = flow("class F(FlowSpec):\n    @step\n    def start(self):\n        self.next(self.end)\n" + SECOND_STEP)
    parsed: list[object] = []
    parse = ast.parse
    monkeypatch.setattr(ast, "parse", lambda *args, **kwargs: [parsed.append(args[1]), parse(*args, **kwargs)][1])
    build_graph(cls)
    assert len(parsed) == 1
