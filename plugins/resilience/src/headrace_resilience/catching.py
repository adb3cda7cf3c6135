"""`@catch`: lets a flow go on after a step that failed for good. Writes the step's Absorb field; the attempt itself acts on that."""

from __future__ import annotations

import keyword
from typing import Any, ClassVar

from attrs import evolve, field, frozen

from headrace_hookspecs import Absorb, DecoratorUse, FlowDefinitionError, PlanContext, StepNode, UsageError, check_id
from headrace_hookspecs.decorators import Phase

from .values import refuse, switch


def _artifact_name(value: Any) -> str | None:
    if value is None:
        return None
    try:
        name = check_id("artifact", value)
    except UsageError:
        name = ""
    if not name or keyword.iskeyword(name):
        raise refuse("catch", f"var={value!r} is no name that an artifact can have.", 'Write a Python name: var="failure".')
    return name


def _print_exception(value: Any) -> bool:
    return switch("catch", "print_exception", value)


@frozen(kw_only=True)
class CatchConfig:
    """What is kept of a failure.

    `var`: the artifact that holds it, None after a success; without it the failure is in the task's record only. `print_exception`:
    whether the traceback is shown in the task's log.
    """

    var: str | None = field(default=None, converter=_artifact_name)
    print_exception: bool = field(default=True, converter=_print_exception)


class Catch:
    """The implementation behind `@catch`."""

    name: ClassVar[str] = "catch"
    phase: ClassVar[Phase] = "limits"
    multiple: ClassVar[bool] = False

    def __init__(self, config: CatchConfig) -> None:
        self.config = config

    @staticmethod
    def config_class() -> type[CatchConfig]:
        """The keyword arguments."""
        return CatchConfig

    def plan(self, step: StepNode, context: PlanContext) -> StepNode:
        """Write the Absorb field.

        A foreach split or a switch that failed cannot say how the flow goes on. `@catch` above such a step is an error, while
        `--with catch`, which means every step that it can, leaves the step alone.
        """
        use = next((use for use in step.decorators if use.name == self.name), DecoratorUse(self.name))
        if step.kind in ("foreach", "switch"):
            if use.origin == "--with":
                return step
            decides = "the list that it fans out over" if step.kind == "foreach" else "the branch to take"
            raise _misplaced(
                f"@catch cannot stand on the {step.kind} step {step.name!r}: without its result there is no telling {decides}.",
                "Put the work that may fail into a step of its own before it, and @catch on that.",
                step,
                use,
            )
        var = self.config.var
        if var is not None:
            if var in {parameter.attribute for parameter in context.graph.parameters}:
                raise _misplaced(f"@catch(var={var!r}): the flow has a parameter of that name.", "Choose another name.", step, use)
            if var in context.graph.steps:
                raise _misplaced(f"@catch(var={var!r}): the flow has a step of that name.", "Choose another name.", step, use)
        return evolve(step, absorb=Absorb(artifact=var, print_exception=self.config.print_exception))


def _misplaced(problem: str, remedy: str, step: StepNode, use: DecoratorUse) -> FlowDefinitionError:
    source = use.source or step.source
    return FlowDefinitionError(
        problem,
        remedy=remedy,
        file=source.file if source else None,
        line=source.line if source else None,
        step=step.name,
        code="decorator-misplaced",
    )
