"""A task of a deployment in a process that has nothing but its slots: what it leaves behind is what a local run leaves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
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
