"""The one serializer of the kernel itself: a caught failure as JSON, so that nobody has to unpickle to see why a task failed."""

from __future__ import annotations

import json
from typing import Any

from headrace_hookspecs.outcome import Failure
from headrace_hookspecs.serializer import Dumped, LoadContext


class FailureSerializer:
    """Stores `headrace_hookspecs.Failure`."""

    name = "failure"
    rank = 5
    executes_code = False

    def can_dump(self, value: object) -> bool:
        """Exactly a Failure."""
        return type(value) is Failure

    def dump(self, value: object) -> Dumped:
        """As the JSON of `Failure.to_json`."""
        if not isinstance(value, Failure):
            raise TypeError("no Failure")
        return Dumped([json.dumps(value.to_json(), separators=(",", ":")).encode()])

    def load(self, data: memoryview, meta: dict[str, Any] | None, context: LoadContext) -> Failure:
        """The Failure back."""
        return Failure.from_json(json.loads(bytes(data)))
