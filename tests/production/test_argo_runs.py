"""Flows compiled for Argo and executed from the manifest alone: what is left in the datastore is what a local run leaves."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from argo.engine import run
from argo.nodes import Result
from argo.pods import NamespaceRunner
from argo.submission import Submission
from argo.validate import problems_of
from stores import Store, new_store

from headrace_testkit.servers import S3Server

HERE = Path(__file__).parent
FLOWS = HERE / "flows"
OTHERS = HERE.parent / "e2e" / "flows"
PENGUINS = HERE.parents[1] / "docs" / "tutorials" / "01-penguins" / "penguins.py"
ANSWERS = (HERE / "answers.py").read_text(encoding="utf-8")

SUCCEEDING: Mapping[str, tuple[str, Path, dict[str, str], str]] = {
    "penguins": ("PenguinsFlow", PENGUINS, {"folds": "4"}, "nearest"),
    "linear": ("Linear", OTHERS / "linear.py", {}, "end 2 {'a': [1, 2]}"),
    "branches": ("Branches", OTHERS / "branches.py", {}, "order ['zebra', 'ant', 'mole'] 3"),
    "nested": ("Nested", OTHERS / "nested.py", {"width": "2"}, "table [[(0, 'a'), (0, 'b')], [(1, 'a'), (1, 'b')]]"),
    "resilient": ("Resilient", OTHERS / "resilient.py", {}, "resilient 2 ['timeout', 'exit'] True"),
    "inputs": (
        "Inputs",
        FLOWS / "inputs.py",
        {"needed-one": 'a "b" \\ {{workflow.name}} $(HOME) $$ {{=1+1}}\n\x01', "number": "7", "flag": "false", "table": '[1, {"x": null}]'},
        "7",
    ),
    "mixed": ("Mixed", FLOWS / "mixed.py", {}, "words ['LXRX', 'LYRY', 'LZRZ'] 10"),
    "classes": ("Classes", FLOWS / "classes.py", {}, "basket ['apple', 'pearpear', 5] 524288 500"),
    "environs": ("Environs", FLOWS / "environs.py", {}, "shades ['dark blue', 'dark blue']"),
    "absorbing": ("Absorbing", FLOWS / "absorbing.py", {}, "results [None, 12.0, 6.0, None]"),
    "wide": ("Wide", FLOWS / "wide.py", {"width": "5"}, "total 30"),
}


@pytest.fixture
def store(rados_server: S3Server) -> Store:
    return new_store(rados_server)


class Cluster:
    """A cluster whose pods reach the S3 server and nothing else."""

    def __init__(self, store: Store, image: Path, valid: Callable[[Mapping[str, Any]], list[str]], folder: Path) -> None:
        self.store = store
        self.image = image
        self.valid = valid
        self.folder = folder

    def compiled(self, file: Path, *words: str) -> dict[str, Any]:
        """Deploy a copy of the flow file from a folder that is gone when this returns; the manifest, found valid."""
        author = self.folder / "author"
        author.mkdir()
        for each in (file, *FLOWS.glob("shop_*.py")):
            shutil.copy(each, author)
        options = (
            "--to",
            "argo",
            "--image",
            "image",
            "-o",
            'launcher.kubernetes.secrets=["s3"]',
            "--tag",
            "nightly",
            "--manifest",
            "m.json",
        )
        self.store.flow("deploy", file.name, *options, *words, cwd=author)
        manifest: dict[str, Any] = json.loads((author / "m.json").read_text())
        assert problems_of(manifest) == []
        assert self.valid(manifest) == []
        assert str(author) not in json.dumps(manifest)
        shutil.rmtree(author)
        return manifest

    def run(self, manifest: Mapping[str, Any], parameters: Mapping[str, str]) -> Result:
        """Submit it."""
        port = int(self.store.endpoint.rpartition(":")[2])
        with NamespaceRunner({"image": self.image}, ports=[port], secrets={"s3": self.store.credentials}) as runner:
            return run(manifest, Submission("wf-1", parameters), runner, backoff_scale=0.01)

    def answers(self, flow: str, run_id: str, folder: str) -> Any:
        """What the client says in a process that has an empty folder and the root of the datastore."""
        place = self.folder / folder
        place.mkdir()
        return self.store.python(ANSWERS, f"{flow}/{run_id}", cwd=place)


def differences(there: Any, here: Any, path: str = "") -> Iterator[str]:
    """Where two answers differ."""
    if isinstance(there, dict) and isinstance(here, dict):
        for key in sorted({*there, *here}):
            yield from differences(there.get(key, "nothing"), here.get(key, "nothing"), f"{path} {key}")
    elif there != here:
        yield f"{path}: {there!r} there, {here!r} here"


RUN_ID = "20240229-131415000-wf-1"


@pytest.fixture
def cluster(store: Store, image: Path, valid: Callable[[Mapping[str, Any]], list[str]], tmp_path: Path) -> Cluster:
    return Cluster(store, image, valid, tmp_path)


QUICK = ("penguins", "nested", "resilient", "inputs", "absorbing")
"""Those that `make test` runs: between them they have every construct."""


@pytest.mark.needs("namespaces")
@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.long) for name in SUCCEEDING])
def test_a_run_in_pods_is_a_local_run(name: str, cluster: Cluster, tmp_path: Path) -> None:
    flow, file, parameters, line = SUCCEEDING[name]
    result = cluster.run(cluster.compiled(file), parameters)
    assert result.phase == "Succeeded", result.describe()

    local = tmp_path / "local"
    local.mkdir()
    for each in (file, *FLOWS.glob("shop_*.py")):
        shutil.copy(each, local)
    given = [word for key, value in parameters.items() for word in (f"--{key}", value)]
    run_id = cluster.store.run(file.name, "--tag", "nightly", *given, cwd=local)
    there, here = cluster.answers(flow, RUN_ID, "third"), cluster.answers(flow, run_id, "fourth")
    assert line in there["tasks"][f"{flow}/RUN/end/0"]["attempts"][-1]["stdout"]
    assert not [print(line) for line in differences(there, here)]


@pytest.mark.needs("namespaces")
def test_a_failed_run_in_pods_is_a_failed_local_run(cluster: Cluster, tmp_path: Path) -> None:
    result = cluster.run(cluster.compiled(FLOWS / "failing.py"), {})
    assert result.phase == "Failed", result.describe()
    assert [each.exit_code for each in result.node("work").attempts] == [1, 1, 202]
    local = Path(shutil.copy(FLOWS / "failing.py", tmp_path))
    run_id = cluster.store.run(local.name, "--tag", "nightly", cwd=tmp_path, status=1)
    there, here = cluster.answers("Failing", RUN_ID, "third"), cluster.answers("Failing", run_id, "fourth")
    assert (there["state"], there["failed"]) == ("failed", "Failing/RUN/work/0")
    assert not [print(line) for line in differences(there, here)]
