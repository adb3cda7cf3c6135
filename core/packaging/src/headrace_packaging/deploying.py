"""From a flow to an engine's manifest: plan, package, lock, record, compile. Runs nothing and, unless told to, writes nothing."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from headrace_hookspecs import Capability, Deployment, FlowGraph, TaskTemplate, ids
from headrace_hookspecs.errors import MissingCapabilityError, PluginError, UsageError

from .archive import archive
from .collect import PackagedFile, collect

if TYPE_CHECKING:
    from headrace.dsl.load import LoadedFlow
    from headrace.project import Project
    from headrace_hookspecs import Orchestrator

COMMAND: Final = ("python", "-m", "headrace.task")

_ALWAYS: Final = ("headrace-core", "headrace-hookspecs", "headrace-packaging")
"""Distributions without which no task runs anywhere."""


class Deployed(NamedTuple):
    """What `deploy` made: the deployment, the engine's manifest, and the files of the code package."""

    deployment: Deployment
    manifest: Mapping[str, Any]
    files: Sequence[PackagedFile]


def deploy(
    loaded: LoadedFlow,
    project: Project,
    *,
    to: str,
    name: str | None = None,
    image: str | None = None,
    with_specs: Sequence[str] = (),
    flow_options: Mapping[str, Any] | None = None,
    tags: Sequence[str] = (),
    upload: bool = True,
) -> Deployed:
    """Prepare the flow for the orchestrator `to`. With `upload`, its package and record are in the datastore when this returns.

    `name` is the engine's name for the flow (default: the flow's own, as in `hello-flow`), `image` overrides the one configured. Raises
    MissingCapabilityError, with steps and lines, where the engine, its launchers or the datastore cannot do what the flow needs.
    """
    from headrace import __version__
    from headrace.graph.codec import graph_from_json, graph_to_json
    from headrace.plan.plan import make_plan
    from headrace.run.record import user_name
    from headrace.store.deployments import deployment_id, write_deployment

    for tag in tags:
        ids.check_id("tag", tag)
    engine = project.orchestrator(to)
    plan = make_plan(
        loaded, project, manager=project.manager("author"), with_specs=with_specs, options=flow_options or {}, engine=(to, engine)
    )
    files, root = packaged(loaded, project)
    package = archive(files)
    data: dict[str, Any] = {
        "flow": plan.graph.name,
        "graph": _portable(graph_to_json(plan.graph), root),
        "config": project.config.data,
        "closure": _closure(project, plan.graph, to),
        "plugins": project.plugin_lock(),
        "package": _digest(package),
        "source": _source(loaded, root),
        "orchestrator": to,
        "tags": sorted({*plan.graph.tags, *tags}),
        "user": user_name(os.environ),
        "version": __version__,
    }
    _check_datastore(project, engine, to, asked=upload)
    id = write_deployment(project.blobs, plan.graph.name, data, package) if upload else deployment_id(data)
    # what the engine is given is what the tasks will read
    graph = graph_from_json(data["graph"])
    name = _check_name(name) if name else ids.dns_name(_engine_name(graph.name), limit=57)
    deployment = _deployment(data, graph, id, name, image or project.config.get("package.image"), project)
    return Deployed(deployment, engine.compile(deployment), files)


def packaged(loaded: LoadedFlow, project: Project) -> tuple[list[PackagedFile], str]:
    """The files of the flow's code package, and the folder that their paths start from."""
    root = _root(loaded, project)
    return collect(root, loaded.file, project.config.get("package.include")), root


def _root(loaded: LoadedFlow, project: Project) -> str:
    """The folder that is packaged: the project's where it holds the flow, else where the flow's imports start."""
    top, file = os.path.realpath(project.config.project), os.path.realpath(loaded.file)
    return top if file.startswith(top.rstrip(os.sep) + os.sep) else os.path.realpath(loaded.sys_path0)


def _portable(graph: dict[str, Any], root: str) -> dict[str, Any]:
    """The graph's JSON with source files as the package names them: tasks, and whoever reads manifests, know no path of this machine."""
    return {**graph, "files": [os.path.relpath(os.path.realpath(file), root).replace(os.sep, "/") for file in graph["files"]]}


