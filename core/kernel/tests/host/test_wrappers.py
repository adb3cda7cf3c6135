from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hosting import EXECUTE, Host, good_wrapper, plugin

from headrace_hookspecs import Outcome, PluginError

OUTCOME = Outcome("succeeded", ("end",))


def wrapping(function: Callable[..., Any]) -> Any:
    return plugin("headrace_task_execute", function, processes={"task"}, wrapper=True)


def test_wrappers_nest_with_the_first_plugin_outermost_and_get_the_outcome_itself() -> None:
    log: list[Any] = []

    def around(name: str) -> Callable[..., Any]:
        def wrapper(request: Any) -> Any:
            log.append(f"{name} before")
            outcome = yield
            log.append((name, outcome))
            return outcome

        return wrapper

    host = Host("task", a=wrapping(around("a")), b=wrapping(around("b")))
    assert host.manager.task_execute(EXECUTE, lambda: OUTCOME) is OUTCOME
    assert log == ["a before", "b before", ("b", OUTCOME), ("a", OUTCOME)]


def test_without_wrappers_the_kernel_is_called() -> None:
    assert Host("task").manager.task_execute(EXECUTE, lambda: OUTCOME) is OUTCOME


def boom() -> Outcome:
    raise ValueError("user code")


def test_an_exception_passes_a_wrapper() -> None:
    with pytest.raises(ValueError, match="user code"):
        Host("task", a=wrapping(good_wrapper)).manager.task_execute(EXECUTE, boom)


def test_a_wrapper_may_replace_an_exception() -> None:
    def replace(request: Any) -> Any:
        try:
            return (yield)
        except ValueError as error:
            raise KeyError("better") from error

    with pytest.raises(KeyError, match="better"):
        Host("task", a=wrapping(replace)).manager.task_execute(EXECUTE, boom)


def test_a_wrapper_that_removes_an_exception_is_an_error_naming_it() -> None:
    def swallow(request: Any) -> Any:
        try:
            return (yield)
        except ValueError:
            return OUTCOME

    host = Host("task", a=wrapping(good_wrapper), b=wrapping(swallow), c=wrapping(good_wrapper))
    with pytest.raises(PluginError) as caught:
        host.manager.task_execute(EXECUTE, boom)
    assert caught.value.code == "plugin-wrapper"
    assert caught.value.message == "The plugin 'b' removed an exception in headrace_task_execute."
    assert isinstance(caught.value.__cause__, ValueError)


@pytest.mark.parametrize("answer", [None, Outcome("succeeded", ("end",)), "done"])
def test_a_wrapper_that_answers_anything_but_the_kernels_outcome_is_an_error(answer: Any) -> None:
    def forget(request: Any) -> Any:
        yield
        return answer

    with pytest.raises(PluginError) as caught:
        Host("task", forgetful=wrapping(forget)).manager.task_execute(EXECUTE, lambda: OUTCOME)
    assert caught.value.code == "plugin-wrapper"
    assert caught.value.message.startswith("The plugin 'forgetful' answered ")
