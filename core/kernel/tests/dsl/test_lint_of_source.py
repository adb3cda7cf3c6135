"""Each rule of the validity checker, on a flow file whose comments say what is found where."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flowfiles import expected

from headrace import FlowSpec, GraphError
from headrace.dsl.build import build_graph, diagnose
from headrace.graph.lint import check

CASES = {
    "valid linear": """
class F(FlowSpec):
    @step
    def start(self):
        self.next(self.end)
    @step
    def end(self): pass
""",
    "reserved names": """
class F(FlowSpec):
    @step
    def start(self):
        self.next(self.name)
    @step
    def name(self):  # lint-name-reserved
        self.next(self.run)
    @step
    def run(self):  # lint-name-reserved
        self.next(self.merge_artifacts)
    @step
    def merge_artifacts(self):  # lint-name-reserved
        self.next(self.index)
    @step
    def index(self):  # lint-name-reserved
        self.next(self.foreach_stack)
    @step
    def foreach_stack(self):  # lint-name-reserved
        self.next(self.input)
    @step
    def input(self):  # lint-name-reserved
        self.next(self.end)
    @step
    def end(self): pass
""",
    "no steps": """
class F(FlowSpec): pass  # lint-steps-missing
""",
    "no start": """
class F(FlowSpec):  # lint-start-missing
    @step
    def begin(self):
        self.next(self.end)
    @step
    def end(self): pass
""",
    "no end": """
class F(FlowSpec):  # lint-end-missing
    @step
    def start(self):
        self.next(self.last)
    @step
    def last(self):  # lint-next-missing
        pass
""",
    "two starts": """
class F(FlowSpec):
    @step(start=True)
    def a(self):
        self.next(self.end)
    @step(start=True)
    def b(self):  # lint-start-several
        self.next(self.end)
    @step
    def end(self): pass
""",
    "two ends": """
class F(FlowSpec):
    @step
    def start(self):
        self.next(self.a, self.b)
    @step(end=True)
    def a(self): pass
    @step(end=True)
    def b(self): pass  # lint-end-several
""",
    "annotated start beside a step of that name": """
class F(FlowSpec):
    @step(start=True)
    def first(self):  # lint-start-conflict
        self.next(self.start)
    @step
    def start(self):
        self.next(self.end)
    @step
    def end(self): pass
""",
    "annotated end beside a step of that name": """
class F(FlowSpec):
    @step
    def start(self):
        self.next(self.end)
    @step
    def end(self):
        self.next(self.last)
    @step(end=True)
    def last(self): pass  # lint-end-conflict
""",
    "start is entered": """
class F(FlowSpec):
    @step
    def start(self):
        self.next(self.a)
    @step
    def a(self):
        self.kind = 1
        self.next({1: self.start, 2: self.end}, condition="kind")  # lint-start-entered lint-cycle
    @step
    def end(self): pass
""",
    "start loops": """
class F(FlowSpec):
    @step
    def start(self):
        self.kind = 1
        self.next({1: self.start, 2: self.end}, condition="kind")  # lint-start-entered
    @step
    def end(self): pass
""",
    "end goes on": """
class F(FlowSpec):
    @step
    def start(self):
        self.next(self.end)
    @step
    def end(self):
        self.next(self.start)  # lint-end-next
""",
    "end returns a transition": """
class F(FlowSpec):
    @step
    def start(self):
        self.next(self.end)
    @step
    def end(self):
        return self.next(self.start)  # lint-end-next
""",
    "end joins": """
class F(FlowSpec):
    @step
    def start(self):
        self.next(self.a, self.b)
    @step
    def a(self):
        self.next(self.end)
    @step
    def b(self):
        self.next(self.end)
    @step
    def end(self, inputs):  # lint-end-join
        pass
""",
    "step names": """
class F(FlowSpec):
    @step
    def start(self):
        self.next(self.Train)
    @step
    def Train(self):  # lint-name-invalid
        self.next(self._fit)
    @step
    def _fit(self):  # lint-name-invalid
        self.next(self.größe)
    @step
    def größe(self):  # lint-name-invalid
        self.next(self.end)
    @step
    def end(self): pass
""",
    "too many arguments": """
class F(FlowSpec):
    @step
    def start(self):
        self.next(self.a, self.b)
    @step
    def a(self):
        self.next(self.c)
    @step
    def b(self):
        self.next(self.c)
    @step
    def c(self, inputs, more):  # lint-arguments
        self.next(self.end)
    @step
    def end(self): pass
