"""Who imports whom, read from source text: every form of import there is, and the laws that say which are allowed.

Nothing is imported and nothing is run, so a law holds for code that no test reaches.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

Place = Literal["top", "function", "typing", "string"]

CONTRACT = "headrace_hookspecs"
ANYWHERE: frozenset[Place] = frozenset({"top", "function", "typing", "string"})
LAZILY: frozenset[Place] = frozenset({"function"})

LIBRARIES = frozenset({"headrace_aws"})
"""What several providers share, and only providers import (docs/adr/0012)."""

PROVIDER: Mapping[str, frozenset[Place]] = {CONTRACT: ANYWHERE, **dict.fromkeys(LIBRARIES, ANYWHERE)}
"""What a provider may import of ours, and what everybody may for whom there is no line in LAWS."""

LAWS: Mapping[str, Mapping[str, frozenset[Place]]] = {
    CONTRACT: {},
    "headrace": {CONTRACT: ANYWHERE, "headrace_packaging": LAZILY | {"typing"}},
    "headrace_packaging": {CONTRACT: ANYWHERE, "headrace": ANYWHERE},
    "headrace_client": {CONTRACT: ANYWHERE, "headrace": ANYWHERE},
    "headrace_cli": {CONTRACT: ANYWHERE, "headrace": ANYWHERE, "headrace_client": ANYWHERE},
    "headrace_testkit": {CONTRACT: ANYWHERE, "headrace": LAZILY},
    **{library: {CONTRACT: ANYWHERE} for library in LIBRARIES},
}

EXCEPTIONS: Mapping[tuple[str, str], Mapping[str, frozenset[Place]]] = {
    # flow files import everything from `headrace`: it names the client and the embedded decorators, and loads them on first use
    ("headrace", "__init__.py"): {
        "headrace_client": frozenset({"typing", "string"}),
        "headrace_resilience": frozenset({"typing"}),
        "headrace_resources": frozenset({"typing"}),
    },
}

_LOADERS = {"import_module", "__import__", "find_spec", "run_module", "resolve_name"}
_ATTRIBUTES = {"getattr", "hasattr", "setattr", "delattr"}
_PATH = re.compile(r"([A-Za-z_]\w*(?:\.\w+)*)(?::[\w.]*)?\Z")


class Import(NamedTuple):
    """One import: the absolute dotted path (a known beginning of it and `*`, where the rest is computed), the names taken, and where."""

    path: str
    names: tuple[str, ...]
    line: int
    place: Place
    optional: bool = False

    @property
    def top(self) -> str:
        """The distribution's package."""
        return self.path.partition(".")[0]


def imports(source: str, package: str, modules: Collection[str] = ()) -> Iterator[Import]:
    """All imports of a module of `package` (dotted). `modules` are the paths that count as imports where they are named in a string."""
    tree = ast.parse(source)
    finder = _Finder(package, modules, _loaders(tree))
    finder.visit(tree)
    return iter(finder.found)


