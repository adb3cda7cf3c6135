"""Executions of DAG templates and of loops over tasks. When a task may run is decided here; what runs is an execution of a template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from . import conditions, depends, expressions, loops, tags
from .executions import Execution, OnePod, Retried, Unexecuted
from .functions import as_text
from .nodes import Node, Phase
from .problems import TemplateError

if TYPE_CHECKING:
    from .engine import Engine

_RESULT = {
    Phase.SUCCEEDED: "Succeeded",
    Phase.FAILED: "Failed",
    Phase.ERROR: "Errored",
    Phase.SKIPPED: "Skipped",
    Phase.OMITTED: "Omitted",
}


def tree_of(task: Mapping[str, Any]) -> depends.Tree | None:
    """What a task depends on. Raises TemplateError."""
    if "depends" in task:
        return depends.parse(task["depends"])
    if "dependencies" in task:
        return depends.Formula("&&", tuple(depends.Operand(name, None) for name in task["dependencies"]))
    return None


class Loop(Execution):
    """One task, executed once for every item; its items are `(index, execution)`."""

    def __init__(self, engine: Engine, node: Node, template: Mapping[str, Any], items: list[Execution], whole: bool) -> None:
        super().__init__(engine, node, template)
        node.type = "TaskGroup"
        node.phase = Phase.RUNNING
        node.children = [each.node for each in items]
        self.items = items
        self.open = items
        self.whole = whole

    def advance(self) -> None:
        for each in self.engine.shuffled(self.open):
            if each.begun or each.done or self.engine.expired or self.engine.has_slot():
                each.advance()
        self.open = [each for each in self.open if not each.done]
        self.begun = True
        if not self.open:
            bad = [each.node.phase for each in self.items if each.node.phase.bad]
            self.finish(bad[-1] if bad else Phase.SUCCEEDED)

    def outputs(self) -> dict[str, str]:
        """The items' outputs as one; the whole list is under ""."""
        return loops.aggregated([each.node.outputs for each in self.items], self.whole)


