"""What the templates and tasks of a workflow are called: after the steps, DNS labels, no two alike. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from headrace_hookspecs import FlowGraph, dns_name

_WORDS: Final = (
    "abs all and any bitand bitnand bitnot bitor bitshl bitshr bitushr bitxor ceil concat contains count date duration else false filter "
    "find first flatten float floor get if in int join keys last len let lower map matches max mean median min nil none not now one or "
    "reduce repeat replace reverse round sort split string sum take timezone trim true type uniq upper values"
)
"""Functions and operators of the expression language that Argo reads `depends` with: a task of such a name would not be found there."""


class Names(NamedTuple):
    """By step: `templates` of containers and their `tasks`, those that are `absorbing` its loss, and the `loops` over a foreach's elements.

    `flow`, `exit` and `ended` are templates that belong to no step.
    """

    templates: Mapping[str, str]
    tasks: Mapping[str, str]
    absorbing: Mapping[str, str]
    loops: Mapping[str, str]
    flow: str
    exit: str
    ended: str


def names_of(graph: FlowGraph) -> Names:
    """The names for a flow. Those of steps are theirs with `-` for `_`, whatever else has to give way."""
    taken: set[str] = set()

    def take(*parts: str) -> str:
        name = dns_name("-".join(parts))
        if name in taken:
            name = dns_name(parts[0], "".join(parts[1:]) or "template")  # ends in a hash, as two parts always do
        taken.add(name)
        return name

    templates = {step: take(step.replace("_", "-")) for step in graph.order}
    words = _WORDS.split()
    tasks = {step: take(name, "step") if name in words else name for step, name in templates.items()}
    steps = graph.steps
    return Names(
        templates,
        tasks,
        {step: take(templates[step], "absorb") for step in graph.order if steps[step].absorb is not None},
        {step: take(templates[step], "foreach") for step in graph.order if steps[step].kind == "foreach"},
        take("flow"),
        take("exit"),
        take("record", "end"),
    )
