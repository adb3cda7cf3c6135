"""How pluggy is used, read from source text: its public names only, and no hook that pushes itself before or behind the others."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pluggy

_PUSHING = {"tryfirst", "trylast", "historic"}
_MANAGER = pluggy.PluginManager("x")
_PRIVATE = {
    name
    for thing in (
        _MANAGER,
        _MANAGER.hook,
        pluggy.HookspecMarker("x"),
        pluggy.HookimplMarker("x"),
        pluggy.HookCaller,
        pluggy.HookImpl,
        pluggy.Result,
    )
    for name in dir(thing)
    if name.startswith("_") and not name.startswith("__")
}


def misuses(source: str) -> Iterator[str]:
    """`line: what` for each private name of pluggy and each way around the order of plugins."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        for what in _misuse(node):
            yield f"{getattr(node, 'lineno', 0)}: {what}"


def _misuse(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name.startswith("pluggy."))
    elif isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == "pluggy":
        yield from (f"{node.module}.{alias.name}" for alias in node.names if node.module != "pluggy" or alias.name not in pluggy.__all__)
    elif isinstance(node, ast.Attribute):
        base = node.value.id if isinstance(node.value, ast.Name) else ""
        if base == "pluggy" and node.attr not in pluggy.__all__:
            yield f"pluggy.{node.attr}"
        elif node.attr == "call_historic" or (node.attr in _PRIVATE and base not in ("self", "cls")):
            yield f".{node.attr}"
    elif isinstance(node, ast.Call):
        yield from (keyword.arg for keyword in node.keywords if keyword.arg in _PUSHING and not _false(keyword.value))
        if isinstance(node.func, ast.Name) and node.func.id == "getattr" and len(node.args) > 1:
            name = node.args[1]
            if isinstance(name, ast.Constant) and name.value in _PRIVATE:
                yield f".{name.value}"


def _false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False
