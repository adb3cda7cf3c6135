"""What a test asks for: `requires` and `without` name the capabilities that a provider declares, or does not, where the test applies.

A conformance class says in `capabilities` what its provider declares. The pytest plugin leaves out the tests that do not apply, so nothing
is skipped; a class that says less or more than its provider, or of whose capabilities one goes untested, does not pass.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from headrace_hookspecs import Capability

REQUIRES: Final = "headrace_requires"
WITHOUT: Final = "headrace_without"


def requires(*capabilities: Capability) -> pytest.MarkDecorator:
    """The test is for providers that declare all of these. Raises ValueError for what is no capability."""
    return getattr(pytest.mark, REQUIRES)(*_known(capabilities))  # type: ignore[no-any-return]


def without(*capabilities: Capability) -> pytest.MarkDecorator:
    """The test is for providers that declare none of these: it says what they refuse, or do instead. Raises ValueError as `requires`."""
    return getattr(pytest.mark, WITHOUT)(*_known(capabilities))  # type: ignore[no-any-return]


def applies(marks: Iterable[pytest.Mark], declared: Iterable[Capability]) -> bool:
    """Whether a test with these marks is one for a provider that declares this."""
    can = frozenset(declared)
    return all(
        can.issuperset(mark.args) if mark.name == REQUIRES else can.isdisjoint(mark.args)
        for mark in marks
        if mark.name in (REQUIRES, WITHOUT)
    )


def assert_tested(contract: type[Any], declared: frozenset[Capability]) -> None:
    """Assert that a conformance class says what its provider declares, and that no test of that is left out for want of something else."""
    names = ", ".join(f"Capability.{each.name}" for each in sorted(declared))
    assert frozenset(contract.capabilities) == declared, (
        f"{contract.__name__} has to say what its provider declares: capabilities = frozenset({{{names}}})"
    )
    tests = [list(_marks(getattr(contract, name))) for name in dir(contract) if name.startswith("test")]
    known = _required(tests)
    tested = _required(marks for marks in tests if applies(marks, declared))
    assert not (known - tested) & declared, "declared, but tested only together with what is not declared"


def _known(capabilities: Iterable[Capability]) -> tuple[Capability, ...]:
    from headrace_hookspecs import Capability

    known = tuple(Capability(each) for each in capabilities)
    if not known:
        raise ValueError("name at least one capability")
    return known


def _marks(test: Any) -> Iterable[pytest.Mark]:
    return getattr(test, "pytestmark", ())


def _required(tests: Iterable[Iterable[pytest.Mark]]) -> frozenset[Capability]:
    """The capabilities that some test requires."""
    return frozenset(capability for marks in tests for mark in marks if mark.name == REQUIRES for capability in mark.args)
