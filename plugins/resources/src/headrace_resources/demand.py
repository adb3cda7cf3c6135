"""`@resources`: writes what a step asks for into its Resources field. What becomes of it is the launcher's or the orchestrator's business."""

from __future__ import annotations

import math
import re
from typing import Any, ClassVar, Final

from attrs import evolve, field, frozen

from headrace_hookspecs import FlowDefinitionError, PlanContext, StepNode
from headrace_hookspecs import Resources as ResourcesField
from headrace_hookspecs.decorators import Phase

_MIB: Final = {"k": 1 / 1024, "m": 1.0, "g": 1024.0, "t": 1024.0**2}
_SIZE: Final = re.compile(r"\s*([0-9]*\.?[0-9]+)\s*(?:([kmgt])(?:i?b|i)?)?\s*\Z", re.IGNORECASE)


def _size(name: str, value: Any, least: int) -> int | None:
    """Whole MiB, rounded up. A number is MiB already; K, M, G and T, with or without iB or B, are steps of 1024."""
    if value is None:
        return None
    match = None if isinstance(value, bool) else _SIZE.match(str(value))
    size = math.ceil(float(match[1]) * _MIB[(match[2] or "m").lower()]) if match else -1
    if size < least:
        raise _refuse(f"{name}={value!r} is no size.", f'Write {name} in MiB, or with a unit: {name}=8192, {name}="8G".')
    return size


def _number(value: Any) -> float:
    """What a number, or the text of one, stands for; -1 for anything else."""
    if isinstance(value, bool):
        return -1.0
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return -1.0
    return number if math.isfinite(number) else -1.0


def _refuse(problem: str, remedy: str) -> FlowDefinitionError:
    return FlowDefinitionError(f"@resources: {problem}", remedy=remedy, code="decorator-invalid")


def _cpu(value: Any) -> float | None:
    if value is None:
        return None
    cores = _number(value)
    if cores <= 0:
        raise _refuse(f"cpu={value!r} is no number of cores.", "Write a number above 0: cpu=2, cpu=0.5.")
    return cores


def _gpu(value: Any) -> int | None:
    if value is None:
        return None
    count = _number(value)
    if count < 0 or count != int(count):
        raise _refuse(f"gpu={value!r} is no number of devices.", "Write a whole number: gpu=1.")
    return int(count)


def _memory(value: Any) -> int | None:
    return _size("memory", value, 1)


def _disk(value: Any) -> int | None:
    return _size("disk", value, 1)


def _shared_memory(value: Any) -> int | None:
    return _size("shared_memory", value, 0)


@frozen(kw_only=True)
class ResourcesConfig:
    """What a step asks for; None leaves a quantity to whoever runs the step.

    `cpu`: cores, fractions allowed. `gpu`: a count. `disk`, `memory`, `shared_memory`: MiB as a number, or text with a unit (`"8G"`).
    """

    cpu: float | None = field(default=1.0, converter=_cpu)
    gpu: int | None = field(default=None, converter=_gpu)
    disk: int | None = field(default=None, converter=_disk)
    memory: int | None = field(default=4096, converter=_memory)
    shared_memory: int | None = field(default=None, converter=_shared_memory)


class Resources:
    """The implementation behind `@resources`."""

    name: ClassVar[str] = "resources"
    phase: ClassVar[Phase] = "limits"
    multiple: ClassVar[bool] = False

    def __init__(self, config: ResourcesConfig) -> None:
        self.config = config

    @staticmethod
    def config_class() -> type[ResourcesConfig]:
        """The keyword arguments."""
        return ResourcesConfig

    def plan(self, step: StepNode, context: PlanContext) -> StepNode:
        """Write the request. Where another decorator asked already, the larger of the two counts, whichever comes first."""
        before = step.resources or ResourcesField()
        mine = self.config
        return evolve(
            step,
            resources=evolve(
                before,
                cpu=_larger(before.cpu, mine.cpu),
                gpu=_larger(before.gpu, mine.gpu),
                disk=_larger(before.disk, mine.disk),
                memory=_larger(before.memory, mine.memory),
                shared_memory=_larger(before.shared_memory, mine.shared_memory),
            ),
        )


def _larger(a: float | None, b: float | None) -> Any:
    return max((value for value in (a, b) if value is not None), default=None)
