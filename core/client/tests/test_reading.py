import shutil
import time
from pathlib import Path

import pytest

from headrace_client import ExecutingRun, Flow, Run, Runner
from headrace_client.reading import LEASE

from .conftest import Open


@pytest.fixture
def copy(shop: Path, good: ExecutingRun, bad: ExecutingRun, tmp_path: Path) -> Path:
    """The datastore alone, as it would come from another machine: no index."""
    # the index must not even be opened: closing it would drop the locks that this process's own connections hold on it
    shutil.copytree(shop, tmp_path / "copy", ignore=shutil.ignore_patterns("metadata*"))
    return tmp_path / "copy"


def test_everything_can_be_read_without_the_index(copy: Path, good: ExecutingRun, bad: ExecutingRun, project: Open) -> None:
    flow = Flow("ShopFlow", project=project(copy))

    runs = {run.id: run for run in flow}
    assert {run.id: run.state for run in flow} == {run.id: run.state for run in good.run.parent}
    for original in (good.run, bad.run):
        read = runs[original.id]
        assert [task.pathspec for task in read.tasks()] == [task.pathspec for task in original.tasks()]
        assert [task.state for task in read.tasks()] == [task.state for task in original.tasks()]
        assert (read.tags, read.parameters, read.finished_at) == (original.tags, original.parameters, original.finished_at)


def test_what_was_read_from_the_datastore_is_indexed(copy: Path, good: ExecutingRun, project: Open) -> None:
    opened = project(copy)
    assert list(opened.metadata.flows()) == []

    facts = list(Run(good.run.pathspec, project=opened).facts())

    assert list(opened.metadata.flows()) == ["ShopFlow"]
    assert [fact.kind for fact in facts].count("commit") == 9
    again = [fact for fact in Run(good.run.pathspec, project=project(copy)).facts() if fact.kind in ("run", "commit")]
    assert again == [fact for fact in facts if fact.kind in ("run", "commit")]


def test_a_run_runs_only_while_its_lease_lives(copy: Path, good: ExecutingRun, project: Open) -> None:
    ends = copy / ".headrace" / "ShopFlow" / "runs" / good.run.id / "end"
    assert ends.is_dir()
    shutil.rmtree(ends)
    opened = project(copy)
    run = Run(good.run.pathspec, project=opened)
    assert run.state == "lost"

    lease = opened.metadata.acquire(LEASE.format("ShopFlow", run.id), "somebody", 60.0, now=time.time())
    assert lease is not None
    assert (run.state, run.finished, run.finished_at, run["start"]["0"].state) == ("running", False, None, "succeeded")

    opened.metadata.release(lease)
    opened.metadata.acquire(LEASE.format("ShopFlow", run.id), "somebody", 1.0, now=time.time() - 60)
    assert run.state == "lost"


def test_tasks_of_a_resumed_run_tell_where_they_come_from(shop: Path, bad: ExecutingRun) -> None:
    text = (shop / "shop.py").read_text()
    (shop / "mended.py").write_text(text.replace("if self.index == self.break_at:", "if False:"))

    with Runner(shop / "mended.py", show_output=False).resume(origin_run_id=bad.run.id) as resumed:
        run = resumed.run
        assert (resumed.status, run.origin_pathspec) == ("successful", bad.run.pathspec)
        taken = [task for task in run.tasks() if task.origin_pathspec is not None]
        assert [task.origin_pathspec for task in taken] == [bad.run["start"]["0"].pathspec, bad.run["price"]["0"].pathspec]
        assert [task.stderr for task in taken] == ["", "pricing tea\n"]
        assert [task.state for task in run["price"].tasks()] == ["succeeded", "succeeded"]
        assert run["join"]["0"].data.total == 6.0
        assert list(run["join"]["0"].parents) == run["price"].tasks()
