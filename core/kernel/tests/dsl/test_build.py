"""From a class to its graph."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest
from flowfiles import HEADER, SECOND_STEP, line_of

from headrace import FlowSpec
from headrace.dsl.build import build_graph
from headrace.dsl.load import load_flow
from headrace.graph.lint import check
from headrace_hookspecs import DecoratorUse, Source, Switch
from headrace_hookspecs.errors import FlowDefinitionError

Make = Callable[[str], type[FlowSpec]]


def test_steps_have_their_place_their_words_and_their_transitions(flow: Make, folder: Path) -> None:
    graph = build_graph(
        flow('''
class Penguins(FlowSpec):
    """About birds.

       Indented.
    """

    @step
    def start(self):
        """Read."""
        self.xs = [1]
        self.next(
            self.fit,
            foreach="xs",  # of the list
        )

    @step
    def fit(self):
        self.next(self.join)

    @step
    def join(self, inputs):
        self.next(self.end)

    @step
    def end(self): pass
''')
    )
    file = str(folder / "flow.py")
    path = folder / "flow.py"
    assert (graph.name, graph.start, graph.end, graph.doc) == ("Penguins", "start", "end", "About birds.\n\nIndented.")
    assert graph.source == Source(file, line_of(path, "class Penguins"))
    assert list(graph.steps) == ["start", "fit", "join", "end"] == list(graph.order)
    start = graph.steps["start"]
    assert (start.kind, start.next, start.foreach, start.doc) == ("foreach", ("fit",), "xs", "Read.")
    assert start.source == Source(file, line_of(path, "def start"))
    assert start.next_source == Source(file, line_of(path, "self.xs") + 1)
    assert (start.matching_join, graph.steps["fit"].split_parents, graph.steps["fit"].foreach_depth) == ("join", ("start",), 1)
    assert (graph.steps["join"].kind, graph.steps["join"].closes, graph.steps["join"].takes_inputs) == ("join", "start", True)
    assert (graph.steps["end"].kind, graph.steps["end"].next, graph.steps["end"].next_source) == ("end", (), None)


def test_steps_stand_in_the_order_of_the_source_not_of_the_alphabet(flow: Make) -> None:
    graph = build_graph(
        flow("""
class F(FlowSpec):
    @step
    def start(self):
        self.next(self.z, self.a)
    @step
    def z(self):
        self.next(self.join)
    @step
    def a(self):
        self.next(self.join)
    @step
    def join(self, inputs):
        self.next(self.end)
    @step
    def end(self): pass
""")
    )
    assert list(graph.steps) == list(graph.order) == ["start", "z", "a", "join", "end"]
    assert graph.steps["join"].predecessors == ("z", "a")


@pytest.mark.parametrize("value", ["'x'", "1", "-1", "1.5", "-0.5", "True", "False", "None"])
def test_cases_of_a_switch_are_constants(value: str, flow: Make) -> None:
    graph = build_graph(
        flow(f"""
class F(FlowSpec):
    @step
    def start(self):
        self.kind = 3
        self.next({{{value}: self.a, "other": self.b, "third": self.a}}, condition="kind")
    @step
    def a(self):
        self.next(self.end)
    @step
    def b(self):
        self.next(self.end)
    @step
    def end(self): pass
""")
    )
    start = graph.steps["start"]
    assert start.switch == Switch("kind", ((ast.literal_eval(value), "a"), ("other", "b"), ("third", "a")))
    assert start.next == ("a", "b")
    check(graph)


def test_a_recursive_step_is_known_as_one(flow: Make) -> None:
    graph = build_graph(
        flow("""
class F(FlowSpec):
    @step
    def start(self):
        self.next(self.loop)
    @step
    def loop(self):
        self.more = False
        self.next({True: self.loop, False: self.end}, condition="more")
    @step
    def end(self): pass
""")
    )
    check(graph)
    assert graph.steps["loop"].recursive
    assert graph.steps["loop"].predecessors == ("start",)
    assert graph.steps["end"].predecessors == ("loop",)


def test_the_artifact_of_a_foreach_may_be_computed(flow: Make) -> None:
    graph = build_graph(
        flow("""
WHAT = "xs"
class F(FlowSpec):
    @step
    def start(self):
        self.xs = [1]
        self.next(self.a, foreach=WHAT)
    @step
    def a(self):
        self.next(self.j)
    @step
    def j(self, inputs):
        self.next(self.end)
    @step
    def end(self): pass
""")
    )
    check(graph)
    assert (graph.steps["start"].kind, graph.steps["start"].foreach) == ("foreach", None)


def test_annotations_name_the_first_and_the_last_step(flow: Make) -> None:
    graph = build_graph(
        flow("""
class F(FlowSpec):
    @step(end=True)
    def finish(self): pass
    @step(start=True)
    def begin(self):
        self.next(self.finish)
""")
    )
    check(graph)
    assert (graph.start, graph.end, graph.order) == ("begin", "finish", ("begin", "finish"))


def test_one_step_is_a_flow_whatever_its_name(flow: Make) -> None:
    graph = build_graph(
        flow("""
class F(FlowSpec):
    @step
    def only(self): pass
""")
    )
    check(graph)
    assert (graph.start, graph.end, graph.steps["only"].kind) == ("only", "only", "end")


def test_each_step_is_read_from_the_file_where_it_is_written(folder: Path) -> None:
    (folder / "base.py").write_text(
        HEADER
        + """
trace = step_decorator("trace", "nowhere:Trace")

