"""The process of an attempt whose supervisor is a container's entry point: imports the flow and makes the attempt, the first step's the run too."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from typing import Any

from headrace.dsl.flow import FlowSpec
from headrace.dsl.parameters import resolve_parameters
from headrace.graph.codec import graph_from_json
from headrace.project import restore_project
from headrace.store.facts import RunStore
from headrace.task.channel import Channel
from headrace.task.entry import make_entry
from headrace.task.runtime import Runtime
from headrace_hookspecs import FlowGraph, TaskSpec
from headrace_hookspecs.errors import NotFoundError, ParameterError, StoreError

from .job import new_record


def attempt(spec: TaskSpec, path: str, channel: Channel) -> int:
    """Make the attempt; the exit status. `path` is the file that the supervisor has written."""
    with open(path, encoding="utf-8") as stream:
        context = json.load(stream)
    project = restore_project(context["project"])
    deployment, folder = context["deployment"], project.config.project
    source = deployment["source"]
    entry = make_entry({**source, "file": os.path.join(folder, source["file"]), "path": os.path.join(folder, source["path"])})
    graph = graph_from_json(deployment["graph"])
    store = project.run_store(spec.flow, spec.run, reuse={})
    record = _record(entry.loaded.cls, graph, context, spec, store)
    entry.adopt(Runtime(entry.loaded.cls, project, record, scheduled=False))
    return entry.attempt(spec, channel)


def _record(cls: type[FlowSpec], graph: FlowGraph, context: Mapping[str, Any], spec: TaskSpec, store: RunStore) -> dict[str, Any]:
    """The run record. The first attempt of the first step writes it; whatever is there already is the one."""
    if spec.step != graph.start or spec.attempt:
        try:
            return store.read_run()
        except NotFoundError:
            if spec.step != graph.start:
                raise
    parameters = resolve_parameters(cls, _given(graph, context["parameters"]), os.environ)
    record = new_record(graph, context["deployment"], context["id"], spec.run, parameters)
    try:
        store.write_run(record)
    except StoreError as error:
        if error.code != "store-run-exists":
            raise
        return store.read_run()
    return record


def _given(graph: FlowGraph, text: str | None) -> dict[str, object]:
    """The parameters that the engine collected, by name: the text `null` leaves one to its default, all else is as after `--NAME`."""
    if not text:
        return {}
    try:
        # base64 where the engine would take the text apart
        found = json.loads(text if text[0] in "{[" else base64.b64decode(text, validate=True))
        values = found if isinstance(found, dict) else {each["name"]: each.get("value") for each in found}
    except (ValueError, TypeError, KeyError) as error:
        raise ParameterError("HEADRACE_PARAMETERS is neither an object nor a list of names and values.", code="slots-invalid") from error
    own = {spec.name: spec for spec in graph.parameters}
    given: dict[str, object] = {}
    for name, value in values.items():
        spec = own.get(name)
        if value is None or (value == "null" and spec is not None and not spec.required):
            continue
        given[name] = json.loads(value) if spec is not None and spec.multiple and isinstance(value, str) else value
    return given
