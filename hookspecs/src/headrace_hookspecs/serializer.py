"""Group `headrace.serializer`: values to bytes and back. Chosen by the value's type, the choice is recorded with the artifact."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from .datastore import Buffer


class Dumped(NamedTuple):
    """Serialised value: the bytes are the buffers joined (never copied by us before they are written), `meta` is JSON for `load`."""

    buffers: Sequence[Buffer]
    meta: dict[str, Any] | None = None


class LoadContext(NamedTuple):
    """What `load` may ask: `resolve(module, qualname)` finds a class or function of the flow file, however the flow was started."""

    resolve: Callable[[str, str], Any]


class Serializer(Protocol):
    """One way of writing values.

    `name` goes into records and is for ever. Serializers are asked in order of `rank` (plain values 10, libraries' own types 50, a last
    resort 90), then by name; the first whose `can_dump` says yes writes the value. `executes_code` marks one whose `load` may run code
    chosen by whoever wrote the bytes: it is refused where `serializers.allow_pickle = false`, and never used by lists, UI or cards.
    """

    name: str
    rank: int
    executes_code: bool

    def can_dump(self, value: object) -> bool:
        """Whether `dump` is likely to take the value. Cheap; a wrong yes is put right by `dump` raising TypeError."""

    def dump(self, value: object) -> Dumped:
        """The value as bytes. Raises TypeError to pass the value on to the next serializer, any other exception to fail the attempt."""

    def load(self, data: memoryview, meta: dict[str, Any] | None, context: LoadContext) -> Any:
        """The value back, equal and of the same type. `data` is read-only and may outlive the call."""
