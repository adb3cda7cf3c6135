"""The conformance classes let a right provider through and stop each of a number of wrong ones."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

import headrace_testkit
from headrace_hookspecs import Dumped
from headrace_testkit import SerializerContract

pytest_plugins = ["pytester"]

HERE = Path(__file__).parent
STORE = (HERE / "sixty_lines.py").read_text()
SUITE = """
import pytest
from headrace_testkit import BlobStoreContract
from store import OneFileStore

class TestStore(BlobStoreContract):
    capabilities = OneFileStore.capabilities

    @pytest.fixture
    def make_store(self, tmp_path):
        return lambda: OneFileStore(f"{tmp_path}/blobs.sqlite")
"""


def run(pytester: pytest.Pytester, *options: str, **files: str) -> dict[str, int]:
    pytester.makepyfile(**files)
    return pytester.runpytest_inprocess("-q", "-p", "no:cacheprovider", *options).parseoutcomes()


def test_a_datastore_of_sixty_lines_passes(pytester: pytest.Pytester) -> None:
    outcome = run(pytester, store=STORE, test_store=SUITE)
    assert set(outcome) == {"passed", "deselected"}
    assert outcome["deselected"] == 2, "what a store without these capabilities does"
    assert len([line for line in STORE.splitlines() if line.strip()]) <= 65


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('"INSERT OR IGNORE INTO', '"INSERT OR REPLACE INTO'),
        ("frozenset({Capability.CONDITIONAL_PUT, Capability.READ_YOUR_LISTS})", "{Capability.CONDITIONAL_PUT}"),
        ('return self._run("INSERT OR IGNORE', 'return bool(list(self.stat_many([key]))[0] is None) or self._run("INSERT OR IGNORE'),
        ('b"".join(data)', "data[0]"),
        ("offset + length]", "length]"),
        ("AND key > ?", "AND key >= ?"),
        ("ORDER BY key", "ORDER BY key DESC"),
        ("ORDER BY key LIMIT ?", "ORDER BY key LIMIT max(?, 1000)"),
        ("substr(key, 1, ?) = ?", "key LIKE substr(?, 1, 0) || ? || '%'"),
        ('if "/" in rest', ""),
        ('rest.partition("/")', 'rest.rpartition("/")'),
        ("    if not KEY.match(key):", "    if False:"),
        ("DELETE FROM blobs WHERE key = ?", "DELETE FROM blobs WHERE substr(key, 1, 1) = ?"),
        ("            yield found[0][0]", "            if isinstance(found, list): yield found[0][0]"),
        ('        self._run("CREATE', "        self._run('DROP TABLE IF EXISTS blobs')\n        self._run(\"CREATE"),
    ],
    ids=lambda text: text[:40],
)
def test_a_datastore_with_one_mistake_does_not_pass(pytester: pytest.Pytester, right: str, wrong: str) -> None:
    assert right in STORE
    outcome = run(pytester, "-x", store=STORE.replace(right, wrong), test_store=SUITE)
    assert outcome.get("failed", 0) + outcome.get("errors", 0) > 0


class Letters:
    """A serializer of lower-case text."""

    name = "letters"
    rank = 50
    executes_code = False

    def can_dump(self, value: object) -> bool:
        return isinstance(value, str)

    def dump(self, value: Any) -> Dumped:
        if not value.islower():
            raise TypeError("capitals")
        return Dumped([value[:1].encode(), value[1:].encode()], {"size": len(value)})

    def load(self, data: memoryview, meta: Any, context: Any) -> str:
        return bytes(data).decode()


class Shouting(Letters):
    def load(self, data: memoryview, meta: Any, context: Any) -> str:
        return bytes(data).decode().upper()


class Greedy(Letters):
    def dump(self, value: Any) -> Dumped:
        return Dumped([value.lower().encode()])


class Keeping(Letters):
    def load(self, data: memoryview, meta: Any, context: Any) -> Any:
        return data


class Changing(Letters):
    count = 0

    def dump(self, value: Any) -> Dumped:
        Changing.count += 1
        return Dumped([value.encode()], {"count": Changing.count})


class Asking(Letters):
    def load(self, data: memoryview, meta: Any, context: Any) -> Any:
        return context.resolve("builtins", "str")(bytes(data), "utf-8")


class Hiding(Letters):
    """Does without its class where that is refused."""

    executes_code = True

    def load(self, data: memoryview, meta: Any, context: Any) -> Any:
        try:
            return context.resolve("builtins", "str")(bytes(data), "utf-8")
        except Exception:  # noqa: BLE001 - the mistake that is to be found
            return None


class Honest(Letters):
    executes_code = True

    def load(self, data: memoryview, meta: Any, context: Any) -> Any:
        return context.resolve("builtins", "str")(bytes(data), "utf-8")


class Strange(Letters):
    def dump(self, value: Any) -> Dumped:
        return Dumped([value.encode()], {"size": (1, 2)})  # a tuple is not what JSON gives back


def _failures(serializer: Any) -> list[str]:
    """The tests of the contract that a serializer fails."""

    class Contract(SerializerContract):
        accepted = ("abc", "ü")
        refused = ("ABC", 1, None)

    contract, failed = Contract(), []
    for name, test in inspect.getmembers(contract, inspect.ismethod):
        if name.startswith("test_"):
            wanted = {"serializer": serializer, "resolve": lambda module, name: str}
            given = {key: value for key, value in wanted.items() if key in inspect.signature(test).parameters}
            try:
                test(**given)
            except (AssertionError, pytest.fail.Exception):
                failed.append(name)
    return failed


@pytest.mark.parametrize("serializer", [Letters(), Honest()], ids=lambda one: type(one).__name__)
def test_a_right_serializer_passes(serializer: Any) -> None:
    assert _failures(serializer) == []


@pytest.mark.parametrize(
    "serializer", [Shouting(), Greedy(), Keeping(), Changing(), Asking(), Hiding(), Strange()], ids=lambda one: type(one).__name__
)
def test_a_wrong_serializer_does_not_pass(serializer: Any) -> None:
    assert _failures(serializer) != []


def test_every_class_is_found_under_its_name() -> None:
    assert [getattr(headrace_testkit, name).__name__ for name in headrace_testkit.__all__] == headrace_testkit.__all__
    with pytest.raises(AttributeError, match="NoContract"):
        headrace_testkit.NoContract  # noqa: B018 - looking is the test


def test_a_suite_that_names_no_store_says_so(pytester: pytest.Pytester) -> None:
    outcome = run(pytester, test_store="from headrace_testkit import BlobStoreContract\nclass TestNothing(BlobStoreContract):\n    pass\n")
    assert set(outcome) == {"errors", "deselected"}
