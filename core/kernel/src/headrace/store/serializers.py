"""Which serializer writes a value, and that none but the one that wrote it reads it. Errors name the step, the attribute and the type."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from headrace_hookspecs.errors import CorruptDataError, HeadraceError, SerializationError
from headrace_hookspecs.serializer import Dumped, LoadContext, Serializer

from .failures import FailureSerializer

if TYPE_CHECKING:
    from ..host.registry import Registry
    from ..plan.config import Config

GROUP: Final = "headrace.serializer"

_TRUST: Final = "Set serializers.allow_pickle = true if you trust everybody who can write to the datastore"


class SerializerSet:
    """All serializers that may be used, in the order in which they are asked. Nothing is imported before the first value."""

    def __init__(self, registry: Registry, config: Config, *, resolve: Callable[[str, str], Any] | None = None) -> None:
        self._make: Callable[[], list[Serializer]] = lambda: _installed(registry, config)
        self._allow_code = bool(config.get("serializers.allow_pickle"))
        self._first: Sequence[str] = config.get("serializers.order") or ()
        self._find = resolve
        self._all: dict[str, Serializer] = {}

    @classmethod
    def of(
        cls,
        serializers: Sequence[Serializer],
        *,
        allow_pickle: bool = True,
        order: Sequence[str] = (),
        resolve: Callable[[str, str], Any] | None = None,
    ) -> SerializerSet:
        """A set of given serializers besides the builtin one, without a registry."""
        self = cls.__new__(cls)
        self._make = lambda: list(serializers)
        self._allow_code, self._first, self._find, self._all = allow_pickle, order, resolve, {}
        return self

    def preload(self) -> None:
        """Import what dumping needs, so that a fork need not."""
        self._table()

    def dump(self, value: object, step: str, name: str) -> tuple[str, Dumped, str]:
        """The serializer's name, the bytes, and the name of the value's type. Raises SerializationError."""
        reasons: list[str] = []
        refused: str | None = None
        for serializer in self._table().values():
            try:
                if not serializer.can_dump(value):
                    continue
                if serializer.executes_code and not self._allow_code:
                    refused = refused or serializer.name
                    continue
                return serializer.name, serializer.dump(value), type_name(value)
            except TypeError as error:
                reasons.append(f"{serializer.name}: {error}")
            except Exception as error:  # serialising runs the value's own code, which may raise anything
                raise SerializationError(
                    f"self.{name} of type {type_name(value)} could not be stored by {serializer.name}: {type(error).__name__}: {error}",
                    step=step,
                    remedy="Store something simpler, or delete the attribute before self.next().",
                ) from error
        raise _nobody(value, step, name, reasons, refused)

    def load(self, serializer: str, data: memoryview, meta: dict[str, Any] | None, what: str = "The artifact") -> Any:
        """The value. `what` names it in errors. Raises SerializationError, CorruptDataError for bytes that no serializer wrote."""
        reader = self._table().get(serializer)
        if reader is None:
            raise SerializationError(
                f"{what} was stored by the serializer {serializer!r}, which is not installed here.",
                code="serializer-missing",
                remedy=f"pip install headrace-serializer-{serializer}",
            )
        if reader.executes_code and not self._allow_code:
            raise SerializationError(
                f"{what} was stored by {serializer!r}. Reading it could run code, which serializers.allow_pickle = false forbids.",
                code="serializer-refused",
                remedy=f"{_TRUST}.",
            )
        try:
            return reader.load(data, meta, LoadContext(self._resolve))
        except HeadraceError:
            raise
        except Exception as error:  # loading runs the value's own code, which may raise anything
            if not reader.executes_code:
                raise CorruptDataError(f"{what} is damaged: {serializer!r} cannot read it ({type(error).__name__}: {error}).") from error
            raise SerializationError(
                f"{what} cannot be loaded: {type(error).__name__}: {error}",
                code="artifact-not-loadable",
                remedy="Its class has to be importable here, from the flow file or an installed package, in a version that reads it.",
            ) from error

    def _table(self) -> dict[str, Serializer]:
        if not self._all:
            first = {name: place for place, name in enumerate(self._first)}
            found = [FailureSerializer(), *self._make()]
            found.sort(key=lambda one: (first.get(one.name, len(first)), one.rank, one.name))
            self._all = {one.name: one for one in found}
        return self._all

    def _resolve(self, module: str, qualname: str) -> Any:
        if self._find is None:
            from ..dsl.load import resolve_global

            self._find = resolve_global
        return self._find(module, qualname)


def type_name(value: object) -> str:
    """`module.Qualname` of the value's type; builtins without their module."""
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _installed(registry: Registry, config: Config) -> list[Serializer]:
    from .open import create

    return [create(GROUP, name, f"serializers.{name}", registry, config) for name in registry.names(GROUP)]


def _nobody(value: object, step: str, name: str, reasons: Sequence[str], refused: str | None) -> SerializationError:
    kind = type_name(value)
    if refused is not None:
        return SerializationError(
            f"self.{name} of type {kind} could only be stored by {refused!r}, which serializers.allow_pickle = false forbids.",
            step=step,
            code="artifact-needs-pickle",
            remedy=f"Store plain values, install a serializer for the type, or: {_TRUST[0].lower()}{_TRUST[1:]}.",
        )
    why = f" ({'; '.join(reasons)})" if reasons else ""
    return SerializationError(
        f"self.{name} cannot be stored: no serializer takes a {kind}{why}.",
        step=step,
        remedy="Store what it is made from, install a serializer for the type, or delete the attribute before self.next().",
    )
