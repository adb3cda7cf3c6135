from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import pytest

from headrace.run import recorder
from headrace.run.recorder import TTL, Recorder
from headrace_hookspecs import Fact, Lease
from headrace_hookspecs.errors import StoreError, StoreUnavailableError

LEASE = Lease("run/Flow/1", "me", 1, 100.0)


class Index:
    """A metadata store that remembers what it was asked; `fault` may raise in its place."""

    def __init__(self, fault: Callable[[str], None] = lambda call: None) -> None:
        self.calls: list[str] = []
        self.facts: list[Fact] = []
        self.fault = fault

    def record(self, facts: Sequence[Fact]) -> None:
        self._call("record")
        self.facts += facts

    def renew(self, lease: Lease, ttl: float, *, now: float) -> Lease | None:
        self._call("renew")
        return lease._replace(expires=now + ttl)

    def release(self, lease: Lease) -> None:
        self._call("release")

    def _call(self, name: str) -> None:
        self.calls.append(name)
        self.fault(name)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "_PAUSES", (0.001, 0.001))


def fact(number: int) -> Fact:
    return Fact("attempt", "Flow", "1", "step", "0", number)


def start(index: Index) -> tuple[Recorder, list[str]]:
    said: list[str] = []
    return Recorder(index, index, LEASE, said.append), said  # type: ignore[arg-type]


def test_everything_is_written_in_order_before_the_lease_is_let_go_of() -> None:
    index, written = Index(), []
    recorded, said = start(index)
    for number in range(3):
        recorded.write(lambda number=number: written.append((number, list(index.calls))))  # type: ignore[misc]
        recorded.facts([fact(number)])
    recorded.close()

    assert [number for number, _ in written] == [0, 1, 2]
    assert index.facts == [fact(0), fact(1), fact(2)]
    assert index.calls[-1] == "release"
    assert index.calls.count("release") == 1
    assert said == []


def test_a_store_that_answers_again_has_lost_nothing() -> None:
    down = iter([True, True, False])

    def fault(call: str) -> None:
        if call == "record" and next(down, False):
            raise StoreUnavailableError("It does not answer.")

    index = Index(fault)
    recorded, said = start(index)
    recorded.facts([fact(0)])
    recorded.close()

    assert index.facts == [fact(0)]
    assert said == []


def test_a_store_that_stays_away_is_waited_for_once_and_said_once() -> None:
    def fault() -> None:
        tries.append(0)
        raise StoreUnavailableError("It does not answer.")

    tries: list[int] = []
    recorded, said = start(Index())
    for _ in range(100):
        recorded.write(fault)
    recorded.close()

    assert len(tries) == 3 + 99
    assert said == ["It does not answer. Logs or index entries of this run are incomplete; its artifacts are not affected."]


@pytest.mark.parametrize("error", [StoreError("It is full.", code="store-full"), ValueError("a fault of the plugin's own")])
@pytest.mark.parametrize("call", ["record", "release"])
def test_a_store_that_fails_is_said_and_the_rest_is_written(call: str, error: Exception) -> None:
    def fault(name: str) -> None:
        if name == call:
            raise error

    index, written = Index(fault), []
    recorded, said = start(index)
    recorded.facts([fact(0)])
    recorded.write(lambda: written.append(1))
    recorded.close()

    assert (written, index.calls[-1]) == ([1], "release")
    assert len(said) == 1
    assert str(error) in said[0]


def test_the_run_stays_alive_while_a_slow_store_is_written_to(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    index = Index()
    recorded, _ = start(index)

    def slow() -> None:
        clock[0] += TTL / 2

    for _ in range(4):
        recorded.write(slow)
    recorded.close()

    # without heartbeats in between, two of these writes would be the end of the lease
    assert index.calls.count("renew") == 4
