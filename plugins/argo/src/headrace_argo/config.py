"""The section `[orchestrator.argo]`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from attrs import field, frozen

from headrace_hookspecs import ConfigError

_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\Z")


@frozen
class ArgoConfig:
    """How Argo runs flows; empty and None leave a thing to the cluster.

    `namespace`: where the WorkflowTemplate and all its pods are. `service_account`: what they run as, where a step names none.
    `parallelism`: how many pods of a run are there at the same time. `timeout`: seconds that a run may take in all. `priority`: of a run;
    the higher goes first. `labels`, `annotations`: put on the template, its runs and their pods; Argo's own variables may be used.
    `startup`: seconds that a pod may need before and after its step: to fetch image and code, to store results. A pod of a step with a
    timeout is ended that much after the timeout's own end, which the task itself keeps exactly.
    """

    namespace: str = ""
    service_account: str = ""
    parallelism: int | None = None
    timeout: float | None = None
    priority: int | None = None
    labels: Mapping[str, str] = field(factory=dict)
    annotations: Mapping[str, str] = field(factory=dict)
    startup: float = 600.0

    def __attrs_post_init__(self) -> None:
        for name in ("namespace", "service_account"):
            value = getattr(self, name)
            if value and not _NAME.match(value):
                raise _wrong(name, value, "Write the name of an object of the cluster.")
        if self.parallelism is not None and self.parallelism < 1:
            raise _wrong("parallelism", self.parallelism, "Write 1 or more, or leave it out.")
        if self.timeout is not None and self.timeout <= 0:
            raise _wrong("timeout", self.timeout, "Write seconds above 0, or leave it out.")
        if self.startup < 0:
            raise _wrong("startup", self.startup, "Write seconds, 0 or more.")


def _wrong(name: str, value: object, remedy: str) -> ConfigError:
    return ConfigError(f"orchestrator.argo.{name} cannot be {value!r}.", remedy=remedy)
