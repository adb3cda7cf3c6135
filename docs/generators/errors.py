"""Prints the reference page of error codes, read from the source without importing it."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
TREES = ("hookspecs", "core", "cli", "serializers", "plugins")

INTRODUCTION = """# Error codes

Every error of headrace has a code that never changes its meaning, so a script or a test can match on it. The code stands before the message:
`error[flow-file-missing]: …`. A command ends with status 2 where the call was worded wrongly, with 1 for every other error.
[Decision 0009](../adr/0009-error-codes.md) says how a code is made.

This page is made by `make docs` from the source.
"""


class Kind(NamedTuple):
    """An error class: its default code, its bases, what it is for."""

    code: str | None
    status: int | None
    bases: tuple[str, ...]
    meaning: str


def main() -> None:
    """Print the page."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in sources()]
    kinds = {name: kind for tree in trees for name, kind in classes(tree)}
    uses: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for tree in trees:
        for code, name, message in narrowed(tree):
            uses[code].add((name, message))
    print(INTRODUCTION)
    print("## The classes\n\n| class | its code | status | when |\n|---|---|---|---|")
    for name, kind in sorted(kinds.items()):
        if inherits(kinds, name):
            print(f"| `{name}` | `{code_of(kinds, name)}` | {status_of(kinds, name)} | {cell(kind.meaning)} |")
    print("\n## The codes that a class narrows to\n\n| code | class | message |\n|---|---|---|")
    for code in sorted(uses):
        names = sorted({name for name, _ in uses[code] if name in kinds})
        messages = sorted({message for _, message in uses[code] if message})
        print(f"| `{code}` | {', '.join(f'`{name}`' for name in names)} | {'<br>'.join(cell(message) for message in messages)} |")


def sources() -> list[Path]:
    """Every module of the product."""
    found = (path for top in TREES for path in (ROOT / top).rglob("src/**/*.py"))
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(ROOT).parts))


def classes(tree: ast.Module) -> Iterator[tuple[str, Kind]]:
    """Every class with its `code` and `exit_status`, if it sets them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            code, status = constant(node, "code"), constant(node, "exit_status")
            bases = tuple(base.id for base in node.bases if isinstance(base, ast.Name))
            meaning = (ast.get_docstring(node) or "").split("\n\n")[0]
            yield (
                node.name,
                Kind(code if isinstance(code, str) else None, status if isinstance(status, int) else None, bases, meaning),
            )


def constant(node: ast.ClassDef, name: str) -> object:
    """What the class body assigns to that name, if it is a constant."""
    for line in node.body:
        target = line.targets[0] if isinstance(line, ast.Assign) else line.target if isinstance(line, ast.AnnAssign) else None
        if isinstance(target, ast.Name) and target.id == name and isinstance(line, (ast.Assign, ast.AnnAssign)):
            return line.value.value if isinstance(line.value, ast.Constant) else None
    return None


def narrowed(tree: ast.Module) -> Iterator[tuple[str, str, str]]:
    """(code, called name, message) of every call that passes `code="…"`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            for keyword in node.keywords:
                code = text(keyword.value) if keyword.arg == "code" else ""
                if code:
                    # where a service words the message, the remedy is what can be shown
                    said = [*node.args, *(each.value for each in node.keywords if each.arg == "remedy")]
                    yield code, node.func.id, text(said[0]) if said else ""


def text(node: ast.expr) -> str:
    """A string literal; what an f-string fills in is shown as an ellipsis."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(text(part) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return ""


def inherits(kinds: dict[str, Kind], name: str) -> bool:
    """Whether the class is HeadraceError or derives from it."""
    return name == "HeadraceError" or any(inherits(kinds, base) for base in bases_of(kinds, name))


def code_of(kinds: dict[str, Kind], name: str) -> str:
    """The class's own code or the one that it inherits."""
    kind = kinds[name]
    return kind.code or next(code_of(kinds, base) for base in bases_of(kinds, name) if inherits(kinds, base))


def status_of(kinds: dict[str, Kind], name: str) -> int:
    """The class's own exit status or the one that it inherits."""
    kind = kinds[name]
    return kind.status or next(status_of(kinds, base) for base in bases_of(kinds, name) if inherits(kinds, base))


def bases_of(kinds: dict[str, Kind], name: str) -> list[str]:
    """The bases that are classes of ours."""
    return [base for base in kinds[name].bases if base in kinds and base != name]


def cell(value: str) -> str:
    """Text that a table takes."""
    return " ".join(value.split()).replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    main()
