"""Real flow files, deployed without an upload to a shared datastore that a distribution of the test brings, and strict validation."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from headrace_testkit import manifests

STORE = '''
"""A datastore that other machines reach. Nothing is put into it."""

from headrace_hookspecs import Capability


class Store:
    location = "memory:"
    capabilities = frozenset({Capability.SHARED, Capability.CONDITIONAL_PUT})

    def close(self):
        pass


class Plugin:
    api = "1.0"

    def config_class(self):
        return None

    def create(self, config, context):
        return Store()


plugin = Plugin()
'''

PRELUDE = """
from headrace import FlowSpec, JSONType, Parameter, catch, environment, resources, retry, step, timeout
from headrace_kubernetes import kubernetes
"""


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of an installed datastore that is shared."""
    site = tmp_path / "site"
    info = site / "shared_of_the_test-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "shared_of_the_test.py").write_text(STORE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shared-of-the-test\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[headrace.datastore]\nshared = shared_of_the_test:plugin\n")
    monkeypatch.syspath_prepend(str(site))
    return "shared"


@pytest.fixture
def deploy(tmp_path: Path, shared: str) -> Callable[..., Any]:
    """`deploy(source, *options, **keywords)`: what `headrace.deploy.deploy` makes of a flow file with this source."""

    def deployed(source: str, *options: str, folder: str = "project", **keywords: Any) -> Any:
        from headrace.deploy import deploy
        from headrace.dsl.load import load_flow
        from headrace.project import open_project

        place = tmp_path / folder
        place.mkdir(exist_ok=True)
        (place / "headrace.toml").touch()
        file = place / "flow.py"
        file.write_text(PRELUDE + textwrap.dedent(source))
        loaded = load_flow(str(file))
        project = open_project(str(place), options=[f"datastore.name={shared}", *options], environ={})
        try:
            return deploy(loaded, project, to="argo", upload=False, **{"image": "reg.io/flow:1", **keywords})
        finally:
            project.close()

    return deployed


@pytest.fixture(scope="session")
def hera_schema() -> Mapping[str, Any]:
    """The schema of a WorkflowTemplate after hera's models, strict."""
    return manifests.hera_schema()


@pytest.fixture(scope="session")
def argo_schema() -> Mapping[str, Any]:
    """Argo's own published schema, strict, from the folder HEADRACE_SCHEMAS or the one beside the repository."""
    file = manifests.argo_schema_file(Path(__file__).parents[3])
    if not file.is_file():
        pytest.skip(f"Argo's schema is not at {file}; HEADRACE_SCHEMAS names its folder")
    return manifests.argo_schema(file)


@pytest.fixture
def by_name() -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """The templates of a manifest by their names; no two are alike."""

    def templates(manifest: Mapping[str, Any]) -> dict[str, Any]:
        found = {template["name"]: template for template in manifest["spec"]["templates"]}
        assert len(found) == len(manifest["spec"]["templates"])
        return found

    return templates


@pytest.fixture
def env() -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """The environment of a container template, name -> value; no name comes twice."""

    def variables(template: Mapping[str, Any]) -> dict[str, Any]:
        entries = template["container"]["env"]
        found = {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in entries}
        assert len(found) == len(entries)
        return found

    return variables


@pytest.fixture
def compiled() -> Callable[..., Any]:
    """`compiled(graph, section)`: the manifest of a deployment of the graph; steps without a workload get a pod of one bare container."""
    import attrs

    import headrace_argo
    from headrace_argo.config import ArgoConfig
    from headrace_hookspecs import FlowGraph, ProviderContext, Workload
    from headrace_testkit.deployments import deployment_of

    bare = Workload("k8s/PodTemplateSpec", {"spec": {"containers": [{"name": "main"}]}})

    def manifest(graph: FlowGraph, section: Mapping[str, Any] | None = None, **changes: Any) -> Any:
        steps = {name: attrs.evolve(step, workload=step.workload or bare) for name, step in graph.steps.items()}
        deployment = attrs.evolve(deployment_of(attrs.evolve(graph, steps=steps)), **changes)
        return headrace_argo.plugin.create(ArgoConfig(**section or {}), ProviderContext(".", "Flow", {}, print)).compile(deployment)

    return manifest
