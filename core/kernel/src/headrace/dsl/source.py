"""The source text of steps, as syntax trees. Each file is read and parsed once; text that exists only in `linecache` (notebooks, doctests) is found too."""

from __future__ import annotations

import ast
from types import FunctionType
from typing import Any

from headrace_hookspecs.errors import FlowDefinitionError

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


class Sources:
    """Syntax trees by file, for as long as one graph is built."""

    def __init__(self) -> None:
        self._functions: dict[str, dict[tuple[str, int], FunctionNode]] = {}
        self._classes: dict[str, dict[str, list[ast.ClassDef]]] = {}

    def function(self, function: FunctionType) -> FunctionNode:
        """The definition of `function`. Raises FlowDefinitionError where its source cannot be had, or is not what was imported."""
        where, name = function.__code__, function.__name__
        try:
            self._parse(where.co_filename, function.__globals__)
            return self._functions[where.co_filename][where.co_name, where.co_firstlineno]
        except KeyError:
            problem, code = "is no longer what was imported", "flow-source-changed"
            remedy = "Start again; define the step with def, in the class."
        except (OSError, SyntaxError, ValueError) as error:
            problem, code = f"cannot be read: {error}", "flow-source-missing"
            remedy = "Write the flow to a file; its graph is read from its source."
        place: dict[str, Any] = {"file": where.co_filename, "line": where.co_firstlineno, "step": name}
        raise FlowDefinitionError(f"The source of step {name!r} {problem}.", remedy=remedy, code=code, **place)

    def class_line(self, file: str, name: str, inside: int) -> int:
        """The line at which class `name` begins, of several the one around line `inside`; 0 where it is unknown."""
        try:
            self._parse(file, {})
        except (OSError, SyntaxError, ValueError):
            return 0
        nodes = self._classes[file].get(name, [])
        around = [node for node in nodes if node.lineno <= inside <= (node.end_lineno or inside)]
        return (around or nodes)[-1].lineno if nodes else 0

    def _parse(self, file: str, namespace: dict[str, object]) -> None:
        if file not in self._functions:
            tree = ast.parse(_read(file, namespace), file)
            functions, classes = self._functions.setdefault(file, {}), self._classes.setdefault(file, {})
            for node in ast.walk(tree):
                if isinstance(node, FunctionNode):
                    # a code object begins at its first decorator
                    functions[node.name, min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])] = node
                elif isinstance(node, ast.ClassDef):
                    classes.setdefault(node.name, []).append(node)


def _read(file: str, namespace: dict[str, object]) -> bytes | str:
    try:
        with open(file, "rb") as stream:
            return stream.read()
    except (OSError, ValueError):
        import linecache

        text = "".join(linecache.getlines(file, namespace))
        if not text:
            raise OSError("there is no such file") from None
        return text
