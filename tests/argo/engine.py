"""Runs a workflow: one thread, one clock, a runner. Nothing starts before the whole manifest is found valid.

The loop asks every unfinished execution to advance until none can, then waits for the next pod or timer. It decides the order in which
ready things start by their order in the manifest, or by `order` where a test gives one.
"""

from __future__ import annotations

import copy
import datetime
import random
from collections.abc import Mapping
from typing import Any

from . import tags
from .dag import Dag
from .executions import Execution, OnePod, Retried, Unexecuted, pod_name
from .nodes import Node, Phase, Result
from .problems import RunnerError, TemplateError
from .runner import Clock, Handle, Runner, SystemClock
from .submission import Submission, failures_text, metadata_variables, workflow_variables
from .validate import validate


def run(
    manifest: Mapping[str, Any],
    submission: Submission,
    runner: Runner,
    clock: Clock | None = None,
    *,
    backoff_scale: float = 1.0,
    order: random.Random | None = None,
) -> Result:
    """Validate the manifest, submit it and run it to its end. Raises ManifestError before anything starts.

    `backoff_scale` shortens the waits between retries where the clock is real; `order` shuffles what may start at the same time.
    """
    validate(manifest)
    engine = Engine(copy.deepcopy(dict(manifest)), submission, runner, clock or SystemClock(), backoff_scale, order)
    try:
        return engine.run()
    finally:
        engine.stop_all()


class Engine:
    """The state of one run that all executions share."""

    def __init__(
        self,
        manifest: dict[str, Any],
        submission: Submission,
        runner: Runner,
        clock: Clock,
        backoff_scale: float,
        order: random.Random | None,
    ) -> None:
        self.spec: dict[str, Any] = manifest["spec"]
        self.templates: dict[str, dict[str, Any]] = {each["name"]: each for each in self.spec["templates"]}
        self.authored = {name: frozenset(tags.tags(each)) for name, each in self.templates.items()}
        self.name = submission.name
        self.runner = runner
        self.clock = clock
        self.backoff_scale = backoff_scale
        self.order = order
        self.variables = workflow_variables(self.spec, submission)
        own = tags.substitute(self.spec.get("workflowMetadata", {}), self.variables)
        self.variables.update(metadata_variables(own))
        self.pod_metadata = tags.substitute(self.spec.get("podMetadata", {}), self.variables)
        self.running: dict[str, Handle] = {}
        self.timers: list[float] = []
        self.changed = False
        self.expired = False
        self.in_exit_handler = False

    def run(self) -> Result:
        """The whole workflow, its exit handler included."""
        started = self.clock.now()
        limit = self.spec.get("activeDeadlineSeconds")
        root = self._execute_all(self.spec["entrypoint"], self.name, None if limit is None else started + limit)
        phase, message = root.phase, root.message
        handler = None
        if "onExit" in self.spec:
            self.in_exit_handler = True
            self.variables["workflow.status"] = phase.value
            self.variables["workflow.failures"] = failures_text([_failure(each) for each in root.walk() if each.phase.bad])
            handler = self._execute_all(self.spec["onExit"], f"{self.name}.onExit", None)
            if phase is Phase.SUCCEEDED and handler.phase.bad:
                phase, message = handler.phase, handler.message
        return Result(phase, message, root, handler)

    def _execute_all(self, template: str, name: str, deadline: float | None) -> Node:
        self.expired = False
        execution = self.execute(template, {}, name, name)
        while not execution.done:
            self.timers = [] if deadline is None or self.expired else [deadline]
            if deadline is not None and self.clock.now() >= deadline:
                self.expired = True
            self.changed = False
            execution.advance()
            if not self.changed and not execution.done:
                if not self.running and not self.timers:
                    raise RunnerError("the run is stuck: nothing runs, nothing is due, and nothing can start")
                due = [handle.due for handle in self.running.values() if handle.due is not None]
                self.clock.wait(min([*self.timers, *due], default=None))
        return execution.node

    def execute(self, template: str, arguments: Mapping[str, str], name: str, display: str) -> Execution:
        """An execution of a template; where the template cannot be made ready, one that ended in Error."""
        node = Node(name, display, "", template, started=self.clock.now())
        try:
            ready = self.bound(self.templates[template], arguments)
        except TemplateError as error:
            node.type = "Skipped"
            return Unexecuted(self, node, Phase.ERROR, str(error))
        node.inputs = {each["name"]: each["value"] for each in ready.get("inputs", {}).get("parameters", [])}
        kind = Dag if "dag" in ready else Retried if "retryStrategy" in ready else OnePod
        return kind(self, node, ready)

    def bound(self, template: Mapping[str, Any], arguments: Mapping[str, str]) -> dict[str, Any]:
        """The template with the values of its inputs in place; nothing else is replaced yet."""
        bound: dict[str, Any] = copy.deepcopy(dict(template))
        for each in bound.get("inputs", {}).get("parameters", []):
            if each["name"] in arguments:
                each["value"] = arguments[each["name"]]
            elif "value" not in each:
                raise TemplateError(f"inputs.parameters.{each['name']} had no value")
            if "enum" in each and each["value"] not in each["enum"]:
                raise TemplateError(f"inputs.parameters.{each['name']}: {each['value']!r} is not one of {each['enum']}")
        return bound

    def replaced(self, template: Mapping[str, Any], local: Mapping[str, str]) -> dict[str, Any]:
        """Argo's two passes over a template: what is known to the workflow and to this node, then the template's inputs."""
        first: dict[str, Any] = tags.substitute(template, {**self.variables, **local})
        inputs = {f"inputs.parameters.{each['name']}": each["value"] for each in first.get("inputs", {}).get("parameters", [])}
        second: dict[str, Any] = tags.substitute(first, inputs)
        return second

    def left(self, document: Any, template: str) -> list[str]:
        """The author's tags that are still in a part of a template."""
        return tags.unresolved(document, self.authored[template].__contains__)

    def has_slot(self) -> bool:
        """Whether another pod may run now."""
        most: float = self.spec.get("parallelism", float("inf"))
        return len(self.running) < most

    def shuffled(self, ready: list[Any]) -> list[Any]:
        """In the order in which to look at them."""
        if self.order is None:
            return ready
        return self.order.sample(ready, len(ready))

    def stop_all(self) -> None:
        """Have every pod end that still runs."""
        for handle in self.running.values():
            handle.stop()

    def pod_name(self, node: str, template: str) -> str:
        """The name of a node's pod."""
        return self.name if node == self.name else pod_name(self.name, template, node)


def _failure(node: Node) -> dict[str, Any]:
    finished = datetime.datetime.fromtimestamp(node.finished or node.started, datetime.timezone.utc)
    return {
        "displayName": node.display,
        "message": node.message,
        "templateName": node.template,
        "phase": node.phase.value,
        "podName": node.pod or node.name,
        "finishedAt": finished.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
