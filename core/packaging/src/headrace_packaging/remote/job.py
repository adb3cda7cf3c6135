"""`python -m headrace.task` in a container: finds out what to do from the slots and the deployment's record, and prepares a folder to do it in.

Imports no user code: that is the business of the process that it starts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from headrace.project import Project, restore_project
from headrace.store.facts import RunStore
from headrace_hookspecs import FlowGraph, StepNode, TaskSpec
from headrace_hookspecs.errors import HeadraceError, PluginError, StoreUnavailableError, UsageError
from headrace_hookspecs.task import NEVER_RETRY


class Job(NamedTuple):
    """One task to make. `record` is the deployment's, `id` its id, `context` the file with which the task's own process starts, `place` the slot REPORT."""

    spec: TaskSpec
    node: StepNode
    graph: FlowGraph
    project: Project
    store: RunStore
    record: Mapping[str, Any]
    id: str
    folder: str
    context: str
    environ: Mapping[str, str]
    place: str


def main(spec: TaskSpec, environ: Mapping[str, str]) -> int:
    """The exit status: 0 committed, 1 failed, NEVER_RETRY where another attempt is useless, 143 where this one was cancelled."""
    import shutil
    import sys
    import tempfile

    folder = tempfile.mkdtemp(prefix="headrace-")
    try:
        if spec.mode == "hook":
            from .ending import run_ended

            return run_ended(_open(spec, environ, folder, code=False), environ.get("HEADRACE_STATUS", ""))
        from .ending import make

        return make(_open(spec, environ, folder, code=True))
    except StoreUnavailableError as error:
        print(f"{error.code}: {error}", file=sys.stderr)
        return error.exit_status
    except HeadraceError as error:
        print(f"{error.code}: {error}", file=sys.stderr)
        return NEVER_RETRY
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def new_record(graph: FlowGraph, deployment: Mapping[str, Any], id: str, run: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The record of a run that begins now; `deployment` is the record of that, `id` its id."""
    import time

    from headrace import __version__
    from headrace.run.record import make_record

    record = make_record(
        graph,
        run,
        created=time.time(),
        user=deployment["user"],
        parameters=parameters,
        config=deployment["config"],
        project="",
        source=deployment["source"],
        tags=deployment["tags"],
        plugins=deployment["plugins"],
        version=__version__,
        origin=None,
        reuse=None,
    )
    return {**record, "orchestrator": deployment["orchestrator"], "deployment": id}


def _open(spec: TaskSpec, environ: Mapping[str, str], folder: str, *, code: bool) -> Job:
    from headrace.graph.codec import graph_from_json
    from headrace.store.deployments import read_deployment, read_package

    flow, _, id = environ["HEADRACE_DEPLOYMENT"].partition("/")
    try:
        first = json.loads(environ["HEADRACE_PROJECT"])
    except (KeyError, ValueError) as error:
        raise UsageError("HEADRACE_PROJECT does not say where the deployment is.", code="slots-invalid") from error
    blobs = restore_project(first).blobs
    record = read_deployment(blobs, flow, id)
    _check_closure(record["closure"])
    place = os.path.join(folder, "code")
    lock = os.path.join(folder, "headrace.lock.json")
    with open(lock, "w", encoding="utf-8") as stream:
        json.dump(_lock(record["plugins"]), stream)
    if code:
        from ..archive import unpack

        unpack(read_package(blobs, flow, record["package"]), place)
    portable = {**first, "project": place, "config": record["config"], "lock": lock}
    project = restore_project(portable, blobs=blobs)
    context = os.path.join(folder, "context.json")
    with open(context, "w", encoding="utf-8") as stream:
        json.dump({"project": portable, "deployment": record, "id": id, "parameters": environ.get("HEADRACE_PARAMETERS")}, stream)
    graph = graph_from_json(record["graph"])
    if spec.step not in graph.steps:
        raise UsageError(f"Deployment {flow}/{id} has no step {spec.step!r}.", code="slots-invalid")
    store = project.run_store(flow, spec.run, reuse={})
    return Job(spec, graph.steps[spec.step], graph, project, store, record, id, place, context, environ, environ.get("HEADRACE_REPORT", ""))


def _check_closure(wanted: Any) -> None:
    """The image has to hold exactly what was locked when the flow was deployed; nothing is fetched here."""
    from ..closure import difference

    lines = difference([(name, version) for name, version in wanted])
    if lines:
        raise PluginError(
            "The image does not hold what the deployment was locked with:\n" + "\n".join(f"  - {line}" for line in lines),
            code="closure-mismatch",
            remedy="Build the image anew with these versions, or deploy again from an environment like it.",
        )


def _lock(plugins: Any) -> dict[str, Any]:
    from headrace.host.index import LOCK_VERSION

    return {"version": LOCK_VERSION, "plugins": plugins}
