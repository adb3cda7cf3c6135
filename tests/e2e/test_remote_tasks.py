"""A task of a deployment in a process that has nothing but its slots: what it leaves behind is what a local run leaves."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from records import FLOWS, flow_run, records
from toy import Cluster, Toy

from headrace.graph.codec import graph_from_json
from headrace.project import open_project
from headrace.store.deployments import read_deployment

FLOW = """
from headrace import FlowSpec, JSONType, Parameter, current, step

import helper

class ShopFlow(FlowSpec):
    alpha = Parameter("alpha", default=0.5)
    names = Parameter("names", type=JSONType, default=["a", "b", "c"])
    note = Parameter("note", type=str, required=True)

    @step
    def start(self):
        print("start", self.note)
        self.next(self.each, foreach="names")

    @step
    def each(self):
        self.result = helper.double(self.input) + str(self.alpha)
        self.next(self.join)

    @step
    def join(self, inputs):
        self.all = [each.result for each in inputs]
        self.next(self.fork)

    @step
    def fork(self):
        self.next(self.left, self.right)

    @step
    def left(self):
        self.x = 1
        self.next(self.both)

    @step
    def right(self):
        self.x = 2
        self.next(self.both)

    @step
    def both(self, inputs):
        self.sum = inputs.left.x + inputs.right.x
        self.merge_artifacts(inputs, include=["all"])
        self.next(self.end)

    @step
    def end(self):
        print(self.all, self.sum, current.run_id)
"""


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    return Toy.make(tmp_path)


def deployed(toy: Toy, *words: str) -> Cluster:
    """The flow of the folder, deployed; its author's folder is gone then."""
    manifest = toy.deploy(*words)
    return Cluster(toy, manifest, "20260101-000000000-engine-1", toy.folder.parent / "cluster")


def graph_of(cluster: Cluster):
    project = open_project(str(cluster.toy.folder))
    env = next(iter(cluster.manifest["steps"].values()))["env"]
    flow, _, id = env["HEADRACE_DEPLOYMENT"].partition("/")
    return graph_from_json(read_deployment(project.blobs, flow, id)["graph"])


def test_a_whole_flow(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(toy.installed))
    (toy.folder / "shop.py").write_text(FLOW)
    (toy.folder / "helper.py").write_text("def double(text):\n    return text * 2\n")
    cluster = deployed(toy, "shop.py", "--tag", "nightly")
    graph = graph_of(cluster)
    (toy.folder / "helper.py").unlink()
    executed = cluster.execute(graph, {"alpha": "0.25", "names": "null", "note": 'with "quotes" and {{braces}}'})
    assert executed == [
        *("start/0:0", "each/0:0", "each/1:0", "each/2:0"),
        *("join/0:0", "fork/0:0", "left/0:0", "right/0:0", "both/0:0", "end/0:0"),
    ]
    run = json.loads(toy.flow("list", f"ShopFlow/{cluster.run}", "--json").stdout)
    print(run)
    assert toy.flow("logs", f"ShopFlow/{cluster.run}/end").stdout.endswith(f"['aa0.25', 'bb0.25', 'cc0.25'] 3 {cluster.run}\n")


LINES = {
    "linear": ("Linear", "end 2 {'a': [1, 2]}"),
    "branches": ("Branches", "order ['zebra', 'ant', 'mole'] 3"),
    "nested": ("Nested", "table [[(0, 'a'), (0, 'b')], [(1, 'a'), (1, 'b')], [(2, 'a'), (2, 'b')]]"),
    "resilient": ("Resilient", "resilient 2 ['timeout', 'exit'] True"),
}


def without_folders(found: Any) -> Any:
    """The same with file names in tracebacks instead of paths: a package is unpacked somewhere else each time."""
    if isinstance(found, dict):
        return {key: without_folders(value) for key, value in found.items()}
    if isinstance(found, (list, tuple)):
        return type(found)(map(without_folders, found))
    return re.sub(rb"/[^\s\"]*/(\w+\.py)", rb"\1", found) if isinstance(found, bytes) else found


