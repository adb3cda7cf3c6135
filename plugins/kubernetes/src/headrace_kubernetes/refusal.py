"""How a step is refused that no pod can be made of: by name, with its place and with what to do."""

from __future__ import annotations

from headrace_hookspecs import MissingCapabilityError, StepNode


def refuse(step: StepNode, what: str, remedy: str) -> MissingCapabilityError:
    """The error; `what` continues the sentence that starts with the step's name."""
    source = step.source
    return MissingCapabilityError(
        f"Step {step.name} {what}.",
        step=step.name,
        file=source.file if source else None,
        line=source.line if source else None,
        remedy=remedy,
    )
