"""What every test of the workspace gets: the marker `needs`, the arguments `seed` and `unprivileged`, and the tier's number of examples.

The tier is the environment variable HEADRACE_TIER, `check` where it is not set.
"""

from __future__ import annotations

import functools
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from . import budget, components, rights

_ROOT = Path(__file__).parents[2]


@functools.cache
def _tier() -> budget.Tier:
    return budget.load(_ROOT).of(os.environ.get("HEADRACE_TIER", "check"))[0]


@functools.cache
def _absence(component: str) -> str | None:
    return components.absence(component)


def pytest_configure(config: pytest.Config) -> None:
    """Draw as many examples as the tier says; no deadline, because another process may have the processor. Signals mean what they mean."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # a suite in the background of a shell is started with signals ignored; what tests start must not inherit that
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    tier = _tier()
    hypothesis.settings.register_profile(
        tier.name,
        max_examples=tier.examples,
        derandomize=not tier.random,
        deadline=None,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
        print_blob=True,
    )
    hypothesis.settings.load_profile(tier.name)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes `seed` runs once for every seed of the tier."""
    marked = any("seed" in str(mark.args[0]) for mark in metafunc.definition.iter_markers("parametrize"))
    if "seed" in metafunc.fixturenames and not marked:
        metafunc.parametrize("seed", range(_tier().seeds))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Beside another Python than the workspace's there are no type checkers; what they say, or a server, does not depend on who asks."""
    if "HEADRACE_OTHER_PYTHON" in os.environ:
        left = [item for item in items if _once(item)]
        items[:] = [item for item in items if item not in left]
        config.hook.pytest_deselected(items=left)


def _once(item: pytest.Item) -> bool:
    checkers = any("type-checkers" in mark.args for mark in item.iter_markers("needs"))
    return checkers or any(name.endswith("_server") for name in getattr(item, "fixturenames", ()))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs an absent component, naming it, so that a run that requires it can fail."""
    for mark in item.iter_markers("needs"):
        for component in mark.args:
            reason = _absence(component)
            if reason is not None:
                pytest.skip(f"needs {component}: {reason}")


@pytest.fixture
def unprivileged() -> Callable[[Callable[[], Any]], Any]:
    """Does work in a process that the modes of files bind, root's too, and returns its result, which has to be JSON."""
    reason = rights.absence()
    if reason is not None:
        pytest.skip(reason)
    return rights.unprivileged