""",
    "no self": """
class F(FlowSpec):
    @step
    def start(self):
        self.next(self.end)
    @step
    def end():  # lint-arguments
        pass
""",
    "arguments that do not count": """
class F(FlowSpec):
    @step
    def start(self, *rest, extra=1, **others):
        self.next(self.end)
    @step
    def end(self): pass
""",
    "join that splits": """
class F(FlowSpec):
    @step
    def start(self):
        self.xs = [1]
        self.next(self.a, foreach="xs")
    @step
    def a(self):
        self.next(self.b)
    @step
    def b(self, inputs):  # lint-join-splits
        self.next(self.c, foreach="xs")
    @step
    def c(self):
        self.next(self.d)
    @step
    def d(self, inputs):
        self.next(self.end)
    @step
    def end(self): pass
""",
    "no transition": """
class F(FlowSpec):
    @step
    def start(self):  # lint-next-missing
        self.x = 1
    @step
    def end(self): pass
""",
    "transition of an inner function": """
class F(FlowSpec):
    @step
    def start(self):  # lint-next-missing
        def later():
            self.next(self.end)
        later()
    @step
    def end(self): pass
""",
    "returned": """
class F(FlowSpec):
    @step
    def start(self):
        return self.next(self.end)  # lint-next-return
    @step
    def end(self): pass
""",
    "another receiver": """
class F(FlowSpec):
    @step
    def start(me):
        me.next(me.end)  # lint-next-receiver
    @step
    def end(self): pass
""",
    "not last": """
class F(FlowSpec):
    @step
    def start(self):
        self.next(self.end)  # lint-next-not-last
        print("done")
    @step
    def end(self): pass
""",
    "nested": """
class F(FlowSpec):
    @step
    def start(self):
        if self.x:
            self.next(self.end)  # lint-next-nested
        else:
            self.next(self.end)
    @step
    def end(self): pass
""",
    "twice": """
class F(FlowSpec):
    @step
    def start(self):
        self.next(self.end)  # lint-next-twice
        self.next(self.end)
    @step
    def end(self): pass
""",
    "async": """
class F(FlowSpec):
    @step
    async def start(self):  # lint-body-invalid
        self.next(self.end)
    @step
    def end(self): pass
""",
    "generator": """
class F(FlowSpec):
    @step
    def start(self):
        self.next(self.end)
    @step
    def end(self):  # lint-body-invalid
        yield 1
""",
    "unknown keyword": """
class F(FlowSpec):
    @step
    def start(self):
        self.next(self.end, each="xs")  # lint-next-invalid
    @step
    def end(self): pass
""",
    "two keywords": """
class F(FlowSpec):
    @step
    def start(self):
        self.next(self.end, foreach="xs", num_parallel=2)  # lint-next-invalid
    @step
    def end(self): pass
""",
    "no target": """
class F(FlowSpec):
    @step
    def start(self):
        self.next()  # lint-next-invalid
    @step
    def end(self): pass
""",
    "two targets of a foreach": """
class F(FlowSpec):
    @step
    def start(self):
        self.next(self.end, self.end2, foreach="xs")  # lint-next-invalid
    @step
    def end2(self):
        self.next(self.end)
    @step
    def end(self): pass
""",
    "foreach of no name": """
class F(FlowSpec):
    @step
    def start(self):
        self.next(self.end, foreach=3)  # lint-next-invalid
    @step
    def end(self): pass
""",
    "target of no name": """
class F(FlowSpec):
    @step
    def start(self):
        self.next("end")  # lint-next-invalid
    @step
    def end(self): pass
""",
    "starred target": """
class F(FlowSpec):
    @step
    def start(self):
        self.next(*self.all)  # lint-next-invalid
    @step
    def end(self): pass
""",
    "keywords from a dict": """
class F(FlowSpec):
    @step
    def start(self):
        self.next(self.end, **self.how)  # lint-next-invalid
    @step
    def end(self): pass
""",
    "target twice": """
class F(FlowSpec):
    @step
    def start(self):
        self.next(self.end, self.end)  # lint-next-invalid
    @step
    def end(self): pass
""",
    "unknown target": """
class F(FlowSpec):
    @step
    def start(self):
        self.next(self.edn)  # lint-next-unknown
    @step
    def end(self): pass