class Mixin:
    rate = Parameter("rate", default=0.5)
    @trace
    @step
    def middle(self):
        self.next(self.last)
    @trace
    @step
    def end(self):
        raise NotImplementedError

class Base(Mixin, FlowSpec):
    alpha = Parameter("alpha", default=1)
    @step
    def start(self):
        self.next(self.middle)
    beta = Parameter("beta", default=2)
"""
    )
    (folder / "flow.py").write_text(
        HEADER
        + """
from base import Base

class F(Base):
    gamma = Parameter("gamma", default=3)
    alpha = Parameter("alpha", default=10)
    @step
    def last(self):
        self.next(self.end)
    @step
    def end(self): pass
"""
    )
    graph = build_graph(load_flow(str(folder / "flow.py")).cls)
    check(graph)
    base, own = str(folder / "base.py"), str(folder / "flow.py")
    assert {name: node.source.file for name, node in graph.steps.items() if node.source} == {
        "start": base,
        "middle": base,
        "end": own,
        "last": own,
    }
    assert graph.steps["middle"].source == Source(base, line_of(folder / "base.py", "def middle"))
    assert [use.name for use in graph.steps["middle"].decorators] == ["trace"]
    assert graph.steps["end"].decorators == ()
    assert [(spec.attribute, spec.default) for spec in graph.parameters] == [("rate", 0.5), ("alpha", 10), ("beta", 2), ("gamma", 3)]


def test_a_wrapped_step_is_read_from_what_was_written(flow: Make, folder: Path) -> None:
    graph = build_graph(
        flow(
            """
import functools

def loud(function):
    @functools.wraps(function)
    def wrapper(*args):
        print("now")
        return function(*args)
    return wrapper

class F(FlowSpec):
    @loud
    @step
    def start(self):
        self.next(self.j)
    @step
    @loud
    def j(self):
        self.next(self.end)
"""
            + SECOND_STEP
        )
    )
    check(graph)
    assert graph.steps["start"].source == Source(str(folder / "flow.py"), line_of(folder / "flow.py", "def start"))
    assert graph.order == ("start", "j", "end")


def test_decorators_are_data_in_the_order_of_the_source(flow: Make, folder: Path) -> None:
    graph = build_graph(
        flow(
            """
first = step_decorator("first", "nowhere:First")
second = step_decorator("second", "nowhere:Second", multiple=True)
whole = flow_decorator("whole", "nowhere:Whole")
outer = flow_decorator("outer", "nowhere:Outer")

def hook(): pass

@outer()
class Base(FlowSpec): pass

@whole(on=[hook, ValueError])
class F(Base):
    @first(times=3, names=("a", "b"))
    @second(x={"y": None})
    @second()
    @step
    def start(self):
        self.next(self.end)
"""
            + SECOND_STEP
        )
    )
    file, path = str(folder / "flow.py"), folder / "flow.py"
    line = line_of(path, "@first(times")
    assert graph.steps["start"].decorators == (
        DecoratorUse("first", {"times": 3, "names": ["a", "b"]}, Source(file, line)),
        DecoratorUse("second", {"x": {"y": None}}, Source(file, line + 1)),
        DecoratorUse("second", {}, Source(file, line + 2)),
    )
    assert graph.decorators == (
        DecoratorUse("outer", {}, Source(file, line_of(path, "@outer"))),
        DecoratorUse("whole", {"on": ["flow:hook", "builtins:ValueError"]}, Source(file, line_of(path, "@whole"))),
    )


@pytest.mark.parametrize("value", ["object()", "lambda: 1", "{1: 2}", "{'a': {1, 2}}", "b'x'"])
def test_a_decorator_takes_what_can_be_stored(value: str, flow: Make, folder: Path) -> None:
    cls = flow(
        f"""
first = step_decorator("first", "nowhere:First")
class F(FlowSpec):
    @first(value={value})
    @step
    def start(self):
        self.next(self.end)
"""
        + SECOND_STEP
    )
    with pytest.raises(FlowDefinitionError) as raised:
        build_graph(cls)
    error = raised.value
    assert (error.code, error.file, error.line) == (
        "flow-decorator-value",
        str(folder / "flow.py"),
        line_of(folder / "flow.py", "@first(value"),
    )


@pytest.mark.parametrize(
    "member", ["next = 3", "def run(self): pass", "input = Parameter('input')", "index = property(len)", "merge_artifacts = None"]
)
def test_what_every_flow_has_cannot_be_hidden(member: str, flow: Make, folder: Path) -> None:
    cls = flow(
        f"""
class F(FlowSpec):
    {member}
    @step
    def start(self):
        self.next(self.end)
"""
        + SECOND_STEP
    )
    with pytest.raises(FlowDefinitionError) as raised:
        build_graph(cls)
    assert (raised.value.code, raised.value.file) == ("flow-member-reserved", str(folder / "flow.py"))


def test_a_flow_has_a_name_that_can_be_a_path(flow: Make) -> None:
    cls = flow(
        """
class Übung(FlowSpec):
    @step
    def start(self):
        self.next(self.end)
"""
        + SECOND_STEP
    )
    with pytest.raises(FlowDefinitionError) as raised:
        build_graph(cls)
    assert raised.value.code == "flow-name"


def test_step_stands_above_functions_only() -> None:
    from headrace import step

    with pytest.raises(FlowDefinitionError) as raised:
        step(3)  # type: ignore[type-var]
    assert raised.value.code == "flow-step-function"


def test_the_mark_is_the_one_that_decorators_look_for() -> None:
    from headrace.dsl.steps import MARK
    from headrace_hookspecs.decorators import IS_STEP

    assert MARK == IS_STEP
