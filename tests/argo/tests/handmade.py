"""Builds small manifests by hand, and plays them in virtual time."""

from __future__ import annotations

import random
from typing import Any, NamedTuple

from argo.engine import run
from argo.nodes import Result
from argo.runner import Answer, CallableRunner, Pod, VirtualClock
from argo.submission import Submission

START = 1_700_000_000.0


def parameters(**values: Any) -> dict[str, Any]:
    """`{"parameters": [...]}` of names and values; a value of None is left out. `_` in a name is `-`."""
    found = [{"name": name.replace("_", "-"), **({} if value is None else {"value": value})} for name, value in values.items()]
    return {"parameters": found}


def files(*names: str, **defaults: str) -> dict[str, Any]:
    """Outputs that are read from files in /tmp."""
    plain = [{"name": name, "valueFrom": {"path": f"/tmp/{name}"}} for name in names]
    return {
        "parameters": plain + [{"name": key, "valueFrom": {"path": f"/tmp/{key}", "default": value}} for key, value in defaults.items()]
    }


def container(name: str = "work", *args: str, **more: Any) -> dict[str, Any]:
    """A container template; the words are its arguments."""
    return {"name": name, "container": {"image": "image", "command": ["work"], "args": list(args)}, **more}


def task(name: str, depends: str | None = None, template: str = "work", **more: Any) -> dict[str, Any]:
    """A task of a DAG."""
    return {"name": name, "template": template, **({} if depends is None else {"depends": depends}), **more}


def dag(name: str, *tasks: dict[str, Any], fail_fast: bool | None = None, **more: Any) -> dict[str, Any]:
    """A DAG template."""
    return {"name": name, "dag": {"tasks": list(tasks), **({} if fail_fast is None else {"failFast": fail_fast})}, **more}


def workflow(*templates: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """A WorkflowTemplate whose entrypoint is `main`."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "WorkflowTemplate",
        "metadata": {"name": "hello"},
        "spec": {"entrypoint": "main", "templates": list(templates), **spec},
    }


class Played(NamedTuple):
    """A run that is over; `seconds` is how long it took."""

    result: Result
    runner: CallableRunner
    seconds: float

    @property
    def order(self) -> list[str]:
        """The nodes whose pods were started, in that order, without the workflow's name."""
        return [pod.node.removeprefix("hello-1").removeprefix(".") for pod in self.runner.started]

    @property
    def args(self) -> list[list[str]]:
        """The arguments of the pods, in order of their start."""
        return [list(pod.args) for pod in self.runner.started]


def play(manifest: dict[str, Any], function: Any = None, lasts: Any = 1.0, order: random.Random | None = None, **typed: str) -> Played:
    """Run a manifest; `function` answers for every pod, success where there is none. The rest are parameters as typed."""

    def nothing(pod: Pod) -> Answer:
        return 0

    clock = VirtualClock(START)
    runner = CallableRunner(clock, function or nothing, lasts)
    result = run(manifest, Submission("hello-1", typed), runner, clock, order=order)
    return Played(result, runner, clock.now() - START)


def by_task(**answers: Any) -> Any:
    """A function for `play` that answers by the last part of a node's name; a list is one answer for every attempt."""

    def function(pod: Pod) -> Any:
        name, _, attempt = pod.node.rpartition(".")[2].partition("(")
        answer = answers.get(name.replace("-", "_"), 0)
        return answer[int(attempt.rstrip(")"))] if isinstance(answer, list) else answer

    return function