@pytest.mark.parametrize("name", LINES)
def test_its_records_are_those_of_a_local_run(name: str, toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(toy.installed))
    flow, line = LINES[name]
    shutil.copy(FLOWS / f"{name}.py", toy.folder)
    cluster = deployed(toy, f"{name}.py")
    cluster.execute(graph_of(cluster))
    assert line in toy.flow("logs", f"{flow}/{cluster.run}/end").stdout
    local, _ = flow_run(f"{name}.py", cwd=toy.folder, PYTHONPATH=str(toy.installed))
    there, here = records(toy.folder, flow, cluster.run), records(toy.folder, flow, local)
    for part in here:
        if part != "graph":  # where a step runs, and where its file is, differ on purpose
            assert without_folders(there[part]) == without_folders(here[part]), part


FRAIL = """
import os, signal, time
from headrace import FlowSpec, step, retry, catch, timeout

class FrailFlow(FlowSpec):
    @{decorators}
    @step
    def start(self):
        print("begun", flush=True)
        {body}
        self.next(self.end)

    @step
    def end(self):
        pass
"""


def frail(toy: Toy, body: str, decorators: str = "retry(times=2)") -> Cluster:
    (toy.folder / "frail.py").write_text(FRAIL.format(body=body, decorators=decorators))
    return deployed(toy, "frail.py")


def test_a_failure_is_told_by_status_recorded_and_the_run_ends_as_failed(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(toy.installed))
    cluster = frail(toy, "raise ValueError('no such luck')")
    assert cluster.execute(graph_of(cluster)) == ["start/0:1", "start/0:1", "start/0:202"]
    run = json.loads(toy.flow("list", f"FrailFlow/{cluster.run}", "--json").stdout)
    attempts = json.loads(toy.flow("list", f"FrailFlow/{cluster.run}/start/0", "--json").stdout)
    found = records(toy.folder, "FrailFlow", cluster.run)
    assert found["state"] == "failed"
    assert found["commits"] == {}
    project = open_project(str(toy.folder))
    store = project.run_store("FrailFlow", cluster.run)
    (end,) = store.ends()
    assert (end["failed"], end["failure"]["message"]) == ("start/0/2", "no such luck")
    assert [record.outcome.failure.message for record in store.attempts("start", "0") if record.outcome.failure] == ["no such luck"] * 3
    assert "ValueError: no such luck" in toy.flow("logs", f"FrailFlow/{cluster.run}/start").stdout
    project.close()
    assert run
    assert attempts


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        ("os._exit(7)", "exit", 1),
        ("os._exit(202)", "exit", 202),
        ("os.kill(os.getpid(), signal.SIGKILL)", "signal", 1),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "signal", 1),
        ("time.sleep(60)", "timeout", 1),
        ("signal.signal(signal.SIGALRM, signal.SIG_IGN); time.sleep(60)", "timeout", 1),
    ],
)
def test_a_process_that_dies_is_classified_and_its_log_kept(
    toy: Toy, monkeypatch: pytest.MonkeyPatch, body: str, kind: str, status: int
) -> None:
    monkeypatch.syspath_prepend(str(toy.installed))
    cluster = frail(toy, body, "timeout(seconds=0.5)\n    @retry(times=2)" if "sleep" in body else "retry(times=2)")
    done, _ = cluster.task("start")
    assert (done.returncode, done.stdout) == (status, "begun\n")
    found = attempts(cluster)
    assert [(record.attempt, record.outcome.failure and record.outcome.failure.kind) for record in found] == [(0, kind)]
    assert toy.flow("logs", f"FrailFlow/{cluster.run}/start/0", "--stdout").stdout == "begun\n"


def attempts(cluster: Cluster) -> list[Any]:
    project = open_project(str(cluster.toy.folder))
    try:
        return project.run_store("FrailFlow", cluster.run).attempts("start", "0")
    finally:
        project.close()


def test_the_last_failure_of_a_process_that_died_is_caught(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(toy.installed))
    cluster = frail(toy, "os._exit(7)", "catch(var='problem')\n    @retry(times=1)")
    assert cluster.execute(graph_of(cluster)) == ["start/0:1", "start/0:0", "end/0:0"]
    commits = records(toy.folder, "FrailFlow", cluster.run)["commits"]
    assert commits["start", "0"]["outcome"] == ("absorbed", ("end",), None)
    assert commits["start", "0"]["failure"][0] == "exit"


