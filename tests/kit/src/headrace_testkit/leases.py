"""Conformance of leases: `LeaseContract`, for metadata stores and for whatever else keeps them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import pytest

from headrace_hookspecs import Capability, Lease, MissingCapabilityError

from .capabilities import requires, without
from .processes import in_processes


class LeaseContract:
    """Subclass it, override `make_store` and name the `capabilities`. What it makes has the methods of a MetadataStore that are about leases."""

    capabilities: ClassVar[frozenset[Capability]] = frozenset()

    @pytest.fixture
    def make_store(self) -> Callable[[], Any]:
        """Opens a keeper of leases; all of one test keep the same, of which there are none at first."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, make_store: Callable[[], Any]) -> Iterator[Any]:
        store = make_store()
        yield store
        store.close()

    @without(Capability.LEASES)
    def test_without_leases_taking_one_is_refused(self, store: Any) -> None:
        with pytest.raises(MissingCapabilityError):
            store.acquire("run/F/1", "me", 10.0, now=0.0)

    @requires(Capability.LEASES)
    def test_a_lease_excludes_others_until_it_expires(self, store: Any, make_store: Callable[[], Any]) -> None:
        mine = store.acquire("run/F/1", "me", 10.0, now=100.0, note="host a")
        assert mine == Lease("run/F/1", "me", mine.fence if mine else 0, 110.0, "host a")
        other = make_store()
        assert other.acquire("run/F/1", "you", 10.0, now=109.0) is None
        assert other.lease("run/F/1") == mine
        assert other.acquire("run/F/2", "you", 10.0, now=109.0) is not None
        yours = other.acquire("run/F/1", "you", 10.0, now=110.0)
        assert mine is not None
        assert yours is not None
        assert yours.fence > mine.fence
        assert store.renew(mine, 10.0, now=110.5) is None
        assert store.lease("run/F/1") == yours
        other.close()

    @requires(Capability.LEASES)
    def test_its_holder_keeps_a_lease_by_taking_or_renewing_it(self, store: Any) -> None:
        first = store.acquire("run/F/a", "me", 10.0, now=0.0)
        assert first is not None
        again = store.acquire("run/F/a", "me", 10.0, now=5.0)
        assert again == first._replace(expires=15.0)
        renewed = store.renew(first, 10.0, now=8.0)
        assert renewed == first._replace(expires=18.0)
        assert store.lease("run/F/a") == renewed
        late = store.renew(first, 10.0, now=50.0)
        assert late == first._replace(expires=60.0), "nobody took it meanwhile"

    @requires(Capability.LEASES)
    def test_a_released_lease_is_free_and_its_fence_does_not_come_back(self, store: Any) -> None:
        first = store.acquire("run/F/a", "me", 10.0, now=0.0)
        assert first is not None
        store.release(first)
        assert store.lease("run/F/a") is None
        assert store.renew(first, 10.0, now=1.0) is None
        second = store.acquire("run/F/a", "you", 10.0, now=1.0)
        assert second is not None
        assert second.fence > first.fence
        store.release(first)
        assert store.lease("run/F/a") == second, "a lost lease cannot be released"
        third = store.acquire("run/F/a", "me", 10.0, now=100.0)
        assert third is not None
        assert third.fence > second.fence

    @requires(Capability.LEASES)
    def test_a_lease_that_nobody_ever_took_is_none(self, store: Any) -> None:
        assert store.lease("run/F/a") is None
        store.release(Lease("run/F/a", "me", 1, 10.0))
        assert store.renew(Lease("run/F/a", "me", 1, 10.0), 10.0, now=0.0) is None

    @requires(Capability.LEASES)
    def test_exactly_one_of_many_processes_takes_a_lease(self, store: Any, make_store: Callable[[], Any]) -> None:
        rounds = 15

        def contend(me: int) -> list[int]:
            mine = make_store()
            won = [mine.acquire(f"run/F/{number}", f"owner-{me}", 60.0, now=1000.0) for number in range(rounds)]
            mine.close()
            return [0 if lease is None else lease.fence for lease in won]

        won = in_processes([lambda me=me: contend(me) for me in range(4)])  # type: ignore[misc]
        assert [sum(fence > 0 for fence in column) for column in zip(*won, strict=True)] == [1] * rounds
        holders = [next(me for me in range(4) if won[me][number]) for number in range(rounds)]
        found = [store.lease(f"run/F/{number}") for number in range(rounds)]
        assert [lease and lease.owner for lease in found] == [f"owner-{me}" for me in holders]

    @requires(Capability.LEASES)
    def test_fences_grow_whoever_takes_the_lease(self, store: Any, make_store: Callable[[], Any]) -> None:
        def hold(me: int) -> list[int]:
            mine = make_store()
            fences: list[int] = []
            while len(fences) < 15:
                lease = mine.acquire("run/F/shared", f"owner-{me}", 60.0, now=0.0)
                if lease is not None:
                    fences.append(lease.fence)
                    mine.release(lease)
            mine.close()
            return fences

        found: Sequence[list[int]] = in_processes([lambda me=me: hold(me) for me in range(3)])  # type: ignore[misc]
        assert all(fences == sorted(fences) for fences in found)
        every = [fence for fences in found for fence in fences]
        assert len(every) == len(set(every)) == 45
