"""Blobs as objects of an S3 bucket. A small operation is one request; batches are done by a few threads.

Words that start with a dot are the store's own: `.headrace/probe`, which shows whether the service can refuse to replace an object.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, Literal

from headrace_hookspecs.capabilities import Capability
from headrace_hookspecs.datastore import BlobRange, BlobStat, Buffer
from headrace_hookspecs.errors import StoreError

from .body import body_of, flat
from .bucket import PAGE, Bucket
from .pool import in_order
from .uploads import upload

Conditional = Literal["auto", "yes", "no"]

_KEY: Final = re.compile(r"[A-Za-z0-9_=-][A-Za-z0-9._=-]*(/[A-Za-z0-9_=-][A-Za-z0-9._=-]*)*\Z")
_PROBE: Final = ".headrace/probe"
_SINGLE: Final = 5 << 30  # bytes of one request


class S3Store:
    """Implements `headrace_hookspecs.BlobStore` on a bucket; `workers` requests at the same time, large blobs in parts of `part_bytes`.

    `conditional` says whether the service has conditional writes; "auto" is found out by `probe`, at the latest by the first `put_if_absent`.
    """

    def __init__(self, bucket: Bucket, *, workers: int = 16, part_bytes: int = 16 << 20, conditional: Conditional = "auto") -> None:
        self._bucket: Final = bucket
        self._workers: Final = workers
        self._part_bytes: Final = part_bytes
        self._conditional = conditional
        self.capabilities = _capabilities(conditional)

    @property
    def location(self) -> str:
        """`s3://BUCKET/PREFIX`."""
        return self._bucket.location

    def probe(self, known: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """Find out whether the service refuses to replace an object where it was told to: with one small write, the first time with two."""
        if self._conditional == "auto":
            found = (known or {}).get("conditional_writes")
            self._conditional = found or ("yes" if self._refuses() else "no")
            self.capabilities = _capabilities(self._conditional)
        return {"conditional_writes": self._conditional}

    def prepare(self) -> None:
        """Import the SDK and make the client that processes forked from this one will use."""
        self._bucket.client.prepare()

    def put_many(self, items: Iterable[tuple[str, Sequence[Buffer]]]) -> None:
        """Small blobs at the same time; one of more than two parts by itself, its parts at the same time."""
        for _ in in_order(self._put, self._small(items), self._workers):
            pass

    def put_if_absent(self, key: str, data: Sequence[Buffer]) -> bool:
        """One conditional request, whatever the size: services that know this condition do not all keep it for uploads in parts.

        So the data has at most 5 GiB. Without conditional writes the object is looked for and then written.
        """
        views = flat(data)
        if sum(map(len, views)) > _SINGLE:
            raise StoreError(
                f"{self.location}/{key} cannot be written: more than 5 GiB are not written conditionally.", code="store-too-large"
            )
        self._check(key)
        self.probe()
        if self._conditional == "yes":
            return self._bucket.put_if_absent(key, body_of(views))
        if self._bucket.stat(key) is not None:
            return False
        self._bucket.put(key, body_of(views))
        return True

    def get_many(self, ranges: Iterable[BlobRange]) -> Iterator[bytes | None]:
        """A request each; as many as there are workers are read ahead."""
        return in_order(self._get, ranges, self._workers)

    def stat_many(self, keys: Iterable[str]) -> Iterator[BlobStat | None]:
        """A request each."""
        return in_order(self._stat, keys, self._workers)

    def list(self, prefix: str, *, after: str = "", limit: int | None = None) -> Iterator[BlobStat]:
        """A request for each thousand objects. Objects that no key can name are left out."""
        left = limit
        if left is not None and left <= 0:
            return
        for page in self._bucket.pages(prefix, after=after, limit=limit):
            for found in page.get("Contents", ()):
                key = self._bucket.key(found["Key"])
                if _KEY.match(key) and ".." not in key and key > after:
                    yield BlobStat(key, found["Size"], found["LastModified"].timestamp())
                    if left is not None:
                        left -= 1
                        if not left:
                            return

    def folders(self, prefix: str) -> Iterator[str]:
        """A request for each thousand entries of the folder, its objects counted too."""
        pages = self._bucket.pages(prefix, delimiter="/")
        names = (self._bucket.key(found["Prefix"]) for page in pages for found in page.get("CommonPrefixes", ()))
        # the service sorts `a-b/` before `a/`
        return iter(sorted(word for name in names if _KEY.match(word := name[len(prefix) : -1]) and ".." not in word))

    def delete_many(self, keys: Iterable[str]) -> None:
        """A request for each thousand."""
        iterator = iter(keys)
        while batch := list(dict.fromkeys(map(self._check, islice(iterator, PAGE)))):
            self._bucket.delete(batch)

    def close(self) -> None:
        """Close the connections of this process."""
        self._bucket.close()

    def _small(self, items: Iterable[tuple[str, Sequence[Buffer]]]) -> Iterator[tuple[str, Sequence[memoryview]]]:
        """The small ones of the items; a large one is written on the way, by the calling thread."""
        for key, buffers in items:
            views = flat(buffers)
            if sum(map(len, views)) <= 2 * self._part_bytes:
                yield key, views
            else:
                upload(self._bucket, self._check(key), views, part_bytes=self._part_bytes, workers=self._workers)

    def _put(self, item: tuple[str, Sequence[memoryview]]) -> None:
        key, views = item
        self._bucket.put(self._check(key), body_of(views))

    def _get(self, wanted: BlobRange) -> bytes | None:
        self._check(wanted.key)
        return self._bucket.get(wanted)

    def _stat(self, key: str) -> BlobStat | None:
        return self._bucket.stat(self._check(key))

    def _check(self, key: str) -> str:
        if not _KEY.match(key) or ".." in key:
            raise StoreError(f"{key!r} is no key of a datastore.", code="store-key-invalid")
        return key

    def _refuses(self) -> bool:
        try:
            return not (self._bucket.put_if_absent(_PROBE, b"") and self._bucket.put_if_absent(_PROBE, b""))
        except StoreError as error:
            answer = getattr(error.__cause__, "response", {})
            if answer.get("Error", {}).get("Code") in ("NotImplemented", "InvalidArgument", "InvalidRequest"):
                return False  # it says that it does not know the condition
            raise


def _capabilities(conditional: Conditional) -> frozenset[Capability]:
    known = {Capability.READ_YOUR_LISTS, Capability.SHARED}
    return frozenset(known | {Capability.CONDITIONAL_PUT} if conditional == "yes" else known)
