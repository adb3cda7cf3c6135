"""The pytest plugin of the test kit: leaves out the tests of capabilities that a conformance class does not name.

Because it is a plugin, pytest also explains the failed assertions of the conformance classes.
"""

from __future__ import annotations

import pytest

from .capabilities import REQUIRES, WITHOUT, applies


def pytest_configure(config: pytest.Config) -> None:
    """Make the marks known."""
    config.addinivalue_line("markers", f"{REQUIRES}(*capabilities): for providers that declare all of them; headrace_testkit.requires")
    config.addinivalue_line("markers", f"{WITHOUT}(*capabilities): for providers that declare none of them; headrace_testkit.without")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what does not apply. A marked test whose class names no `capabilities` is a UsageError."""
    left_out = [item for item in items if not _applies(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        gone = set(left_out)
        items[:] = [item for item in items if item not in gone]


def _applies(item: pytest.Item) -> bool:
    marks = [*item.iter_markers(REQUIRES), *item.iter_markers(WITHOUT)]
    if not marks:
        return True
    declared = getattr(getattr(item, "cls", None), "capabilities", None)
    if declared is None:
        raise pytest.UsageError(f"{item.nodeid} is about a capability: its class has to say in `capabilities` what the provider declares")
    return applies(marks, declared)
