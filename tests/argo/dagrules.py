"""What Argo refuses of a DAG template: names, `depends`, cycles, loops, and variables of tasks that do not come before."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any

from . import conditions, depends, loops, podrules, references
from .dag import tree_of
from .problems import Problem, TemplateError

Templates = Mapping[str, dict[str, Any]]


def problems(template: dict[str, Any], templates: Templates, scope: references.Scope, path: str) -> Iterator[Problem]:
    """All that is wrong with the tasks of a DAG template; `scope` is what the whole template may use."""
    tasks: dict[str, dict[str, Any]] = {}
    for task in template["dag"]["tasks"]:
        where = f"{path}.dag.tasks[{task['name']}]"
        if task["name"] in tasks:
            yield Problem(where, "is there twice")
        tasks[task["name"]] = task
        yield from _name_problems(task, where)
        if task["template"] not in templates:
            yield Problem(f"{where}.template", f"there is no template {task['template']!r}")
    trees: dict[str, depends.Tree | None] = {}
    for name, task in tasks.items():
        where = f"{path}.dag.tasks[{name}]"
        yield from _depends_problems(task, tasks, where)
        trees[name] = _readable(task)
    if any("depends" in task for task in tasks.values()) and any("dependencies" in task for task in tasks.values()):
        yield Problem(f"{path}.dag.tasks", "cannot use both 'depends' and 'dependencies' in the same DAG template")
    before = {name: _before(name, trees) for name in tasks}
    circles = [name for name in tasks if name in before[name]]
    if circles:
        yield Problem(f"{path}.dag.tasks", f"dependency cycle detected: {', '.join(circles)}")
        return
    for name, task in tasks.items():
        if "depends" in task and trees[name] is None:
            continue  # what comes before it is not known
        ready = _with_tasks(scope, tasks, templates, before[name])
        yield from _task_problems(task, templates, ready, f"{path}.dag.tasks[{name}]")
    everything = _with_tasks(scope, tasks, templates, set(tasks))
    for each in template.get("outputs", {}).get("parameters", []):
        yield from _output_problems(each["valueFrom"], everything, f"{path}.outputs.parameters[{each['name']}].valueFrom")


def _name_problems(task: Mapping[str, Any], where: str) -> Iterator[Problem]:
    if not podrules.label(task["name"]):
        yield Problem(where, "a task's name has to be a DNS-1123 label of at most 63 characters")


def _depends_problems(task: Mapping[str, Any], tasks: Mapping[str, Any], where: str) -> Iterator[Problem]:
    path = f"{where}.{'depends' if 'depends' in task else 'dependencies'}"
    try:
        tree = tree_of(task)
    except TemplateError as error:
        yield Problem(path, f"{task['depends']!r}: {error}")
        return
    for operand in depends.operands(tree) if tree is not None else ():
        if operand.task not in tasks:
            yield Problem(path, f"dependency {operand.task!r} is not defined")
        elif operand.result in depends.OF_ITEMS and not loops.loops(tasks[operand.task]):
            yield Problem(path, f"{operand.task}.{operand.result} needs a task with items")
        if operand.task in depends.RESERVED:
            yield Problem(
                path, f"{operand.task!r} is a word of the expression language, which Argo 3.5 refuses as a task's name in `depends`"
            )
        if operand.task[0].isdigit():
            yield Problem(path, f"{operand.task!r} begins with a digit")


def _readable(task: Mapping[str, Any]) -> depends.Tree | None:
    try:
        return tree_of(task)
    except TemplateError:
        return None


def _before(name: str, trees: Mapping[str, depends.Tree | None]) -> set[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        tree = trees.get(waiting.pop())
        for operand in depends.operands(tree) if tree is not None else ():
            if operand.task not in found:
                found.add(operand.task)
                waiting.append(operand.task)
    return found


def _with_tasks(scope: references.Scope, tasks: Mapping[str, dict[str, Any]], templates: Templates, known: set[str]) -> references.Scope:
    names: list[str] = []
    reasons = list(scope.reasons)
    for name, task in tasks.items():
        template = templates.get(task["template"], {})
        prefix = f"tasks.{name}"
        if name not in known:
            reasons.append((prefix, f"the task does not depend on {name!r}"))
            continue
        names += [f"{prefix}.outputs.parameters.{each['name']}" for each in template.get("outputs", {}).get("parameters", [])]
        if loops.loops(task):
            reasons += [(f"{prefix}.{each}", "a loop has no such variable at run time") for each in ("status", "exitCode")]
            names += [f"{prefix}.outputs.parameters"] if "withSequence" not in task else []
        else:
            names += [f"{prefix}.status"] + ([f"{prefix}.exitCode"] if "container" in template else [])
    return dataclasses.replace(scope.add(*names), reasons=tuple(reasons))


def _task_problems(task: dict[str, Any], templates: Templates, scope: references.Scope, where: str) -> Iterator[Problem]:
    template = templates.get(task["template"])
    given = [each["name"] for each in task.get("arguments", {}).get("parameters", [])]
    for index, name in enumerate(given):
        if name in given[:index]:
            yield Problem(f"{where}.arguments.parameters[{name}]", "is there twice")
    if template is not None:
        inputs = {each["name"]: each for each in template.get("inputs", {}).get("parameters", [])}
        for name in given:
            if name not in inputs:
                yield Problem(f"{where}.arguments.parameters[{name}]", f"template {task['template']!r} has no such input")
        for name in inputs:
            if name not in given and "value" not in inputs[name]:
                yield Problem(f"{where}.arguments.parameters", f"{name!r} was not supplied")
    for each in task.get("arguments", {}).get("parameters", []):
        if "value" not in each:
            yield Problem(f"{where}.arguments.parameters[{each['name']}].value", "is required")
    yield from _loop_problems(task, where)
    kinds = [kind for kind in loops.KINDS if kind in task]
    yield from references.problems({kind: task[kind] for kind in kinds if kind != "withItems"}, scope, where)
    if "withItems" in task:
        yield from references.problems(task["withItems"], scope, f"{where}.withItems")
    if "when" in task:
        yield from references.problems(task["when"], scope, f"{where}.when")
        yield from _when_problems(task["when"], f"{where}.when")
    if kinds:
        scope = _with_item(task, kinds[0], scope)
    yield from references.problems(task.get("arguments", {}), scope, f"{where}.arguments")
    for field in ("name", "template", "depends"):
        if podrules.tagged(task.get(field)):
            yield Problem(f"{where}.{field}", "holds a tag")


def _with_item(task: Mapping[str, Any], kind: str, scope: references.Scope) -> references.Scope:
    if kind == "withSequence":
        return scope.add("item")
    if kind == "withParam":
        return dataclasses.replace(scope, any_item=True)
    known: set[str] = {"item"}
    for item in task["withItems"]:
        known |= {f"item.{key}" for key in item} if isinstance(item, dict) else set()
        known |= {f"item.[{index}]" for index in range(len(item))} if isinstance(item, list) else set()
    return scope.add(*known)


def _loop_problems(task: Mapping[str, Any], where: str) -> Iterator[Problem]:
    kinds = [kind for kind in loops.KINDS if kind in task]
    if len(kinds) > 1:
        yield Problem(where, f"only one of {', '.join(loops.KINDS)} can be specified")
    if kinds and "when" in task:
        yield Problem(
            f"{where}.when", "on a loop it means different things in different versions of Argo; put the loop into a DAG of its own"
        )
    if "withItems" in task and any(item is None for item in task["withItems"]):
        yield Problem(f"{where}.withItems", "an item is null")
    sequence = task.get("withSequence")
    if sequence is None:
        return
    if ("count" in sequence) == ("end" in sequence):
        yield Problem(f"{where}.withSequence", "needs either count or end")
    for field in ("count", "start", "end"):
        value = sequence.get(field, 0)
        if isinstance(value, str) and not podrules.tagged(value) and not re.fullmatch(r"[+-]?\d+", value):
            yield Problem(f"{where}.withSequence.{field}", f"{value!r} is no integer")
        if field == "count" and re.fullmatch(r"-\d+", str(value)):
            yield Problem(f"{where}.withSequence.{field}", "is negative")
    if "format" in sequence and not loops.FORMAT.fullmatch(sequence["format"]):
        yield Problem(f"{where}.withSequence.format", f"{sequence['format']!r} does not format one integer")


def _when_problems(when: str, where: str) -> Iterator[Problem]:
    if not when.strip():
        yield Problem(where, "is empty")
    elif not podrules.tagged(when):
        try:
            conditions.holds(when)
        except TemplateError as error:
            yield Problem(where, str(error))


def _output_problems(source: Mapping[str, str], scope: references.Scope, where: str) -> Iterator[Problem]:
    if ("parameter" in source) == ("expression" in source) or "path" in source:
        yield Problem(where, "of a DAG template needs either parameter or expression")
    elif "expression" in source:
        yield from references.expression_problems(source["expression"], scope, f"{where}.expression")
    elif not re.fullmatch(r"\{\{tasks\.[^{}=]+\}\}", source["parameter"]):
        yield Problem(f"{where}.parameter", "has to be one variable of a task")
    else:
        yield from references.problems(source["parameter"], scope, f"{where}.parameter")