class Dag(Execution):
    """The tasks of a DAG template."""

    def __init__(self, engine: Engine, node: Node, template: Mapping[str, Any]) -> None:
        super().__init__(engine, node, template)
        node.type = "DAG"
        self.tasks: dict[str, dict[str, Any]] = {}
        self.trees: dict[str, depends.Tree | None] = {}
        self.states: dict[str, Execution] = {}

    def advance(self) -> None:
        if not self.begun:
            self.begun = self.engine.changed = True
            self.node.phase = Phase.RUNNING
            try:
                ready = self.engine.replaced(self.template, {"node.name": self.node.name})
                self.tasks = {each["name"]: each for each in ready["dag"]["tasks"]}
                self.trees = {name: tree_of(each) for name, each in self.tasks.items()}
            except TemplateError as error:
                self.finish(Phase.ERROR, str(error))
                return
        for name in self.engine.shuffled([name for name in self.tasks if name not in self.states or not self.states[name].done]):
            if name in self.states:
                if self.states[name].begun or not self._stopping():
                    self.states[name].advance()
            elif not self._stopping():
                self._consider(name)
        self._assess()

    # which tasks

    def parents(self, name: str) -> list[str]:
        """The tasks that a task names in its `depends`."""
        tree = self.trees[name]
        return [] if tree is None else list(dict.fromkeys(each.task for each in depends.operands(tree)))

    def ancestors(self, name: str) -> list[str]:
        """The tasks a task depends on, directly or not."""
        found: dict[str, None] = {}
        waiting = self.parents(name)
        while waiting:
            each = waiting.pop()
            if each not in found:
                found[each] = None
                waiting += self.parents(each)
        return list(found)

    def targets(self) -> list[str]:
        """The tasks that no other depends on: their phases are the DAG's."""
        inner = {each for name in self.tasks for each in self.parents(name)}
        return sorted(set(self.tasks) - inner)

    def _branch(self, name: str) -> Phase | None:
        """The phase with which the branch of a task ended: a task that was not executed inherits a bad one from those before it."""
        if name not in self.states or not self.states[name].done:
            return None
        phase = self.states[name].node.phase
        if phase.completed:
            return phase
        before = [self._branch(each) for each in self.parents(name)]
        return next((each for each in before if each is not None and each.bad), Phase.SUCCEEDED)

    def _fail_fast(self) -> bool:
        return bool(self.template["dag"].get("failFast", True))

    def _bad_targets(self) -> list[Phase]:
        phases = [self._branch(each) for each in self.targets()]
        return [each for each in phases if each is not None and each.bad]

    def _stopping(self) -> bool:
        return self.engine.expired or (self._fail_fast() and bool(self._bad_targets()))

    # one task

    def _consider(self, name: str) -> None:
        before = self.parents(name)
        if not all(each in self.states and self.states[each].done for each in before):
            return
        node = Node(f"{self.node.name}.{name}", name, "", self.tasks[name]["template"], started=self.engine.clock.now())
        tree = self.trees[name]
        if tree is not None and not depends.holds(tree, {each: self._results(each) for each in before}):
            state: Execution = Unexecuted(self.engine, node, Phase.OMITTED, "omitted: depends condition not met")
        else:
            try:
                state = self._executed(
                    node, tags.substitute(self.tasks[name], {**self.engine.variables, **self._scope(self.ancestors(name))})
                )
            except TemplateError as error:
                state = Unexecuted(self.engine, node, Phase.ERROR, str(error))
        self.states[name] = state
        self.node.children.append(state.node)
        self.engine.changed = True

    def _results(self, name: str) -> frozenset[str]:
        state = self.states[name]
        results = {_RESULT[state.node.phase]}
        if isinstance(state, Loop):
            phases = [each.node.phase for each in state.items]
            results |= {"AnySucceeded"} if Phase.SUCCEEDED in phases else set()
            results |= {"AllFailed"} if set(phases) == {Phase.FAILED} else set()
        return frozenset(results)

    def _scope(self, names: list[str]) -> dict[str, str]:
        """The variables `tasks.*`: of a task that did not succeed, its status alone and perhaps an exit code."""
        scope = {}
        for name in names:
            state = self.states[name]
            prefix = f"tasks.{name}"
            if isinstance(state, Loop):
                if state.node.phase is Phase.SUCCEEDED:
                    outputs = state.outputs()
                    if "" in outputs:
                        scope[f"{prefix}.outputs.parameters"] = outputs.pop("")
                    scope.update({f"{prefix}.outputs.parameters.{key}": value for key, value in outputs.items()})
                continue
            scope[f"{prefix}.status"] = state.node.phase.value
            if state.node.exit_code is not None:
                scope[f"{prefix}.exitCode"] = str(state.node.exit_code)
            scope.update({f"{prefix}.outputs.parameters.{key}": value for key, value in state.node.outputs.items()})
        return scope

    def _executed(self, node: Node, task: dict[str, Any]) -> Execution:
        if "when" in task:
            self._resolved(task["when"], loop=False)
            if not conditions.holds(task["when"]):
                return Unexecuted(self.engine, node, Phase.SKIPPED, f"when '{task['when']}' evaluated false")
        self._resolved(task, loop=loops.loops(task))
        if not loops.loops(task):
            return self.engine.execute(task["template"], _arguments(task), node.name, node.display)
        found = loops.items(task)
        if not found:
            return Unexecuted(self.engine, node, Phase.SKIPPED, "Skipped, empty params")
        items = []
        body = {"arguments": task.get("arguments", {})}
        for index, item in enumerate(found):
            ready = tags.substitute(body, loops.item_variables(item))
            self._resolved(ready, loop=False)
            suffix = f"({loops.item_name(index, item)})"
            items.append(self.engine.execute(task["template"], _arguments(ready), node.name + suffix, node.display + suffix))
        return Loop(self.engine, node, self.template, items, whole="withSequence" not in task)

    def _resolved(self, document: Any, loop: bool) -> None:
        left = self.engine.left(document, self.node.template)
        left = [tag for tag in left if not (loop and about_items(tag))]
        if left:
            raise TemplateError(f"failed to resolve {', '.join(f'{{{{{tag}}}}}' for tag in left)}")

    # the whole

    def _assess(self) -> None:
        waiting = [each for each in self.states.values() if not each.done]
        stopping = self._stopping()
        # a pod that never got a slot does not exist for Argo
        idle = [each for each in waiting if stopping and isinstance(each, OnePod | Retried) and not each.begun]
        if len(waiting) > len(idle):
            return
        bad = self._bad_targets()
        if stopping:
            dropped = {id(each.node) for each in idle}
            self.node.children = [each for each in self.node.children if id(each) not in dropped]
            self.finish(bad[0] if bad else Phase.FAILED, "" if bad else "workflow deadline exceeded")
        elif len(self.states) == len(self.tasks):
            if bad:
                self.finish(bad[-1])
            else:
                self._succeeded()

    def _succeeded(self) -> None:
        outputs = {}
        scope = self._scope(list(self.states))
        ready = self.engine.replaced(self.template, {"node.name": self.node.name})
        for each in ready.get("outputs", {}).get("parameters", []):
            source = each["valueFrom"]
            try:
                if "expression" in source:
                    outputs[each["name"]] = as_text(expressions.evaluate(source["expression"], scope))
                else:
                    outputs[each["name"]] = scope[source["parameter"][2:-2]]
            except (KeyError, expressions.Unresolved) as error:
                if "default" not in source:
                    self.finish(Phase.ERROR, f"outputs.parameters.{each['name']}: unable to resolve {error}")
                    return
                outputs[each["name"]] = source["default"]
            except TemplateError as error:
                self.finish(Phase.ERROR, f"outputs.parameters.{each['name']}: {error}")
                return
        self.node.outputs = outputs
        self.finish(Phase.SUCCEEDED)


def about_items(tag: str) -> bool:
    """Whether a tag is replaced for every item of a loop."""
    if tag.startswith("="):
        return any(name.partition(".")[0] == "item" for name in expressions.variables(expressions.parse(tag[1:])))
    return tag == "item" or tag.startswith("item.")


def _arguments(task: Mapping[str, Any]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in task.get("arguments", {}).get("parameters", [])}
