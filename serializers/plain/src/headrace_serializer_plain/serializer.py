"""Plain values as msgpack, with extension types for what msgpack does not know. The format is for ever: a new one gets a new name.

Its arrays are lists and tuples are an extension type, which is slow for many of them. So where no list is inside, the arrays are the tuples:
that is said by two bytes in front, the first of which begins no msgpack; the second tells whether the outermost value is a list.
"""

from __future__ import annotations

from typing import Any, Final

import msgpack  # type: ignore[import-untyped]

from headrace_hookspecs.serializer import Dumped, LoadContext

from .exact import ATOMS, CONTAINERS, kinds_inside

_INT, _TUPLE, _SET, _FROZENSET = 1, 2, 3, 4
_CODES: Final[dict[type, int]] = {tuple: _TUPLE, set: _SET, frozenset: _FROZENSET}
_TUPLES, _LIST_OF_TUPLES = b"\xc1t", b"\xc1l"
_LARGE: Final = 1 << 20
_RAW: Final = {"raw": True}


class PlainSerializer:
    """Stores None, bool, int, float, str, bytes, and lists, tuples, dicts, sets and frozensets of them, each exactly of that type.

    Sets are written sorted by their bytes, so that equal sets of one process and the next are equal bytes.
    """

    name = "plain"
    rank = 10
    executes_code = False

    def can_dump(self, value: object) -> bool:
        """Looks at the outermost type only."""
        return type(value) in ATOMS or type(value) in CONTAINERS

    def dump(self, value: object) -> Dumped:
        """Raises TypeError where anything inside is not plain."""
        if type(value) is bytes and len(value) >= _LARGE:
            return Dumped([value], dict(_RAW))
        inside = kinds_inside(value)
        try:
            if list not in inside and (tuple in inside or type(value) is tuple):
                front = _LIST_OF_TUPLES if type(value) is list else _TUPLES
                return Dumped([front + _Encoder(arrays=tuple).encode(value, 0)])
            return Dumped([_Encoder(arrays=list).encode(value, 0)])
        except (ValueError, OverflowError) as error:
            raise TypeError(str(error)) from error

    def load(self, data: memoryview, meta: dict[str, Any] | None, context: LoadContext) -> Any:
        """The value. Raises ValueError for bytes that `dump` did not write."""
        if meta == _RAW:
            return bytes(data)
        front = bytes(data[:2])
        if front == _LIST_OF_TUPLES:
            return list(_decode(data[2:], tuple))
        return _decode(data[2:], tuple) if front == _TUPLES else _decode(data, list)


class _Encoder:
    """One packer for each level of extension types inside each other, as a packer is busy while its `default` is asked."""

    def __init__(self, arrays: type) -> None:
        self._strict = arrays is list
        self._packers: list[Any] = []

    def encode(self, value: Any, depth: int) -> bytes:
        if depth == len(self._packers):
            self._packers.append(
                msgpack.Packer(
                    strict_types=self._strict,
                    unicode_errors="surrogatepass",
                    default=lambda inner: self._extend(inner, depth + 1),
                )
            )
        packed: bytes = self._packers[depth].pack(value)
        return packed

    def _extend(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind is int:
            return msgpack.ExtType(_INT, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))
        if kind is tuple:
            return msgpack.ExtType(_TUPLE, self.encode(list(value), depth))
        members = sorted(self.encode(member, depth) for member in value)
        return msgpack.ExtType(_CODES[kind], b"".join(members))


def _decode(data: Any, arrays: type) -> Any:
    return msgpack.unpackb(data, **_options(arrays))


def _options(arrays: type) -> dict[str, Any]:
    def extension(code: int, data: bytes) -> Any:
        if code == _INT:
            return int.from_bytes(data, "big", signed=True)
        if code == _TUPLE:
            return tuple(_decode(data, arrays))
        if code not in (_SET, _FROZENSET):
            raise ValueError(f"unknown extension type {code}")
        members = msgpack.Unpacker(max_buffer_size=0, **_options(arrays))
        members.feed(data)
        return set(members) if code == _SET else frozenset(members)

    return {
        "use_list": arrays is list,
        "strict_map_key": False,
        "unicode_errors": "surrogatepass",
        "ext_hook": extension,
    }
