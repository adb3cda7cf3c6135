"""Template tags: `{{simple}}` and `{{=expression}}`, found and replaced in the strings of a template, pass by pass, as Argo does.

What a pass cannot resolve stays for the next one. Replaced values are scanned again by later passes, so a value that itself holds a tag
is replaced there: that is Argo's behaviour, and a hazard for values that users type.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from . import expressions
from .functions import as_text
from .gotext import go_json, quote
from .problems import TemplateError


def split(text: str) -> Iterator[tuple[str, str | None]]:
    """The text in pieces: what stands before a tag, and the tag's inside, which is None at the end. An opened tag has to be closed."""
    position = 0
    while True:
        start = text.find("{{", position)
        if start < 0:
            yield text[position:], None
            return
        end = text.find("}}", start + 2)
        if end < 0:
            raise TemplateError(f"a tag is opened and not closed: {text[start : start + 40]!r}")
        yield text[position:start], text[start + 2 : end]
        position = end + 2


def tags(document: Any) -> list[str]:
    """The insides of all tags in the strings of plain data."""
    if isinstance(document, dict):
        return [tag for value in document.values() for tag in tags(value)]
    if isinstance(document, list):
        return [tag for value in document for tag in tags(value)]
    return [tag for _, tag in split(document) if tag is not None] if isinstance(document, str) else []


def _unescaped(inside: str) -> str:
    try:
        return str(json.loads(f'"{inside}"'))
    except json.JSONDecodeError:
        return inside


def substitute(document: Any, values: Mapping[str, str]) -> Any:
    """One pass over plain data: every tag in its strings that `values` (variable to value) can resolve is replaced.

    Raises TemplateError where Argo's replacement in the JSON text fails or cannot be foretold: a value with control characters, for which Go's
    escapes are no JSON; a tag that is opened in a string and not closed there, which would reach into the next field.
    """
    if isinstance(document, dict):
        return {key: substitute(value, values) for key, value in document.items()}
    if isinstance(document, list):
        return [substitute(value, values) for value in document]
    if not isinstance(document, str) or "{{" not in document:
        return document
    pieces = split(json.dumps(document, ensure_ascii=False))
    replaced = "".join(before + ("" if tag is None else _replacement(tag, values)) for before, tag in pieces)
    try:
        return json.loads(replaced)
    except json.JSONDecodeError as error:
        raise TemplateError(f"the result of a template replacement is invalid JSON: {error}") from None


def _replacement(tag: str, values: Mapping[str, str]) -> str:
    if tag.startswith("="):
        try:
            result = expressions.evaluate(_unescaped(tag[1:]), values)
        except expressions.Unresolved:
            return f"{{{{{tag}}}}}"
        return go_json(as_text(result))[1:-1]
    if tag in values:
        return quote(values[tag])
    # a tag opened inside another one: the inner one may be resolved, and with it the outer one by a later pass
    outer, opened, inner = tag.rpartition("{{")
    if opened and inner in values:
        return "{{" + outer + quote(values[inner])
    return f"{{{{{tag}}}}}"


def unresolved(document: Any, authored: Callable[[str], bool]) -> list[str]:
    """The tags left in a document that its author wrote; what looks like a tag in a value stays, as it does in Argo."""
    return [tag for tag in tags(document) if authored(tag)]
