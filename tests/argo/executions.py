"""Executions of container templates: one pod, or one pod after the other by a retry strategy. Knows no DAG."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from . import podrules, retries
from .nodes import Node, Phase
from .problems import TemplateError
from .runner import Ended, Handle, Lost, Pod

if TYPE_CHECKING:
    from .engine import Engine

TOO_LONG = "Pod was active on the node longer than the specified deadline"
EXPIRED = "Step exceeded its deadline"


class Execution:
    """Something with a node that advances, step by step, to an end."""

    def __init__(self, engine: Engine, node: Node, template: Mapping[str, Any]) -> None:
        self.engine = engine
        self.node = node
        self.template = template
        self.begun = False

    @property
    def done(self) -> bool:
        """Whether the node has come to its end."""
        return self.node.phase.fulfilled

    def advance(self) -> None:
        """Do what can be done now."""
        raise NotImplementedError

    def finish(self, phase: Phase, message: str = "") -> None:
        """The end."""
        self.node.phase = phase
        self.node.message = message
        self.node.finished = self.engine.clock.now()
        self.engine.changed = True


class Unexecuted(Execution):
    """A node that ends before anything is executed: skipped, omitted, or in error."""

    def __init__(self, engine: Engine, node: Node, phase: Phase, message: str) -> None:
        super().__init__(engine, node, {})
        node.type = node.type or "Skipped"
        self.finish(phase, message)

    def advance(self) -> None:
        """Nothing is left to do."""


class OnePod(Execution):
    """A container template, executed once; `local` are the variables of this attempt."""

    def __init__(self, engine: Engine, node: Node, template: Mapping[str, Any], local: Mapping[str, str] | None = None) -> None:
        super().__init__(engine, node, template)
        node.type = "Pod"
        node.pod = engine.pod_name(node.name, node.template)
        self.local = {"node.name": node.name, "pod.name": node.pod, **(local or {})}
        self.handle: Handle | None = None
        self.deadline: float | None = None
        self.stopped_for = ""

    def advance(self) -> None:
        if self.handle is None:
            self._start()
        if self.handle is None or self.done:
            return
        ended = self.handle.poll()
        if ended is not None:
            del self.engine.running[self.node.pod]
            self._ended(ended)
            return
        if self.deadline is not None and not self.stopped_for:
            self.engine.timers.append(self.deadline)
        if not self.stopped_for:
            if self.engine.expired:
                self._stop(EXPIRED)
            elif self.deadline is not None and self.engine.clock.now() >= self.deadline:
                self._stop(TOO_LONG)

    def _start(self) -> None:
        if self.engine.expired:
            self.finish(Phase.FAILED, EXPIRED)
            return
        if not self.engine.has_slot():
            return
        self.begun = self.engine.changed = True
        self.node.started = self.engine.clock.now()
        try:
            ready = self.engine.replaced(self.template, self.local)
            left = self.engine.left(ready, self.node.template)
            if left:
                raise TemplateError(f"failed to resolve {', '.join(f'{{{{{tag}}}}}' for tag in left)}")
            pod = self._pod(ready)
            limits = [float(ready["activeDeadlineSeconds"])] if "activeDeadlineSeconds" in ready else []
            limits += [retries.seconds(ready["timeout"])] if "timeout" in ready else []
        except (TemplateError, ValueError) as error:
            self.finish(Phase.ERROR, str(error))
            return
        self.deadline = self.node.started + min(limits) if limits else None
        self.node.phase = Phase.RUNNING
        self.handle = self.engine.runner.start(pod)
        self.engine.running[pod.name] = self.handle

    def _pod(self, ready: Mapping[str, Any]) -> Pod:
        container = ready["container"]
        metadata = {
            kind: {**self.engine.pod_metadata.get(kind, {}), **ready.get("metadata", {}).get(kind, {})}
            for kind in ("labels", "annotations")
        }
        problems = [*podrules.metadata_problems(metadata, "metadata"), *podrules.container_problems(container, "container")]
        if problems:
            raise TemplateError(f"the cluster refuses the pod: {'; '.join(map(str, problems))}")
        outputs = {each["name"]: each["valueFrom"]["path"] for each in ready.get("outputs", {}).get("parameters", [])}
        return Pod(
            name=self.node.pod,
            node=self.node.name,
            template=self.node.template,
            image=container["image"],
            command=tuple(container["command"]),
            args=tuple(container.get("args", ())),
            env=tuple(container.get("env", ())),
            outputs=outputs,
            labels=metadata["labels"],
            annotations=metadata["annotations"],
            container=container,
            spec=ready,
        )

    def _stop(self, reason: str) -> None:
        if self.handle is not None:
            self.stopped_for = reason
            self.engine.changed = True
            self.handle.stop()

    def _ended(self, ended: Ended | Lost) -> None:
        if isinstance(ended, Lost):
            self.finish(Phase.ERROR, ended.message)
            return
        self.node.exit_code = ended.exit_code
        self.node.log = ended.log
        if self.stopped_for:
            self.finish(Phase.FAILED, self.stopped_for)
        elif ended.exit_code:
            # Argo's documentation does not promise the outputs of a pod that failed, so nobody may build on them
            self.finish(Phase.FAILED, f"Error (exit code {ended.exit_code})")
        else:
            self._succeeded(ended)

    def _succeeded(self, ended: Ended) -> None:
        outputs = {}
        for each in self.template.get("outputs", {}).get("parameters", []):
            name, source = each["name"], each["valueFrom"]
            if name in ended.outputs:
                # one newline at the end is for the convenience of shells
                outputs[name] = ended.outputs[name].removesuffix("\n")
            elif "default" in source:
                outputs[name] = source["default"]
            else:
                self.finish(Phase.ERROR, f"outputs.parameters.{name}: there is no file {source['path']}")
                return
        self.node.outputs = outputs
        self.finish(Phase.SUCCEEDED)


class Retried(Execution):
    """A container template with a retry strategy: its node ends as its last attempt does."""

    def __init__(self, engine: Engine, node: Node, template: Mapping[str, Any]) -> None:
        super().__init__(engine, node, template)
        node.type = "Retry"
        self.attempt: OnePod | None = None

    def advance(self) -> None:
        if self.attempt is None:
            self._next()
        assert self.attempt is not None
        self.attempt.advance()
        self.begun = self.begun or self.attempt.begun
        if self.begun and self.node.phase is Phase.PENDING:
            self.node.phase = Phase.RUNNING
        if not self.attempt.done:
            return
        last = self.attempt.node
        self.node.exit_code = last.exit_code
        if last.phase is Phase.SUCCEEDED:
            self.node.outputs = last.outputs
            self.finish(Phase.SUCCEEDED)
            return
        if self.engine.expired:
            self.finish(last.phase, "retry exceeded workflow deadline")
            return
        try:
            strategy = self.engine.replaced(self.template, {"node.name": self.node.name})["retryStrategy"]
            then = retries.decide(strategy, self.node.children, self.engine.clock.now(), self.engine.backoff_scale)
        except TemplateError as error:
            self.finish(Phase.ERROR, str(error))
            return
        if isinstance(then, retries.Wait):
            self.engine.timers.append(then.until)
        elif isinstance(then, retries.GiveUp):
            self.finish(last.phase, then.message)
        else:
            self._next()

    def _next(self) -> None:
        number = len(self.node.children)
        last = self.node.children[-1] if self.node.children else None
        node = Node(
            f"{self.node.name}({number})",
            f"{self.node.display}({number})",
            "Pod",
            self.node.template,
            inputs=self.node.inputs,
            started=self.engine.clock.now(),
        )
        self.node.children.append(node)
        local = {"retries": str(number), **retries.last_retry(last)}
        self.attempt = OnePod(self.engine, node, self.template, local)
        self.engine.changed = True


def pod_name(workflow: str, template: str, node: str) -> str:
    """The name of a pod: workflow, template and a hash (FNV-1a, 32 bits) of the node's name, at most 253 characters."""
    number = 0x811C9DC5
    for byte in node.encode():
        number = ((number ^ byte) * 0x01000193) & 0xFFFFFFFF
    return f"{f'{workflow}-{template}'[: 253 - 11]}-{number}"