""",
    "target that is no step": """
class F(FlowSpec):
    def helper(self): pass
    @step
    def start(self):
        self.next(self.helper)  # lint-next-unknown
    @step
    def end(self): pass
""",
    "cycle": """
class F(FlowSpec):
    @step
    def start(self):
        self.kind = 1
        self.next({1: self.a, 2: self.end}, condition="kind")
    @step
    def a(self):
        self.next(self.b)
    @step
    def b(self):
        self.next(self.a)  # lint-cycle
    @step
    def end(self): pass
""",
    "step that follows itself": """
class F(FlowSpec):
    @step
    def start(self):
        self.next(self.a, self.b)
    @step
    def a(self):
        self.next(self.a)  # lint-cycle
    @step
    def b(self):
        self.next(self.end)
    @step
    def end(self): pass
""",
    "unreachable": """
class F(FlowSpec):
    @step
    def start(self):
        self.next(self.end)
    @step
    def lost(self):  # lint-step-unreachable
        self.next(self.lost2)
    @step
    def lost2(self):  # lint-step-unreachable
        self.next(self.end)
    @step
    def end(self): pass
""",
    "split that nobody joins": """
class F(FlowSpec):
    @step
    def start(self):
        self.xs = [1]
        self.next(self.a, foreach="xs")  # lint-split-open
    @step
    def a(self):
        self.next(self.end)
    @step
    def end(self): pass
""",
    "branches that meet without a join": """
class F(FlowSpec):
    @step
    def start(self):
        self.next(self.a, self.b)
    @step
    def a(self):
        self.next(self.c)
    @step
    def b(self):
        self.next(self.c)
    @step
    def c(self):  # lint-join-missing
        self.next(self.end)
    @step
    def end(self): pass
""",
    "join of some branches": """
class F(FlowSpec):
    @step
    def start(self):
        self.next(self.a, self.b, self.c)
    @step
    def a(self):
        self.next(self.j)
    @step
    def b(self):
        self.next(self.j)
    @step
    def c(self):
        self.next(self.k)
    @step
    def j(self, inputs):  # lint-join-branches
        self.next(self.k2)
    @step
    def k(self, inputs):  # lint-join-branches
        self.next(self.k2)
    @step
    def k2(self):
        self.next(self.end)
    @step
    def end(self): pass
""",
    "join of no split": """
class F(FlowSpec):
    @step
    def start(self):
        self.next(self.j)
    @step
    def j(self, inputs):  # lint-join-alone
        self.next(self.end)
    @step
    def end(self): pass
""",
    "join of unrelated splits": """
class F(FlowSpec):
    @step
    def start(self):
        self.next(self.a, self.b)
    @step
    def a(self):
        self.xs = [1]
        self.next(self.c, foreach="xs")
    @step
    def b(self):
        self.next(self.j)
    @step
    def c(self):
        self.next(self.j)
    @step
    def j(self, inputs):  # lint-join-unrelated
        self.next(self.end)
    @step
    def end(self): pass
""",
    "switch out of a foreach": """
class F(FlowSpec):
    @step
    def start(self):
        self.kind = 1
        self.next({1: self.a, 2: self.b}, condition="kind")
    @step
    def a(self):
        self.xs = [1]
        self.next(self.c, foreach="xs")
    @step
    def b(self):
        self.next(self.d)
    @step
    def c(self):
        self.next(self.d)
    @step
    def d(self):  # lint-split-unbalanced
        self.next(self.end)
    @step
    def end(self): pass
""",
    "alternatives that join differently": """
class F(FlowSpec):
    @step
    def start(self):
        self.xs = [1]
        self.next(self.a, foreach="xs")
    @step
    def a(self):
        self.kind = 1
        self.next({1: self.b, 2: self.c}, condition="kind")
    @step
    def b(self):
        self.next(self.j)
    @step
    def c(self):
        self.next(self.k)
    @step
    def j(self, inputs):
        self.next(self.end)
    @step
    def k(self, inputs):  # lint-join-several
        self.next(self.end)
    @step
    def end(self): pass
""",
    "empty branch": """
class F(FlowSpec):
    @step
    def start(self):
        self.next(self.a, self.j)  # lint-branch-empty
    @step
    def a(self):
        self.next(self.j)
    @step
    def j(self, inputs):
        self.next(self.end)
    @step
    def end(self): pass
