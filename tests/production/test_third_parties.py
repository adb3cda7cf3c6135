"""Plugins from outside the workspace in a deployment: nothing of ours knows them, and the engine takes what they say."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from argo.engine import run
from argo.pods import NamespaceRunner
from argo.submission import Submission
from argo.validate import problems_of
from stores import Store, new_store

from headrace_testkit.servers import S3Server

PLUGIN = Path(__file__).parent / "acme" / "acme_cluster.py"
POINTS = """[headrace.launcher]
acme = acme_cluster:acme
batchlike = acme_cluster:batchlike

[headrace.decorator]
on_acme = acme_cluster:on_acme
on_batch = acme_cluster:on_batch
stamina = acme_cluster:stamina
"""
FLOW = """
import os

from acme_cluster import {imports}
from headrace import FlowSpec, current, step


@stamina(attempts=2)
class Placed(FlowSpec):
    @{decorator}(pool="large")
    @step
    def start(self):
        if current.retry_count == 0:
            raise ValueError("not yet")
        self.pool = os.environ["ACME_POOL"]
        self.next(self.end)

    @{decorator}
    @step
    def end(self):
        print("pools", self.pool, os.environ["ACME_POOL"], current.retry_count)
"""


def installed(site: Path) -> Path:
    """Put the distribution into a folder that Python looks into."""
    info = site / "acme_cluster-1.0.dist-info"
    info.mkdir(parents=True)
    shutil.copy(PLUGIN, site)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-cluster\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(POINTS)
    return site


@pytest.fixture
def author(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose owner has the plugins."""
    monkeypatch.setenv("PYTHONPATH", str(installed(tmp_path / "site")))
    (tmp_path / "author").mkdir()
    return tmp_path / "author"


@pytest.fixture
def own_image(image: Path) -> Iterator[Path]:
    """The image with the plugins in it, while the test runs."""
    (site,) = (image / "lib").glob("python*/site-packages")
    installed(site)
    yield image
    shutil.rmtree(site / "acme_cluster-1.0.dist-info")
    (site / "acme_cluster.py").unlink()


def deploy(store: Store, author: Path, decorator: str, *words: str, status: int = 0) -> Any:
    (author / "placed.py").write_text(FLOW.format(imports=f"{decorator}, stamina", decorator=decorator))
    return store.flow("deploy", "placed.py", "--to", "argo", "--image", "image", "--manifest", "-", *words, cwd=author, status=status)


@pytest.mark.needs("namespaces")
def test_another_compute_and_another_decorator_go_through_argo_unchanged(
    rados_server: S3Server, author: Path, own_image: Path, tmp_path: Path
) -> None:
    store = new_store(rados_server)
    manifest = json.loads(deploy(store, author, "on_acme").stdout)
    assert problems_of(manifest) == []
    templates = {each["name"]: each for each in manifest["spec"]["templates"]}
    assert templates["start"]["nodeSelector"] == {"acme.example/pool": "large"}
    assert templates["start"]["metadata"]["labels"]["acme.example/team"] == "data"
    assert templates["end"]["nodeSelector"] == {"acme.example/pool": "small"}
    strategy = templates["start"]["retryStrategy"]
    assert (strategy["limit"], strategy["backoff"]["duration"]) == ("1", "20s")

    with NamespaceRunner({"image": own_image}, ports=[int(store.endpoint.rpartition(":")[2])], secrets={"s3": store.credentials}) as runner:
        result = run(manifest, Submission("wf-1"), runner, backoff_scale=0.001)
    # every step failed once where it looked at its attempt
    assert result.phase == "Succeeded", result.describe()
    assert [each.exit_code for each in result.node("start").attempts] == [1, 0]
    assert "pools large small 0" in store.flow("logs", "Placed/latest/end", cwd=tmp_path).stdout


def test_an_option_of_the_decorator_reaches_the_manifest(moto_server: S3Server, author: Path) -> None:
    store = new_store(moto_server)
    manifest = json.loads(deploy(store, author, "on_acme", "--stamina", "5").stdout)
    limits = [each["retryStrategy"]["limit"] for each in manifest["spec"]["templates"] if "retryStrategy" in each]
    assert limits == ["4", "4"]


def test_another_format_is_refused_with_step_and_line(moto_server: S3Server, author: Path) -> None:
    done = deploy(new_store(moto_server), author, "on_batch", status=1)
    lines = done.stderr.splitlines()
    assert lines[0] == "error[capability-missing]: 'argo' cannot run this flow:"
    assert lines[1].startswith(
        "  - step start runs on 'batchlike', a workload of the format aws/batch.ContainerProperties; it takes k8s/PodTemplateSpec ("
    )
    assert (author / "placed.py").read_text().splitlines()[int(lines[1].rpartition(":")[2].rstrip(")")) - 1] == "    def start(self):"
    assert lines[2].startswith("  - step end runs on 'batchlike'")
    assert done.stdout == ""
