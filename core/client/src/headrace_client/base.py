"""What flows, runs, steps, tasks and artifacts have in common: a place, a name, children, equality. Knows no store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from headrace_hookspecs.errors import NotFoundError
from headrace_hookspecs.ids import split_pathspec

if TYPE_CHECKING:
    from datetime import datetime
    from os import PathLike

    from headrace.project import Project

C = TypeVar("C")


def project(path: str | PathLike[str] | None = None, *, options: tuple[str, ...] | list[str] = (), profile: str | None = None) -> Project:
    """The project that `path` (a folder; default: the current one) belongs to. `options` are `KEY=VALUE` as for `flow -o`."""
    import os

    from headrace.project import open_project

    return open_project(None if path is None else os.fspath(path), options=tuple(options), profile=profile)


class Item(Generic[C]):
    """A thing with a pathspec. Two are equal if they are of one kind and have the same pathspec."""

    kinds: ClassVar[tuple[str, ...]] = ()
    """What the parts of the pathspec are, such as ("flow", "run")."""

    def __init__(self, pathspec: str, *, project: Project | None = None) -> None:
        """Raises NotFoundError if there is no such thing, UsageError if `pathspec` is none."""
        parts = split_pathspec(pathspec, self.kinds)
        if len(parts) != len(self.kinds):
            raise NotFoundError(
                f"{pathspec!r} names no {self.kinds[-1]}.", remedy=f"Write {'/'.join(self.kinds)}.", code="pathspec-invalid"
            )
        self.pathspec = "/".join(parts)
        self.project = _open(project)
        self._check()

    def _check(self) -> None:
        """Raise NotFoundError unless the thing exists."""

    @property
    def path_components(self) -> list[str]:
        """The parts of the pathspec."""
        return self.pathspec.split("/")

    @property
    def id(self) -> str:
        """The last part of the pathspec."""
        return self.path_components[-1]

    def __iter__(self) -> Iterator[C]:
        raise NotImplementedError

    def __getitem__(self, id: str) -> C:
        """The child of that id. Raises KeyError."""
        try:
            return self._child(id)
        except NotFoundError:
            raise KeyError(id) from None

    def __contains__(self, id: object) -> bool:
        try:
            self[str(id)]
        except KeyError:
            return False
        return True

    def _child(self, id: str) -> C:
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other._identity() == self._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def _identity(self) -> tuple[Any, ...]:
        return (type(self).__name__, self.pathspec)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.pathspec!r})"

    def _ipython_key_completions_(self) -> list[str]:
        return [str(getattr(child, "id", child)) for child in self]


def absent(item: Item[Any], *, code: str) -> NotFoundError:
    """The error for an item that its project does not have."""
    return NotFoundError(f"There is no {item.kinds[-1]} {item.pathspec} in {item.project.blobs.location}.", code=code)


def moment(seconds: float) -> datetime:
    """A time of a record (seconds since the epoch) as local time with its zone."""
    from datetime import datetime

    return datetime.fromtimestamp(seconds).astimezone()


def _open(given: Project | None) -> Project:
    return project() if given is None else given
