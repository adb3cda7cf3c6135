"""The items of a loop (`withItems`, `withParam`, `withSequence`), what `{{item}}` is for each, and what a loop's outputs are as one value."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from .gotext import go_json
from .problems import TemplateError

KINDS = ("withItems", "withParam", "withSequence")
FORMAT = re.compile(r"(?:[^%]|%%)*%(?:0?\d+)?[dxXo](?:[^%]|%%)*")
MOST = 100_000


class Number(str):
    """A JSON number as it was written."""


def loops(task: Mapping[str, Any]) -> bool:
    """Whether a task is a loop."""
    return any(kind in task for kind in KINDS)


def items(task: Mapping[str, Any]) -> list[Any]:
    """The items of a loop whose variables were replaced."""
    if "withItems" in task:
        found = task["withItems"]
    elif "withParam" in task:
        try:
            found = json.loads(task["withParam"], parse_int=Number, parse_float=Number)
        except json.JSONDecodeError:
            found = None
        if not isinstance(found, list):
            raise TemplateError(f"withParam value could not be parsed as a JSON list: {task['withParam']!r}")
    else:
        found = _sequence(task["withSequence"])
    return list(found)


def _sequence(sequence: Mapping[str, Any]) -> Sequence[str]:
    start = _integer(sequence, "start", 0)
    count = _integer(sequence, "count", 0)
    if "end" in sequence:
        end = _integer(sequence, "end", 0)
    elif count < 0:
        raise TemplateError(f"withSequence.count is {count}")
    else:
        end = start + count - 1
    if "count" in sequence and not count:
        return []
    numbers = range(start, end + 1) if start <= end else range(start, end - 1, -1)
    if len(numbers) > MOST:
        raise TemplateError(f"withSequence has {len(numbers)} items")
    form = sequence.get("format", "%d")
    return [form % number for number in numbers]


def _integer(sequence: Mapping[str, Any], field: str, default: int) -> int:
    value = sequence.get(field, default)
    if isinstance(value, str) and not re.fullmatch(r"[+-]?\d+", value):
        raise TemplateError(f"withSequence.{field} is no integer: {value!r}")
    return int(value)


def item_variables(item: Any) -> dict[str, str]:
    """`item` and `item.<key>` of one item. Raises TemplateError for a null, which Argo does not know."""
    if isinstance(item, dict):
        return {"item": go_json(_plain(item)), **{f"item.{key}": _scalar(value) for key, value in item.items()}}
    if isinstance(item, list):
        return {"item": go_json(_plain(item)), **{f"item.[{index}]": _scalar(value) for index, value in enumerate(item)}}
    return {"item": _scalar(item)}


def _scalar(value: Any) -> str:
    if value is None:
        raise TemplateError("an item of a loop is null")
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int) else go_json(_plain(value))


def _plain(value: Any) -> Any:
    if isinstance(value, Number):
        return json.loads(value)
    if isinstance(value, dict):
        return {key: _plain(value[key]) for key in sorted(value)}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def item_name(index: int, item: Any) -> str:
    """What stands in the parentheses behind a loop's name."""
    if isinstance(item, dict):
        return f"{index}:{','.join(sorted(f'{key}:{_scalar(value)}' for key, value in item.items()))}"
    return f"{index}:{_scalar(item)}"


def aggregated(outputs: Sequence[Mapping[str, str]], whole: bool) -> dict[str, str]:
    """The outputs of a loop's items, in order of the items: parameter to JSON list; the list of all maps is under "" if `whole`.

    A list holds the values as strings, except that values which all are JSON objects or lists are themselves. Items without the parameter
    are left out.
    """
    result = {}
    for name in dict.fromkeys(name for each in outputs for name in each):
        result[name] = _json_list([each[name] for each in outputs if name in each])
    if whole:
        result[""] = go_json([dict(sorted(each.items())) for each in outputs if each])
    return result


def _json_list(values: Sequence[str]) -> str:
    parsed = []
    for value in values:
        try:
            parsed.append(json.loads(value))
        except json.JSONDecodeError:
            break
        if not isinstance(parsed[-1], dict | list):
            break
    else:
        return go_json([_sorted(each) for each in parsed])
    return go_json(list(values))


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(each) for each in value] if isinstance(value, list) else value
