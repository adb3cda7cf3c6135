"""Which flow a command is about: `FILE`, `FILE:Class` or `-m module[:Class]`, found among arguments that are not understood yet."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from headrace.dsl.load import LoadedFlow


class Target(NamedTuple):
    """The words that name a flow; `module` tells `package.module` from a file."""

    text: str
    module: bool = False

    def load(self) -> LoadedFlow:
        """Import the flow. Raises FlowFileError."""
        from headrace.dsl.load import load_flow

        return load_flow(self.text, module=self.module)


def complete_file(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Leave files to the shell: it knows them."""
    return [CompletionItem(incomplete, type="file")]


def find_target(params: Iterable[click.Parameter], args: Sequence[str]) -> Target | None:
    """The flow that `args` name, before the flow's own parameters are known.

    `params` are the options that are known. A word after an option that is not among them is taken for its value, as parameters of flows
    have one; only where nothing else is left, it is taken for the file.
    """
    takes = {"--help": 0, "-h": 0}
    for param in params:
        if isinstance(param, click.Option):
            count = 0 if param.is_flag or param.count else param.nargs
            takes.update(dict.fromkeys((*param.opts, *param.secondary_opts), count))
    return _scan(takes, args, 1) or _scan(takes, args, 0)


def _scan(takes: dict[str, int], args: Sequence[str], unknown: int) -> Target | None:
    position = 0
    while position < len(args):
        word = args[position]
        position += 1
        if word == "--":
            return Target(args[position]) if position < len(args) else None
        if word.startswith("-m") and not word.startswith("--"):
            module = word[2:] or (args[position] if position < len(args) else "")
            return Target(module, module=True) if module else None
        if word.startswith("--"):
            if "=" not in word:
                position += takes.get(word, unknown)
        elif word.startswith("-") and len(word) > 1:
            if len(word) == 2:
                position += takes.get(word, 0)
        else:
            return Target(word)
    return None


def static_parameters(target: Target) -> list[str]:
    """The names of the parameters that a flow file seems to have, read without running it: for completion only."""
    import ast

    if target.module:
        return []
    path = target.text if os.path.exists(target.text) else target.text.rpartition(":")[0]
    try:
        with open(path, "rb") as file:
            tree = ast.parse(file.read())
    except (OSError, SyntaxError, ValueError):
        return []
    return [name for node in ast.walk(tree) if (name := _declared(node)) is not None]


def _declared(node: Any) -> str | None:
    import ast

    if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in ("Parameter", "IncludeFile"):
            return node.args[0].value
    return None
