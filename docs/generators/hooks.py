"""Prints the reference page of the hooks, from their signatures and docstrings."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable

from headrace_hookspecs import hooks

INTRODUCTION = """# Hooks

A hook runs for everyone: each plugin that implements it takes part. An implementation is a function of the hook's name, marked with
`headrace_hookspecs.hookimpl`, in an object that an entry point of the group `headrace.hooks` names. A hook takes one frozen object.

This page is made by `make docs` from `headrace_hookspecs.hooks`.
"""


def main() -> None:
    """Print the page."""
    print(INTRODUCTION)
    specified = [value for name, value in vars(hooks).items() if hasattr(value, f"{hooks.PROJECT}_spec") and name.startswith("headrace_")]
    print("| hook | if it fails |\n|---|---|")
    for hook in specified:
        print(f"| [`{hook.__name__}`](#{hook.__name__}) | {on_error(hook.__name__)} |")
    for hook in specified:
        print(f"\n{section(hook)}")


def section(hook: Callable[..., object]) -> str:
    """Heading, signature and docstring; the example becomes a block of code."""
    says, _, example = (inspect.getdoc(hook) or "").partition("Example::")
    signature = f"def {hook.__name__}{inspect.signature(hook)}".replace("'", "")
    says = re.sub(r"\n(When|Returns):", r"\n\n\1:", says)
    parts = [f"## {hook.__name__}", f"```python\n{signature}\n```", says.strip()]
    if example.strip():
        parts.append(f"```python\n{textwrap.dedent(example).strip()}\n```")
    return "\n\n".join(parts)


def on_error(name: str) -> str:
    """What the failure of an implementation does to the run."""
    if name in hooks.POLICY:
        return "the command or the run stops"
    if name in hooks.OBSERVER:
        return "it is logged once, three strikes and the plugin is off; the run goes on"
    return "the attempt fails"


if __name__ == "__main__":
    main()