class _Finder(ast.NodeVisitor):
    def __init__(self, package: str, modules: Collection[str], loaders: Collection[str]) -> None:
        self.package = package
        self.modules = modules
        self.loaders = loaders
        self.found: list[Import] = []
        self.place: Place = "top"
        self.optional = False

    def visit_If(self, node: ast.If) -> None:
        if _last(node.test) == "TYPE_CHECKING":
            self._inside("typing", node.body)
            self._inside(self.place, node.orelse)
        else:
            self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        before = self.place
        self.place = before if before == "typing" else "function"
        self.generic_visit(node)
        self.place = before

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.visit_FunctionDef(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.visit_FunctionDef(node)

    def visit_Try(self, node: ast.Try) -> None:
        caught = {_last(kind) for handler in node.handlers for kind in _kinds(handler.type)}
        before, self.optional = self.optional, self.optional or bool(caught & {"ImportError", "ModuleNotFoundError"})
        for statement in node.body:
            self.visit(statement)
        self.optional = before
        for statement in [*node.handlers, *node.orelse, *node.finalbody]:
            self.visit(statement)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._add(alias.name, (), node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        names = tuple(alias.name for alias in node.names)
        base = self._absolute("." * node.level + (node.module or ""))
        if base:
            self._add(base, names, node)
        else:  # `from .. import name` above the package: each name is a package of its own
            for name in names:
                self._add(name, (), node)

    def visit_Call(self, node: ast.Call) -> None:
        first = node.args[:1] or [keyword.value for keyword in node.keywords if keyword.arg == "name"]
        if _last(node.func) in self.loaders and first:
            text, whole = _beginning(first[0])
            path = self._absolute(text.partition(":")[0])
            if path:
                self._add(path if whole else f"{path}*", (), node)
        counted = first if _last(node.func) in self.loaders else node.args[1:2] if _last(node.func) in _ATTRIBUTES else []
        for child in ast.iter_child_nodes(node):
            if child not in counted:
                self.visit(child)

    def visit_Set(self, node: ast.Set) -> None:
        for element in node.elts:  # a set of names is for comparing with, not a table to import from
            if not isinstance(element, ast.Constant):
                self.visit(element)

    def visit_Constant(self, node: ast.Constant) -> None:
        match = _PATH.match(node.value) if isinstance(node.value, str) else None
        if match and match[1] in self.modules:
            self._add(match[1], (), node, "typing" if self.place == "typing" else "string")

    def _inside(self, place: Place, body: list[ast.stmt]) -> None:
        before, self.place = self.place, place
        for statement in body:
            self.visit(statement)
        self.place = before

    def _absolute(self, path: str) -> str:
        level = len(path) - len(path.lstrip("."))
        if not level:
            return path
        parents = self.package.split(".")
        above = parents[: len(parents) - level + 1] if level <= len(parents) else []
        return ".".join([*above, *filter(None, [path[level:]])])

    def _add(self, path: str, names: tuple[str, ...], node: ast.AST, place: Place | None = None) -> None:
        self.found.append(Import(path, names, getattr(node, "lineno", 0), place or self.place, self.optional))


def _loaders(tree: ast.AST) -> set[str]:
    """The names under which this module can call the functions that import by name."""
    names = set(_LOADERS)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {alias.asname for alias in node.names if alias.asname and alias.name in _LOADERS}
        elif isinstance(node, ast.Assign) and _last(node.value) in _LOADERS:
            names |= {_last(target) for target in node.targets}
    return names


def _last(node: ast.AST | None) -> str:
    """The last word of a dotted name, the empty string of anything else."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _kinds(node: ast.expr | None) -> list[ast.expr]:
    return list(node.elts) if isinstance(node, ast.Tuple) else [node] if node is not None else []


def _beginning(node: ast.expr) -> tuple[str, bool]:
    """The text that an expression starts with as far as it is written down, and whether that is all of it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value, True
    first = node.values[0] if isinstance(node, ast.JoinedStr) and node.values else getattr(node, "left", None)
    text = _beginning(first)[0] if first is not None else ""
    return text.partition("%")[0], False


def package_imports(folder: Path, modules: Collection[str] = ()) -> Iterator[tuple[str, Import]]:
    """All imports in a package, each with its file relative to the package."""
    for path in sorted(folder.rglob("*.py")):
        inside = path.relative_to(folder)
        dotted = ".".join((folder.name, *inside.parent.parts))
        for each in imports(path.read_text(encoding="utf-8"), dotted, modules):
            yield inside.as_posix(), each


def breaches(folder: Path, modules: Collection[str]) -> list[str]:
    """`file:line imports path` for every import in the package `folder` that the laws do not allow, and for every private name of others."""
    found = []
    for file, each in package_imports(folder, modules):
        if not each.top.startswith("headrace") or each.top == folder.name:
            continue
        allowed = {**LAWS.get(folder.name, PROVIDER), **EXCEPTIONS.get((folder.name, file), {})}
        private = [word for word in (*each.path.split("."), *each.names) if word.startswith("_") and not word.startswith("__")]
        if private or each.place not in allowed.get(each.top, ()):
            found.append(f"{file}:{each.line} imports {each.path}")
    return found