def _source(loaded: LoadedFlow, root: str) -> dict[str, str]:
    """Where the flow is in the package: as an entry's state, with relative paths."""
    return {
        "file": os.path.relpath(os.path.realpath(loaded.file), root).replace(os.sep, "/"),
        # only whether it is in a package matters there; alone, it may be called otherwise in each process
        "module": loaded.module if "." in loaded.module else os.path.basename(loaded.file).removesuffix(".py"),
        "class": loaded.cls.__qualname__,
        "path": os.path.relpath(os.path.realpath(loaded.sys_path0), root).replace(os.sep, "/"),
    }


def _closure(project: Project, graph: FlowGraph, to: str) -> list[list[str]]:
    """(name, version) of every distribution that a task of the flow needs."""
    from .closure import locked

    chosen = [("headrace.datastore", str(project.config.get("datastore.name"))), ("headrace.orchestrator", to)]
    uses = [*graph.decorators, *(use for step in graph.steps.values() for use in step.decorators)]
    chosen += [("headrace.decorator", use.name) for use in uses]
    chosen += [(group, name) for group in ("headrace.serializer", "headrace.hooks") for name in project.registry.names(group)]
    entries = [project.registry.entry(group, name) for group, name in chosen]
    for entry in entries:
        if not entry.target:
            raise PluginError(
                f"{entry.group} {entry.name!r} was registered in this process; tasks elsewhere cannot have it.",
                code="plugin-not-installed",
                remedy="Make it a distribution: see `flow plugins`.",
            )
    roots = {*_ALWAYS, *(entry.distribution for entry in entries)}
    return [list(one) for one in locked(sorted(roots))]


def _check_datastore(project: Project, engine: Orchestrator, to: str, *, asked: bool) -> None:
    """Refuse a store that tasks elsewhere cannot reach, or in which two attempts of one task could both commit."""
    if asked:
        project.probe()
    name, can = project.config.get("datastore.name"), project.blobs.capabilities
    if Capability.SHARED not in can:
        raise MissingCapabilityError(
            f"Tasks on {to!r} cannot reach the datastore {name!r} ({project.blobs.location}) of this machine.",
            remedy="Choose one that is shared: -o datastore.name=s3 -o datastore.s3.root=s3://BUCKET/PREFIX",
        )
    # a dry run asks nobody
    if asked and Capability.ENGINE_RETRY in engine.capabilities and Capability.CONDITIONAL_PUT not in can:
        raise MissingCapabilityError(
            f"The datastore {project.blobs.location} ignores conditional writes, and {to!r} starts attempts again by itself: "
            "two attempts of one task could both commit.",
            remedy="Use a service that honours If-None-Match, or run the flow from here: `flow run`.",
        )


def _deployment(data: Mapping[str, Any], graph: FlowGraph, id: str, name: str, image: str | None, project: Project) -> Deployment:
    section = {"name": project.config.get("datastore.name")}
    section[section["name"]] = project.config.section(f"datastore.{section['name']}")
    env = {
        "HEADRACE_DEPLOYMENT": f"{graph.name}/{id}",
        "HEADRACE_PROJECT": json.dumps(
            {"project": ".", "config": {"datastore": section}, "lock": None, "probed": project.probed}, sort_keys=True
        ),
        "HEADRACE_MAX_SPLITS": str(project.config.get("run.max_num_splits")),
    }
    return Deployment(
        name=name,
        id=id,
        graph=graph,
        package=data["package"],
        image=image,
        config=data["config"],
        plugins=tuple(data["plugins"]),
        templates={step: TaskTemplate(COMMAND, {**env, "HEADRACE_STEP": step}) for step in graph.order},
        exit=TaskTemplate(COMMAND, {**env, "HEADRACE_STEP": graph.end, "HEADRACE_MODE": "hook"}, ("RUN", "STATUS")),
        tags=tuple(data["tags"]),
    )


def _engine_name(flow: str) -> str:
    """`HelloFlow` is `hello-flow`."""
    words: Iterable[str] = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", flow)
    return "-".join(words).lower() or flow


def _digest(package: bytes) -> str:
    from hashlib import sha256

    return sha256(package).hexdigest()


def _check_name(name: str) -> str:
    """A deployment's name as the user gave it. Raises UsageError for one that clusters do not take."""
    if not re.fullmatch(r"[a-z]([a-z0-9-]{0,55}[a-z0-9])?", name):
        raise UsageError(
            f"{name!r} is no name of a deployment.",
            remedy="Lower-case letters, digits and dashes, at most 57, a letter first.",
            code="id-invalid",
        )
    return name
