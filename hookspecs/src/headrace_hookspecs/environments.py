"""Group `headrace.environment`: what is installed where a step runs. Resolved and locked at plan time, made real before the task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from attrs import frozen

from .ir import StepNode


@frozen
class RuntimeClosure:
    """What every task needs: the locked distributions of kernel, plugins and serialisers, for one target.

    `python` is a version (`3.11`), `platform` a wheel platform tag (`manylinux_2_28_x86_64`). Each distribution is (name, version, hashes),
    a hash for every file of the release that would do, as `sha256:…`.
    """

    python: str
    platform: str
    distributions: tuple[tuple[str, str, tuple[str, ...]], ...]


@frozen
class ResolvedEnvironment:
    """A locked environment. `lock` is JSON and complete: nothing that it does not pin by hash is ever fetched."""

    id: str
    lock: Mapping[str, Any]


class Environment(Protocol):
    """Resolves what a step asks for together with the runtime closure, and makes it real."""

    def resolve(self, step: StepNode, closure: RuntimeClosure) -> ResolvedEnvironment:
        """Lock user packages and closure together, on the author's machine. A conflict is an error that names both sides."""

    def materialise(self, environment: ResolvedEnvironment, cache: str) -> Sequence[str]:
        """Make the environment real below the folder `cache` (idempotent, atomic) and return the interpreter's argv."""
