"""`@environment`: writes environment variables into a step's `env` field. Launchers set them before the step's process imports anything."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from attrs import evolve, field, frozen

from headrace_hookspecs import FlowDefinitionError, PlanContext, StepNode
from headrace_hookspecs.decorators import Phase

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_OURS: Final = "HEADRACE_"


def _vars(value: Any) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise _refuse(f"vars={value!r} is no mapping.", 'Write vars={"NAME": "value"}.')
    return {_name(name): _text(name, item) for name, item in value.items()}


def _name(name: Any) -> str:
    if not isinstance(name, str) or not _NAME.match(name):
        raise _refuse(f"{name!r} is no name of an environment variable.", "Use letters, digits and underscores, no digit first.")
    if name.startswith(_OURS):
        raise _refuse(f"{name} is set for every task by the one who starts it.", f"Use a name that does not start with {_OURS}.")
    return name


def _text(name: str, value: Any) -> str:
    if value is None:
        raise _refuse(f"{name} has no value.", "Leave the variable out, or give it an empty text.")
    text = str(value)
    if "\0" in text:
        raise _refuse(f"the value of {name} holds a zero byte, which no environment variable can.", "Remove it.")
    return text


def _refuse(problem: str, remedy: str) -> FlowDefinitionError:
    return FlowDefinitionError(f"@environment: {problem}", remedy=remedy, code="decorator-invalid")


@frozen(kw_only=True)
class EnvironmentConfig:
    """`vars`: environment variables of a step, name to value; values become text as `str()` writes them."""

    vars: Mapping[str, str] = field(default={}, converter=_vars)  # which copies


class Environment:
    """The implementation behind `@environment`."""

    name: ClassVar[str] = "environment"
    phase: ClassVar[Phase] = "environment"
    multiple: ClassVar[bool] = False

    def __init__(self, config: EnvironmentConfig) -> None:
        self.config = config

    @staticmethod
    def config_class() -> type[EnvironmentConfig]:
        """The keyword arguments."""
        return EnvironmentConfig

    def plan(self, step: StepNode, context: PlanContext) -> StepNode:
        """Add the variables to those that the step has; the decorator's own value wins over one that a plugin put there."""
        return evolve(step, env={**step.env, **self.config.vars})
