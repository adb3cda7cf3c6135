"""The elements of a foreach split: serialised one by one, grouped into pages, so that a child reads one small range however wide it is.

A page is a u32 length, that many bytes of JSON (one `[serializer, size]` or `[serializer, size, meta]` an element), then the elements.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from struct import Struct
from typing import Any, Final

from headrace_hookspecs.datastore import Buffer

from .content import flat
from .record import trusted

PAGE_BYTES: Final = 64 * 1024
PAGE_ELEMENTS: Final = 1024

_LENGTH: Final = Struct("<I")


def pages(elements: Iterable[tuple[str, list[Buffer], dict[str, Any] | None]]) -> Iterator[tuple[int, list[Buffer]]]:
    """Group dumped elements (serializer, buffers, meta): for each page the number of its elements and its buffers."""
    table: list[list[Any]] = []
    bodies: list[Buffer] = []
    filled = 0
    for serializer, buffers, meta in elements:
        size = sum(len(flat(buffer)) for buffer in buffers)
        if table and (filled + size > PAGE_BYTES or len(table) == PAGE_ELEMENTS):
            yield len(table), _page(table, bodies)
            table, bodies, filled = [], [], 0
        table.append([serializer, size] if meta is None else [serializer, size, meta])
        bodies.extend(buffers)
        filled += size
    if table:
        yield len(table), _page(table, bodies)


def element(page: memoryview, position: int, key: str) -> tuple[str, memoryview, dict[str, Any] | None]:
    """Serializer, bytes and meta of one element of a page. Raises CorruptDataError, naming `key`."""

    def read() -> tuple[str, memoryview, dict[str, Any] | None]:
        (length,) = _LENGTH.unpack_from(page)
        body = _LENGTH.size + length
        table = json.loads(bytes(page[_LENGTH.size : body]))
        start = body + sum(row[1] for row in table[:position])
        serializer, size, *meta = table[position]
        return serializer, page[start : start + size], meta[0] if meta else None

    return trusted(key, read)


def _page(table: list[list[Any]], bodies: list[Buffer]) -> list[Buffer]:
    text = json.dumps(table, separators=(",", ":")).encode()
    return [_LENGTH.pack(len(text)), text, *bodies]
