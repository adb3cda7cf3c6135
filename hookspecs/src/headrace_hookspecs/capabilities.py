"""What a provider can do, as one closed vocabulary. What a flow needs and a provider lacks is one error before anything runs."""

from __future__ import annotations

import enum


class Capability(str, enum.Enum):
    """A thing that a provider declares and its conformance class then tests; undeclared is refused, never ignored."""

    # datastore
    CONDITIONAL_PUT = "conditional-put"
    """`put_if_absent` is atomic between any number of writers."""
    READ_YOUR_LISTS = "read-your-lists"
    """A key is in listings as soon as its put returned."""
    SHARED = "shared"
    """Other machines reach the same data under the same configuration."""
    # metadata
    LEASES = "leases"
    """Leases exclude each other between all processes that can reach the store."""
    # launcher and orchestrator
    CANCEL = "cancel"
    """A launched attempt can be ended from outside."""
    HARD_TIMEOUT = "hard-timeout"
    """An attempt that ignores its soft timeout can be ended from outside."""
    GANG = "gang"
    """Several nodes of one step run at the same time and know each other."""
    PARALLEL_TASKS = "parallel-tasks"
    """More than one task at a time."""
    ENVIRONMENT = "environment"
    """A step may run under another interpreter or with its own environment variables."""
    RETRY_WAIT = "retry-wait"
    """The time between two attempts is kept."""
    RETRY_JITTER = "retry-jitter"
    """That time is varied at random."""
    RETRY_GROWTH = "retry-growth"
    """An attempt can get more resources than the one before."""
    FOREACH = "foreach"
    NESTED_FOREACH = "nested-foreach"
    SWITCH = "switch"
    RECURSION = "recursion"
    ABSORB = "absorb"
    SCHEDULE = "schedule"
    TRIGGER = "trigger"
    EXIT_HOOK = "exit-hook"
    SECRETS = "secrets"
    RESOURCES = "resources"
    ENGINE_RETRY = "engine-retry"
    """The engine starts attempts again by itself, so the store must decide which of them commits."""

    def __str__(self) -> str:
        return self.value
