"""The door to `headrace_packaging`, which is imported when a flow is deployed or packaged and never on the way of a local run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headrace_packaging import PackagedFile
    from headrace_packaging.deploying import Deployed

    from .dsl.load import LoadedFlow
    from .project import Project


def deploy(loaded: LoadedFlow, project: Project, *, to: str, **settings: Any) -> Deployed:
    """Prepare the flow for the orchestrator `to`: plan, package, record, compile. `settings` are those of `headrace_packaging.deploying.deploy`."""
    from headrace_packaging.deploying import deploy

    return deploy(loaded, project, to=to, **settings)


def packaged(loaded: LoadedFlow, project: Project) -> tuple[list[PackagedFile], str]:
    """The files of the flow's code package, and the folder that their paths start from."""
    from headrace_packaging.deploying import packaged

    return packaged(loaded, project)


def archived(files: Sequence[PackagedFile]) -> bytes:
    """The code package of these files, a gzipped tar: the same bytes for the same files."""
    from headrace_packaging import archive

    return archive(files)