""",
    "empty foreach": """
class F(FlowSpec):
    @step
    def start(self):
        self.xs = [1]
        self.next(self.j, foreach="xs")  # lint-foreach-empty
    @step
    def j(self, inputs):
        self.next(self.end)
    @step
    def end(self): pass
""",
    "switch without condition": """
class F(FlowSpec):
    @step
    def start(self):
        self.next({1: self.end, 2: self.end})  # lint-switch-invalid
    @step
    def end(self): pass
""",
    "condition without cases": """
class F(FlowSpec):
    @step
    def start(self):
        self.next(self.end, condition="kind")  # lint-switch-invalid
    @step
    def end(self): pass
""",
    "condition that is no text": """
class F(FlowSpec):
    @step
    def start(self):
        self.next({1: self.end, 2: self.end}, condition=self.kind)  # lint-switch-invalid
    @step
    def end(self): pass
""",
    "cases that are equal": """
class F(FlowSpec):
    @step
    def start(self):
        self.next({1: self.end, True: self.end}, condition="kind")  # lint-switch-invalid
    @step
    def end(self): pass
""",
    "case that is no constant": """
class F(FlowSpec):
    @step
    def start(self):
        self.next({1: self.end, str(2): self.end}, condition="kind")  # lint-switch-invalid
    @step
    def end(self): pass
""",
    "cases from elsewhere": """
class F(FlowSpec):
    @step
    def start(self):
        self.next({1: self.end, **self.more}, condition="kind")  # lint-switch-invalid
    @step
    def end(self): pass
""",
    "one case": """
class F(FlowSpec):
    @step
    def start(self):
        self.next({1: self.end}, condition="kind")  # lint-switch-cases
    @step
    def end(self): pass
""",
    "no case": """
class F(FlowSpec):
    @step
    def start(self):
        self.next({}, condition="kind")  # lint-switch-cases
    @step
    def end(self): pass
""",
    "switch into a join": """
class F(FlowSpec):
    @step
    def start(self):
        self.xs = [1]
        self.next(self.a, foreach="xs")
    @step
    def a(self):
        self.kind = 1
        self.next({1: self.b, 2: self.j}, condition="kind")  # lint-switch-join
    @step
    def b(self):
        self.next(self.j)
    @step
    def j(self, inputs):
        self.next(self.end)
    @step
    def end(self): pass
""",
    "parallel": """
parallel = step_decorator("parallel", "nowhere:Parallel")
class F(FlowSpec):
    @step
    def start(self):
        self.next(self.work, num_parallel=4)
    @parallel
    @step
    def work(self):
        self.next(self.j)
    @step
    def j(self, inputs):
        self.next(self.end)
    @step
    def end(self): pass
""",
    "num_parallel without @parallel": """
class F(FlowSpec):
    @step
    def start(self):
        self.next(self.work, num_parallel=4)
    @step
    def work(self):  # lint-parallel-missing
        self.next(self.j)
    @step
    def j(self, inputs):
        self.next(self.end)
    @step
    def end(self): pass
""",
    "@parallel without num_parallel": """
pytorch_parallel = step_decorator("pytorch_parallel", "nowhere:Parallel")
class F(FlowSpec):
    @step
    def start(self):
        self.xs = [1]
        self.next(self.work, foreach="xs")
    @pytorch_parallel
    @step
    def work(self):  # lint-parallel-entry
        self.next(self.j)
    @step
    def j(self, inputs):
        self.next(self.end)
    @step
    def end(self): pass
""",
    "@parallel without a join": """
parallel = step_decorator("parallel", "nowhere:Parallel")
class F(FlowSpec):
    @step
    def start(self):
        self.next(self.work, num_parallel=4)
    @parallel
    @step
    def work(self):
        self.next(self.more)  # lint-parallel-join
    @step
    def more(self):
        self.next(self.j)
    @step
    def j(self, inputs):
        self.next(self.end)
    @step
    def end(self): pass
""",
    "several independent problems": """
class F(FlowSpec):
    @step
    def start(self):
        self.next(self.next)
    @step
    def next(self):  # lint-name-reserved
        self.next(self.Bad)
    @step
    def Bad(self):  # lint-name-invalid
        self.next(self.j)
    @step
    def j(self, inputs):  # lint-join-alone
        self.next(self.end)
    @step
    def end(self): pass
""",
}


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
