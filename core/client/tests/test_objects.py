from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from headrace_client import Artifact, ExecutingRun, Flow, Run, Step, Task, flows
from headrace_hookspecs.errors import NotFoundError, UsageError

from .conftest import Open

if TYPE_CHECKING:
    from headrace_hookspecs import TaskView

    view: type[TaskView] = Task


def test_a_flow_lists_its_runs_newest_first(shop: Path, good: ExecutingRun, bad: ExecutingRun, project: Open) -> None:
    flow = Flow("ShopFlow", project=project(shop))

    assert flows(project(shop)) == [flow]
    assert list(flow)[-2:] == [bad.run, good.run]
    assert flow[good.run.id] == good.run
    assert good.run.id in flow
    assert "20000101-000000000-aaaaaa" not in flow
    assert list(flow.runs("nightly")) == [good.run]
    assert flow.latest_successful_run == next(run for run in flow if run.successful)
    assert flow.latest_run == next(iter(flow))
    assert flow.parent is None


def test_a_run_knows_how_it_went(good: ExecutingRun, bad: ExecutingRun) -> None:
    run = good.run
    assert (run.state, run.successful, run.finished, run.failed_task) == ("succeeded", True, True, None)
    assert (bad.run.state, bad.run.successful, bad.run.finished) == ("failed", False, True)
    assert bad.run.failed_task == bad.run["price"]["1"]
    assert isinstance(run.created_at, datetime)
    assert run.created_at.tzinfo is not None
    assert run.finished_at is not None
    assert run.finished_at > run.created_at
    assert run.user_tags == {"nightly"}
    assert {"nightly", f"user:{run.fact.data['user']}"} < run.tags
    assert run.parameters == {"items": ["tea", "jam"], "tax": 0.25, "break_at": -1}
    assert run.origin_pathspec is None
    assert run.graph.name == "ShopFlow"


def test_steps_come_newest_first_and_tasks_by_index(good: ExecutingRun) -> None:
    run = good.run

    assert [step.id for step in run] == ["end", "close", "check", "round", "sum", "join", "price", "start"]
    assert [step.id for step in run.steps()] == ["start", "price", "join", "sum", "round", "check", "close", "end"]
    assert [task.id for task in run["price"].tasks()] == ["0", "1"]
    assert {task.id for task in run["price"]} == {"0", "1"}
    assert run["start"].task == run["start"]["0"]
    assert run["start"].doc == "Where it begins."
    assert [step.id for step in run["sum"].child_steps] == ["round", "check"]
    assert [step.id for step in run["join"].parent_steps] == ["price"]
    assert run["price"].finished_at is not None
    assert len(list(run.tasks())) == 9
    assert "nowhere" not in run


def test_values_are_read_by_attribute(good: ExecutingRun) -> None:
    run = good.run
    assert run.data is not None
    assert (run.data.rounded, run.data.tax, "rounded" in run.data, "nothing" in run.data) == (6, 0.25, True, False)
    assert "rounded" in dir(run.data)
    with pytest.raises(AttributeError, match="no artifact 'nothing'"):
        _ = run.data.nothing

    start = run["start"]["0"]
    assert list(start.artifacts()) == ["stock"]
    assert [artifact.id for artifact in start] == ["stock"]
    assert start["_private"].data == 1
    assert start.artifacts.stock == start["stock"]
    stock = start["stock"]
    assert (stock.data, stock.type, stock.serializer, stock.parent) == (["tea", "jam"], "list", "plain", start)
    assert stock.size > 0
    assert stock == Artifact(stock.pathspec, project=run.project)
    with pytest.raises(NotFoundError):
        start.artifact("nothing")


def test_output_is_text_and_may_be_called(good: ExecutingRun) -> None:
    price = good.run["price"]["1"]

    assert price.stderr == price.stderr() == "pricing jam\n"
    assert price.stdout == ""
    assert good.run["start"]["0"].stdout == "opening\n"