def test_a_second_attempt_after_a_commit_runs_no_user_code(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(toy.installed))
    cluster = frail(toy, "self.x = time.time()")
    assert cluster.task("start")[0].returncode == 0
    assert json.loads(toy.flow("list", "FrailFlow", "--json").stdout)["runs"][0]["state"] == "running"
    again, report = cluster.task("start", ATTEMPT="1")
    assert (again.returncode, again.stdout) == (0, "")
    assert (report / "next").read_text() == "end"
    assert attempts(cluster) == []


def test_what_asks_the_container_to_end_asks_the_task(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(toy.installed))
    cluster = frail(toy, "time.sleep(60)")
    spec = cluster.manifest["steps"]["start"]
    env = toy.environ(**spec["env"], HEADRACE_RUN=f"FrailFlow/{cluster.run}")
    process = subprocess.Popen([sys.executable, *spec["argv"][1:]], env=env, cwd=toy.folder, stdout=subprocess.PIPE, encoding="utf-8")
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    process.send_signal(signal.SIGTERM)
    assert process.stdout.read() == ""
    assert process.wait(60) == 143
    (record,) = attempts(cluster)
    assert (record.outcome.status, record.outcome.failure.kind) == ("cancelled", "cancelled")
    process.stdout.close()


def test_an_image_with_other_versions_is_refused_with_the_difference(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(toy.installed))
    cluster = frail(toy, "pass")
    info = toy.installed / "toyengine-1.0.dist-info"
    info.rename(toy.installed / "toyengine-1.1.dist-info")
    done, _ = cluster.task("start")
    assert done.returncode == 202
    assert done.stderr.splitlines()[:2] == [
        "closure-mismatch: The image does not hold what the deployment was locked with:",
        "  - toyengine is 1.1, 1.0 was locked",
    ]


@pytest.mark.parametrize(
    ("slots", "code"),
    [
        ({"PARAMETERS": "{"}, "slots-invalid"),
        ({"PARAMETERS": '{"unheard": "1"}'}, "parameter-unknown"),
        ({"INDEX": "x"}, "slots-invalid"),
        ({"STEP": "nowhere"}, "slots-invalid"),
        ({"DEPLOYMENT": "FrailFlow/none"}, "deployment-not-found"),
        ({"PROJECT": "{"}, "slots-invalid"),
    ],
)
def test_slots_that_make_no_sense_are_refused_with_a_code(
    toy: Toy, monkeypatch: pytest.MonkeyPatch, slots: dict[str, str], code: str
) -> None:
    monkeypatch.syspath_prepend(str(toy.installed))
    cluster = frail(toy, "pass")
    done, _ = cluster.task("start", **slots)
    assert done.returncode not in (0, 1)
    assert f"{code}: " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_run_that_could_not_begin_is_there_and_says_so(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(toy.installed))
    cluster = frail(toy, "pass")
    assert cluster.task("start", PARAMETERS='{"unheard": "1"}')[0].returncode == 202
    cluster.ended("Failed")
    found = records(toy.folder, "FrailFlow", cluster.run)
    assert (found["state"], found["parameters"], found["commits"]) == ("failed", {}, {})
    assert "parameter-unknown" in toy.flow("logs", f"FrailFlow/{cluster.run}/start/0").stdout


def test_the_same_flow_gives_the_same_manifest(toy: Toy, tmp_path: Path) -> None:
    (toy.folder / "frail.py").write_text(FRAIL.format(body="pass", decorators="retry"))
    first = toy.flow("deploy", "frail.py", "--to", "toy", "--dry-run").stdout
    assert not toy.store.exists(), "a dry run writes nothing"
    elsewhere = toy._replace(folder=Path(shutil.copytree(toy.folder, tmp_path / "elsewhere")))
    os.utime(elsewhere.folder / "frail.py", (0, 0))
    assert elsewhere.flow("deploy", "frail.py", "--to", "toy", "--dry-run").stdout == first
    assert str(tmp_path / "author") not in first


def test_a_datastore_that_only_this_machine_has_is_refused(toy: Toy) -> None:
    (toy.folder / "frail.py").write_text(FRAIL.format(body="pass", decorators="retry"))
    done = toy.flow("deploy", "frail.py", "--to", "toy", "--dry-run", "-o", "datastore.name=files", status=1)
    assert "error[capability-missing]: Tasks on 'toy' cannot reach the datastore 'files'" in done.stderr
