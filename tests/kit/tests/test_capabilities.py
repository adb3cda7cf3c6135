"""What a provider declares decides which tests there are: no test is skipped, and nothing that is declared goes untested."""

from __future__ import annotations

from pathlib import Path

import pytest

from headrace_hookspecs import Capability
from headrace_testkit import requires, without
from headrace_testkit.capabilities import applies, assert_tested

pytest_plugins = ["pytester"]

STORE = (Path(__file__).parent / "sixty_lines.py").read_text()

CONTRACT = """
import pytest
from headrace_hookspecs import Capability
from headrace_testkit.capabilities import assert_tested, requires, without

class Contract:
    capabilities = frozenset()
    provides = frozenset()

    def test_says(self):
        assert_tested(type(self), self.provides)

    def test_any(self):
        pass

    @requires(Capability.CANCEL)
    def test_cancel(self):
        pass

    @requires(Capability.GANG)
    @pytest.mark.parametrize("size", [2, 3])
    def test_gang(self, size):
        pass

    @requires(Capability.CANCEL, Capability.GANG)
    def test_both(self):
        pass

    @without(Capability.CANCEL)
    def test_no_cancel(self):
        pass

    @without(Capability.CANCEL, Capability.GANG)
    def test_neither(self):
        pass
"""


def names(*capabilities: str) -> str:
    return f"frozenset({{{', '.join(f'Capability.{name}' for name in capabilities)}}})"


def run(pytester: pytest.Pytester, suite: str, *options: str, **files: str) -> tuple[dict[str, int], list[str], str]:
    """How many tests ended how, those that passed in order, and all that was printed."""
    pytester.makepyfile(**files, test_suite=suite)
    result = pytester.runpytest_inprocess("-v", "-rA", "--strict-markers", "-p", "no:cacheprovider", "test_suite.py", *options)
    passed = [line.rpartition("::")[2] for line in result.outlines if line.startswith("PASSED")]
    return result.parseoutcomes(), passed, result.stdout.str() + result.stderr.str()


def provider(says: str, provides: str) -> str:
    return f"""
from contract import Capability, Contract

class TestProvider(Contract):
    capabilities = {says}
    provides = {provides}
"""


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ((), ["test_any", "test_no_cancel", "test_neither"]),
        (("CANCEL",), ["test_any", "test_cancel"]),
        (("GANG",), ["test_any", "test_gang[2]", "test_gang[3]", "test_no_cancel"]),
        (("CANCEL", "GANG"), ["test_any", "test_cancel", "test_gang[2]", "test_gang[3]", "test_both"]),
        (("CANCEL", "SHARED"), ["test_any", "test_cancel"]),
    ],
)
def test_the_tests_are_those_of_what_is_declared_and_none_is_skipped(
    pytester: pytest.Pytester, declared: tuple[str, ...], expected: list[str]
) -> None:
    outcome, passed, _ = run(pytester, provider(names(*declared), names(*declared)), contract=CONTRACT)
    assert passed == ["test_says", *expected]
    assert outcome == {"passed": len(passed), "deselected": 8 - len(passed)}


def test_what_is_declared_but_left_out_fails_and_says_what_to_write(pytester: pytest.Pytester) -> None:
    outcome, passed, output = run(pytester, provider("frozenset()", names("CANCEL", "GANG")), contract=CONTRACT)
    assert outcome == {"passed": 3, "failed": 1, "deselected": 4}
    assert passed == ["test_any", "test_no_cancel", "test_neither"]
    assert f"TestProvider has to say what its provider declares: capabilities = {names('CANCEL', 'GANG')}" in output


def test_what_is_tested_but_not_declared_fails(pytester: pytest.Pytester) -> None:
    outcome, _, output = run(pytester, provider(names("CANCEL"), "frozenset()"), contract=CONTRACT)
    assert outcome == {"passed": 2, "failed": 1, "deselected": 5}
    assert "capabilities = frozenset({})" in output


def test_what_is_tested_only_together_with_something_undeclared_fails(pytester: pytest.Pytester) -> None:
    coupled = CONTRACT.replace("@requires(Capability.GANG)\n", "@requires(Capability.GANG, Capability.PARALLEL_TASKS)\n")
    outcome, _, output = run(pytester, provider(names("GANG"), names("GANG")), contract=coupled)
    assert outcome["failed"] == 1
    assert "declared, but tested only together with what is not declared" in output


def test_a_mark_outside_of_a_conformance_class_stops_the_run(pytester: pytest.Pytester) -> None:
    suite = "from contract import Capability, requires\n\n@requires(Capability.CANCEL)\ndef test_alone():\n    pass\n"
    _, passed, output = run(pytester, suite, contract=CONTRACT)
    assert passed == []
    assert "test_suite.py::test_alone is about a capability: its class has to say in `capabilities` what the provider declares" in output


def test_a_datastore_that_declares_nothing_is_tried_for_what_it_does_instead(pytester: pytest.Pytester) -> None:
    poor = STORE.replace(names("CONDITIONAL_PUT", "READ_YOUR_LISTS"), "frozenset()")
    assert poor != STORE
    suite = """
import pytest
from headrace_testkit import BlobStoreContract
from store import OneFileStore

class TestStore(BlobStoreContract):
    @pytest.fixture
    def make_store(self, tmp_path):
        return lambda: OneFileStore(f"{tmp_path}/blobs.sqlite")
"""
    outcome, passed, _ = run(pytester, suite, store=poor)
    assert set(outcome) == {"passed", "deselected"}
    assert {
        "test_a_blob_that_many_processes_create_is_that_of_one_who_was_told_so",
        "test_it_behaves_like_a_dict_but_for_its_listings",
    } <= set(passed)
    assert not {"test_exactly_one_of_many_processes_creates_a_blob", "test_it_behaves_like_a_dict"} & set(passed)

    outcome, _, output = run(pytester, suite, store=STORE)
    assert outcome["failed"] == 1
    assert f"TestStore has to say what its provider declares: capabilities = {names('CONDITIONAL_PUT', 'READ_YOUR_LISTS')}" in output


@pytest.mark.parametrize("mark", [requires, without])
def test_a_mark_names_capabilities_that_there_are(mark: object) -> None:
    for wrong in [(), ("cancle",)]:
        with pytest.raises(ValueError):
            mark(*wrong)  # type: ignore[operator]


def test_other_marks_and_sets_that_are_no_frozenset_do_no_harm() -> None:
    marks = [pytest.mark.long.mark, requires(Capability.CANCEL).mark]
    assert applies(marks, {Capability.CANCEL, Capability.GANG})
    assert not applies(marks, [])

    class Names:
        capabilities = (Capability.CANCEL,)

        @requires(Capability.CANCEL)
        def test_cancel(self) -> None: ...

    assert_tested(Names, frozenset({Capability.CANCEL}))