def test_a_failed_task_tells_why(bad: ExecutingRun) -> None:
    task = bad.run["price"]["1"]

    assert (task.state, task.successful, task.finished) == ("failed", False, True)
    assert task.exception is not None
    assert (task.exception.type, task.exception.message) == ("builtins.ValueError", "no price for jam")
    assert "raise ValueError" in str(task.exception)
    assert task.data.cost == 3.0
    assert bad.run.end_task is None
    assert bad.run.data is None
    assert [step.id for step in bad.run.steps()] == ["start", "price"]


def test_each_attempt_can_be_looked_at(good: ExecutingRun) -> None:
    task = good.run["round"]["0"]

    assert (task.state, task.attempt, [each.attempt for each in task.attempts]) == ("succeeded", 1, [0, 1])
    first, second = task.attempts
    assert (first.state, first.stdout, second.state, second.stdout) == ("failed", "attempt 0\n", "succeeded", "attempt 1\n")
    assert first.exception is not None
    assert first.exception.type == "builtins.RuntimeError"
    assert task.exception is None
    assert Task(task.pathspec, attempt=0, project=task.project) == first != task
    with pytest.raises(NotFoundError) as caught:
        Task(task.pathspec, attempt=7, project=task.project)
    assert caught.value.code == "attempt-not-found"


def test_a_caught_failure_is_an_outcome(good: ExecutingRun) -> None:
    task = good.run["check"]["0"]

    assert (task.state, task.successful) == ("absorbed", False)
    assert task.exception is not None
    assert task.exception.type == "builtins.KeyError"
    assert good.run["close"]["0"].data.problem.type == "builtins.KeyError"


def test_lineage_goes_both_ways(good: ExecutingRun) -> None:
    run = good.run
    start, join, close = run["start"]["0"], run["join"]["0"], run["close"]["0"]
    prices = run["price"].tasks()

    assert list(start.parents) == []
    assert list(start.children) == prices == list(join.parents)
    assert [list(price.parents) for price in prices] == [[start], [start]]
    assert [list(price.children) for price in prices] == [[join], [join]]
    assert list(close.parents) == [run["round"]["0"], run["check"]["0"]]
    assert (prices[1].index, prices[1].indices, start.index, start.indices) == (1, (1,), None, ())


def test_equal_is_what_has_the_same_pathspec(good: ExecutingRun, shop: Path, project: Open) -> None:
    again = Run(good.run.pathspec, project=project(shop))

    assert again == good.run
    assert len({again, good.run, good.run["start"], again["start"]}) == 2
    assert again != Step(f"{good.run.pathspec}/start", project=project(shop))
    assert repr(again) == f"Run('{good.run.pathspec}')"
    assert again["start"].parent == again
    assert again["start"]["0"].parent.parent.parent == Flow("ShopFlow", project=project(shop))


def test_what_does_not_exist_is_an_error_that_names_the_place(shop: Path, good: ExecutingRun, project: Open) -> None:
    opened = project(shop)
    run = good.run.pathspec
    for kind, pathspec, code in [
        (Flow, "NoFlow", "flow-not-found"),
        (Run, "ShopFlow/1", "run-not-found"),
        (Step, f"{run}/nowhere", "step-not-found"),
        (Task, f"{run}/price/2", "task-not-found"),
        (Artifact, f"{run}/price/1/nothing", "artifact-not-found"),
        (Run, "ShopFlow", "pathspec-invalid"),
        (Flow, run, "pathspec-invalid"),
    ]:
        with pytest.raises(NotFoundError) as caught:
            kind(pathspec, project=opened)
        assert caught.value.code == code
    with pytest.raises(UsageError) as refused:
        Run("../x", project=opened)
    assert refused.value.code == "id-invalid"


def test_the_project_is_that_of_the_current_folder(good: ExecutingRun, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop)

    run = Run(good.run.pathspec)

    assert (run, run.state) == (good.run, "succeeded")
    run.project.close()
