"""Any picklable value as pickle protocol 5; large buffers (arrays) are handed on beside the stream and never copied to be written."""

from __future__ import annotations

import io
import pickle
from typing import Any, Final

from headrace_hookspecs.datastore import Buffer
from headrace_hookspecs.serializer import Dumped, LoadContext

PROTOCOL: Final = 5

_SMALL: Final = 4096
"""Buffers of fewer bytes stay in the stream."""

_ALIGNED: Final = 16
"""Every buffer starts at a multiple of this, as vector instructions like it."""


class PickleSerializer:
    """Asked last. Reading runs code that whoever wrote the bytes has chosen."""

    name = "pickle"
    rank = 90
    executes_code = True

    def can_dump(self, value: object) -> bool:
        """Anything, as far as one can tell without trying."""
        return True

    def dump(self, value: object) -> Dumped:
        """Raises TypeError, saying why, for what cannot be pickled."""
        views: list[memoryview] = []

        def beside(buffer: pickle.PickleBuffer) -> bool:
            try:
                view = buffer.raw()
            except BufferError:
                return True  # not contiguous: into the stream
            if view.nbytes < _SMALL:
                return True
            views.append(view)
            return False

        try:
            stream = pickle.dumps(value, PROTOCOL, buffer_callback=beside)
        except (pickle.PicklingError, AttributeError) as error:
            raise TypeError(_why(str(error))) from error
        except RecursionError as error:
            raise TypeError("it is nested too deeply to be pickled") from error
        if not views:
            return Dumped([stream])
        buffers: list[Buffer] = [stream]
        end, table = len(stream), []
        for view in views:
            gap = -end % _ALIGNED
            if gap:
                buffers.append(bytes(gap))
            buffers.append(view)
            table.append([end + gap, view.nbytes, int(view.readonly)])
            end += gap + view.nbytes
        return Dumped(buffers, {"stream": len(stream), "buffers": table})

    def load(self, data: memoryview, meta: dict[str, Any] | None, context: LoadContext) -> Any:
        """The value. Classes and functions are found by `context.resolve`. What was writable is a copy of its own."""
        if meta is None:
            return _Unpickler(io.BytesIO(data), context).load()
        views = [data[start : start + size] for start, size, _ in meta["buffers"]]
        buffers = [view if table[2] else bytearray(view) for view, table in zip(views, meta["buffers"], strict=True)]
        return _Unpickler(io.BytesIO(data[: meta["stream"]]), context, buffers).load()


class _Unpickler(pickle.Unpickler):
    def __init__(self, stream: io.BytesIO, context: LoadContext, buffers: list[Any] | None = None) -> None:
        super().__init__(stream, buffers=buffers)
        self._context = context

    def find_class(self, module: str, qualname: str) -> Any:
        return self._context.resolve(module, qualname)


def _why(reason: str) -> str:
    if "<lambda>" in reason or "<locals>" in reason or "local object" in reason:
        return (
            f"{reason}; lambdas, and classes and functions that are defined inside a function, cannot be pickled: define it in the module"
        )
    return reason
