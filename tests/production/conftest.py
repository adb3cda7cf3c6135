"""Makes the helpers importable, starts the real S3 server, and builds the image that tasks run in: wheels of the workspace, nothing of its tree."""

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, os.path.dirname(__file__))
sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))

from wheelhouse import Wheelhouse

from headrace_testkit import manifests
from headrace_testkit.servers.fixtures import moto_server, rados_server, rclone_server  # noqa: F401

IMAGE = ("headrace", "headrace-plugin-s3", "headrace-plugin-argo", "headrace-plugin-kubernetes")


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with headrace, its plugins and the data set of the first tutorial, all from wheels."""
    place = tmp_path_factory.mktemp("image")
    environment = Wheelhouse(place / "wheels").environment(place / "env", *IMAGE)
    (site,) = (environment.folder / "lib").glob("python*/site-packages")
    for file in distribution("palmerpenguins").files or ():
        (site / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(str(file.locate()), site / file)
    return environment.folder


@pytest.fixture(scope="session")
def valid() -> Callable[[Mapping[str, Any]], list[str]]:
    """What is wrong with a manifest after the models of hera and, where it is present, the schema that Argo publishes."""
    schemas = [manifests.hera_schema()]
    file = manifests.argo_schema_file(Path(__file__).parents[2])
    if file.is_file():
        schemas.append(manifests.argo_schema(file))
    return lambda manifest: [problem for schema in schemas for problem in manifests.problems(schema, manifest)]
