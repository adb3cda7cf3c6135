"""Leases as conditional objects, for contenders that share a datastore and nothing else. Knows blobs and times, no runs.

A lease's holders are numbered: whoever creates `…/000003` holds it, and only creating is a race, which `put_if_absent` decides. The number
is the fence. A holder prolongs its lease, and gives it back, by replacing `…/000003.beat`, which is nobody else's to write.
"""

from __future__ import annotations

from headrace_hookspecs.datastore import BlobRange, BlobStore
from headrace_hookspecs.metadata import Lease

from .keys import lease_prefix
from .record import FORMAT, seal, trusted, unseal


class ObjectLeases:
    """Leases in a datastore with CONDITIONAL_PUT: the part of `headrace_hookspecs.MetadataStore` that is about them."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs

    def acquire(self, name: str, owner: str, ttl: float, *, now: float, note: str = "") -> Lease | None:
        """Take the lease if it is free, expired or the owner's own; None if another holds it."""
        last, held = self._last(name)
        if held is not None and held.expires > now:
            return self.renew(held, ttl, now=now) if held.owner == owner else None
        lease = Lease(name, owner, last + 1, now + ttl, note)
        return lease if self._blobs.put_if_absent(_key(name, lease.fence), [_sealed(lease)]) else None

    def renew(self, lease: Lease, ttl: float, *, now: float) -> Lease | None:
        """Prolong a lease that is still this holder's; None if it was lost.

        One that expired can be taken by another while it is renewed: its holder learns that at the next renewal. What it commits meanwhile
        is put if absent, like everybody's.
        """
        last, held = self._last(lease.name)
        if held is None or last != lease.fence or held.owner != lease.owner:
            return None
        lease = held._replace(expires=now + ttl)
        self._beat(lease)
        return lease

    def release(self, lease: Lease) -> None:
        """Give it back. One that was lost is another number's by now."""
        self._beat(lease._replace(expires=0.0))

    def lease(self, name: str) -> Lease | None:
        """Who holds it, expired or not; None if nobody ever did or it was released."""
        return self._last(name)[1]

    def close(self) -> None:
        """Nothing is open: the datastore is its owner's to close."""

    def _beat(self, lease: Lease) -> None:
        self._blobs.put_many([(f"{_key(lease.name, lease.fence)}.beat", [_sealed(lease)])])

    def _last(self, name: str) -> tuple[int, Lease | None]:
        """The newest fence, 0 before the first; and its lease, None once it was released."""
        keys = [stat.key for stat in self._blobs.list(lease_prefix(name))]
        if not keys:
            return 0, None
        key = keys[-1]  # a heartbeat sorts right after the object that it prolongs
        data = next(iter(self._blobs.get_many([BlobRange(key)])))
        found = unseal(data or b"{}", key)
        lease = trusted(key, lambda: Lease(name, found["owner"], int(found["fence"]), float(found["expires"]), found["note"]))
        return lease.fence, lease if lease.expires else None


def _key(name: str, fence: int) -> str:
    return f"{lease_prefix(name)}{fence:06d}"


def _sealed(lease: Lease) -> bytes:
    return seal({"format": FORMAT, "owner": lease.owner, "fence": lease.fence, "expires": lease.expires, "note": lease.note})
