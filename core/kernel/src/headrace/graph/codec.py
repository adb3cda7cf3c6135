"""The graph as JSON: small (what is default is left out, files are named once), keys in the order of the fields, readable by later versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import NOTHING, Factory

from headrace_hookspecs import ir
from headrace_hookspecs.errors import CorruptDataError, StoreError

_STEP: Final = {
    "switch": ir.Switch, "resources": ir.Resources, "compute": ir.Compute, "workload": ir.Workload, "retry": ir.RetryPolicy,
    "timeout": ir.Timeout, "absorb": ir.Absorb, "decorators": ir.DecoratorUse,
}  # fmt: skip
_PRODUCTION: Final = {
    "schedule": "Schedule", "triggers": "Trigger", "exit_hooks": "ExitHook", "notifications": "Notification", "project": "Project",
}  # fmt: skip
_SOURCES: Final = ("source", "next_source")


def graph_to_json(graph: ir.FlowGraph) -> dict[str, Any]:
    """The graph as a JSON object."""
    files: dict[str, int] = {}
    body = _encode(graph, files)
    return {"ir_version": ir.IR_VERSION, "files": list(files), **body}


def graph_from_json(data: Mapping[str, Any]) -> ir.FlowGraph:
    """The inverse of `graph_to_json`. Fields of a later version are ignored; raises StoreError for another `ir_version`."""
    version = data.get("ir_version")
    if not isinstance(version, int) or version > ir.IR_VERSION:
        problem = f"The graph was written in format {version!r}, and this version reads up to {ir.IR_VERSION}."
        raise StoreError(problem, remedy="Use a newer headrace: pip install -U headrace.", code="store-too-new")
    try:
        files = data["files"]
        steps = {name: _decode(ir.StepNode, {"name": name, **node}, files, _STEP) for name, node in data["steps"].items()}
        nested: dict[str, type] = {"parameters": ir.ParameterSpec, "decorators": ir.DecoratorUse}
        if not _PRODUCTION.keys().isdisjoint(data):
            from headrace_hookspecs import production

            nested.update({field: getattr(production, name) for field, name in _PRODUCTION.items()})
        graph: ir.FlowGraph = _decode(ir.FlowGraph, {**data, "steps": steps}, files, nested)
        return graph
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        remedy = "The record was changed or cut; run again."
        raise CorruptDataError(f"The stored graph cannot be read: {error!r}.", remedy=remedy) from error


def _encode(value: Any, files: dict[str, int]) -> Any:
    """`value` as JSON; of an attrs object the fields that differ from their defaults, of a Source [file number, line]."""
    if isinstance(value, ir.Source):
        return [files.setdefault(value.file, len(files)), value.line]
    if isinstance(value, (list, tuple)):
        return [_encode(item, files) for item in value]
    if isinstance(value, Mapping):
        return {name: _encode(item, files) for name, item in value.items()}
    fields = getattr(type(value), "__attrs_attrs__", None)
    if fields is None:
        return value
    out: dict[str, Any] = {}
    for field in fields:
        item = getattr(value, field.name)
        if field.default is NOTHING or item != _default(field):
            out[field.name] = _encode(item, files)
    if isinstance(value, ir.FlowGraph):
        for node in out["steps"].values():
            del node["name"]
    return out


def _decode(kind: Any, data: Mapping[str, Any], files: list[str], nested: Mapping[str, type]) -> Any:
    values: dict[str, Any] = {}
    for field in kind.__attrs_attrs__:
        if field.name not in data:
            continue
        item = data[field.name]
        inner = nested.get(field.name)
        if item is None:
            pass
        elif field.name in _SOURCES:
            item = ir.Source(files[item[0]], item[1])
        elif inner is ir.Switch:
            item = ir.Switch(item["condition"], tuple((value, step) for value, step in item["cases"]))
        elif inner is not None:
            many = isinstance(item, list)
            made = [_decode(inner, each, files, {}) for each in (item if many else [item])]
            item = tuple(made) if many else made[0]
        elif field.default == ():
            item = tuple(item)
        values[field.name] = item
    return kind(**values)


def _default(field: Any) -> Any:
    default = field.default
    return default.factory() if isinstance(default, Factory) else default  # type: ignore[arg-type]
