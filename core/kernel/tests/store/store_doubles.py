"""A datastore in memory that counts, forgets and fails as it is told to, and two small serializers."""

from __future__ import annotations

import importlib
import json
import pickle
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from headrace.store.serializers import SerializerSet
from headrace_hookspecs import BlobRange, BlobStat, Capability, Dumped, LoadContext, Outcome, TaskSpec
from headrace_hookspecs.datastore import Buffer


class MemoryStore:
    capabilities = frozenset({Capability.CONDITIONAL_PUT, Capability.READ_YOUR_LISTS})
    location = "memory"

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.modified: dict[str, float] = {}
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.fail_before: Exception | None = None
        """Raised by the next write, which does not happen."""
        self.fail_after: Exception | None = None
        """Raised by the next write, which has happened."""

    def _write(self, key: str, buffers: Sequence[Buffer]) -> None:
        error, self.fail_before = self.fail_before, None
        if error is not None:
            raise error
        self.blobs[key] = b"".join(buffers)
        self.modified[key] = time.time()
        error, self.fail_after = self.fail_after, None
        if error is not None:
            raise error

    def put_many(self, items: Iterable[tuple[str, Sequence[Buffer]]]) -> None:
        items = list(items)
        self.calls.append(("put_many", tuple(key for key, _ in items)))
        for key, buffers in items:
            self._write(key, buffers)

    def put_if_absent(self, key: str, data: Sequence[Buffer]) -> bool:
        self.calls.append(("put_if_absent", (key,)))
        if key in self.blobs:
            return False
        self._write(key, data)
        return True

    def get_many(self, ranges: Iterable[BlobRange]) -> Iterator[bytes | None]:
        ranges = list(ranges)
        self.calls.append(("get_many", tuple(map(tuple, ranges))))
        for key, offset, length in ranges:
            data = self.blobs.get(key)
            yield None if data is None else data[offset : None if length is None else offset + length]

    def stat_many(self, keys: Iterable[str]) -> Iterator[BlobStat | None]:
        for key in keys:
            self.calls.append(("stat_many", (key,)))
            yield BlobStat(key, len(self.blobs[key]), self.modified[key]) if key in self.blobs else None

    def list(self, prefix: str, *, after: str = "", limit: int | None = None) -> Iterator[BlobStat]:
        self.calls.append(("list", (prefix,)))
        keys = sorted(key for key in self.blobs if key.startswith(prefix) and key > after)[:limit]
        return iter([BlobStat(key, len(self.blobs[key]), self.modified[key]) for key in keys])

    def folders(self, prefix: str) -> Iterator[str]:
        below = {key[len(prefix) :] for key in self.blobs if key.startswith(prefix)}
        return iter(sorted({key.partition("/")[0] for key in below if "/" in key}))

    def delete_many(self, keys: Iterable[str]) -> None:
        for key in keys:
            self.blobs.pop(key, None)

    def close(self) -> None:
        pass

    def called(self, *names: str) -> list[tuple[Any, ...]]:
        """The arguments of the calls of these names, then forgotten like all others."""
        found = [arguments for name, arguments in self.calls if name in names]
        self.calls.clear()
        return found


class JsonSerializer:
    """Takes what JSON takes, of exactly those types, and bytes as they are."""

    name, rank, executes_code = "json", 10, False

    def can_dump(self, value: object) -> bool:
        return type(value) in (type(None), bool, int, float, str, list, dict, bytes)

    def dump(self, value: Any) -> Dumped:
        if type(value) is bytes:
            return Dumped([value], {"bytes": True})
        return Dumped([json.dumps(value).encode()])

    def load(self, data: memoryview, meta: dict[str, Any] | None, context: LoadContext) -> Any:
        return bytes(data) if meta else json.loads(bytes(data))


class CodeSerializer:
    """Takes anything that pickle takes."""

    name, rank, executes_code = "code", 90, True

    def can_dump(self, value: object) -> bool:
        return True

    def dump(self, value: object) -> Dumped:
        return Dumped([pickle.dumps(value)])

    def load(self, data: memoryview, meta: dict[str, Any] | None, context: LoadContext) -> Any:
        return pickle.loads(data)


def resolve(module: str, qualname: str) -> Any:
    return getattr(importlib.import_module(module), qualname)


def serializers(**options: Any) -> SerializerSet:
    return SerializerSet.of([CodeSerializer(), JsonSerializer()], **{"resolve": resolve, **options})


def spec(step: str = "train", *indices: int, attempt: int = 0, run: str = "1") -> TaskSpec:
    return TaskSpec("Flow", run, step, indices, attempt=attempt)


DONE = Outcome("succeeded", ("end",))
