import inspect
import sys

import pytest

from headrace_hookspecs import DecoratorCall, FlowDefinitionError, flow_decorator, step_decorator
from headrace_hookspecs.decorators import CALLS, IS_STEP


def _pause(*, seconds: float = 1.0) -> None:
    """Wait before the step runs."""


pause = step_decorator("pause", "json:JSONDecoder", signature=_pause)
label = step_decorator("label", "json:JSONDecoder", multiple=True)
project = flow_decorator("project", "json:JSONEncoder")


def a_step():
    def work(self): ...

    setattr(work, IS_STEP, True)
    return work


def calls(target):
    return [(call.name, dict(call.kwargs), call.origin) for call in getattr(target, CALLS)]


def test_a_step_decorator_is_used_bare_or_with_keywords():
    bare, called = a_step(), a_step()
    assert pause(bare) is bare
    assert pause(seconds=2)(called) is called
    assert calls(bare) == [("pause", {}, "source")]
    assert calls(called) == [("pause", {"seconds": 2}, "source")]


def test_calls_are_recorded_innermost_first_with_file_and_line():
    def step(function):
        setattr(function, IS_STEP, True)
        return function

    @label(text="b")
    @label(
        text="a",
    )
    @pause
    @step
    def work(self): ...

    first = inspect.getsourcelines(work)[1]
    bare = first + (4 if sys.version_info >= (3, 11) else 6)  # Python 3.10 counts a bare decorator to the line of the `def`
    assert getattr(work, CALLS) == [
        DecoratorCall("pause", {}, __file__, bare),
        DecoratorCall("label", {"text": "a"}, __file__, first + 1),
        DecoratorCall("label", {"text": "b"}, __file__, first),
    ]


def test_a_flow_decorator_is_used_bare_or_with_keywords_and_is_not_inherited():
    @project(name="fraud")
    class Base: ...

    @project
    class Derived(Base): ...

    assert calls(Base) == [("project", {"name": "fraud"}, "source")]
    assert calls(Derived) == [("project", {}, "source")]


def refusal(use):
    with pytest.raises(FlowDefinitionError) as caught:
        use()
    error = caught.value
    assert (error.file, error.line is not None, error.remedy is not None) == (__file__, True, True)
    return error.code, error.message


def test_a_misplaced_decorator_is_refused_where_it_stands():
    below = ("decorator-misplaced", "@pause stands below @step, or above something that is no step.")
    assert refusal(lambda: pause(lambda self: None)) == below
    assert refusal(lambda: pause(seconds=1)(lambda self: None)) == below
    assert refusal(lambda: pause(type("Flow", (), {}))) == (
        "decorator-misplaced",
        "@pause is a step decorator and stands above a class.",
    )
    assert refusal(lambda: project(a_step())) == (
        "decorator-misplaced",
        "@project is a flow decorator and stands above a function.",
    )


@pytest.mark.parametrize("use", [lambda: pause(3), lambda: pause(a_step(), seconds=3), lambda: pause(a_step(), 3), lambda: pause(None)])
def test_step_decorators_take_keywords_only(use):
    assert refusal(use) == ("decorator-misplaced", "@pause takes keyword arguments only.")


@pytest.mark.parametrize("use", [lambda: project("fraud"), lambda: project(type("Flow", (), {}), name="fraud"), lambda: project(None)])
def test_flow_decorators_take_keywords_only(use):
    assert refusal(use) == ("decorator-misplaced", "@project takes keyword arguments only.")


def test_a_decorator_is_attached_twice_only_if_it_says_so():
    step = pause(a_step())
    assert refusal(lambda: pause(seconds=2)(step)) == ("decorator-duplicate", "@pause is attached twice to 'work'.")
    twice = label(text="b")(label(text="a")(a_step()))
    assert calls(twice) == [("label", {"text": "a"}, "source"), ("label", {"text": "b"}, "source")]


def test_the_implementation_is_imported_when_asked_for():
    import json

    assert pause.implementation() is json.JSONDecoder
    with pytest.raises(ImportError):
        step_decorator("late", "headrace_no_such_module:Late").implementation()


def test_editors_see_the_signature_and_the_docstring():
    assert inspect.signature(pause) == inspect.signature(_pause)
    assert inspect.getdoc(pause) == "Wait before the step runs."
    assert str(inspect.signature(label)) == "(*args: 'Any', **kwargs: 'Any') -> 'Any'"
