"""Which files go into a code package: a pure answer of the tree, the patterns and the ignore files; the same on every machine."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from pathspec import PathSpec

from headrace_hookspecs.errors import FlowFileError, UsageError

from .ignore import Rules

_BLOCK = 1 << 20


class PackagedFile(NamedTuple):
    """One file of a package: its path in it (relative, `/`), the hex SHA-256 of its content, its size in bytes, and where it is here."""

    path: str
    digest: str
    size: int
    executable: bool
    source: str


def collect(root: str | os.PathLike[str], flow_file: str | os.PathLike[str], include: Sequence[str] = ("*.py",)) -> list[PackagedFile]:
    """The files below `root` that match one of the patterns `include` and that no ignore file leaves out, sorted by path.

    Patterns are Git's, counted from `root`; the last one that matches decides. `flow_file` is always among the files. Always left out are
    hidden files and folders, `__pycache__` and virtual environments. A link is packaged as what it points to; one that leads out of `root` or
    nowhere is an error. Raises FlowFileError, and UsageError with the codes `package-link-outside`, `package-link-broken`, `package-name`,
    `package-pattern` and `package-unreadable`.
    """
    top = os.path.realpath(root)
    folder, name = os.path.split(os.path.abspath(flow_file))
    flow = os.path.join(os.path.realpath(folder), name)
    if not os.path.isfile(flow):
        raise FlowFileError(f"There is no flow file {os.fspath(flow_file)}.", code="flow-file-missing")
    if not _inside(flow, top) or not _inside(os.path.realpath(flow), top):
        raise UsageError(
            f"The flow file {flow} is not below the folder that is packaged, {top}.",
            remedy="Package a folder that holds both, or move the flow file.",
            code="package-link-outside",
        )
    try:
        wanted = PathSpec.from_lines("gitignore", include)
    except ValueError as error:
        raise UsageError(f"A pattern of the files to package means nothing: {error}", code="package-pattern") from error
    found = dict(_walk(_Tree(top, wanted), top, "", Rules(), (top,)))
    own = os.path.relpath(flow, top).replace(os.sep, "/")
    _check_name(own)
    found.setdefault(own, os.path.realpath(flow))
    return [_read(path, found[path]) for path in sorted(found)]


def identity(files: Sequence[PackagedFile]) -> str:
    """The hex SHA-256 of what a package holds: paths, contents and which files are executable. Says nothing about how it is compressed."""
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(f"{file.path}\0{file.digest}\0{'x' if file.executable else '-'}\n".encode())
    return digest.hexdigest()


class _Tree(NamedTuple):
    """What stays the same during one walk: the real path of the root, and the patterns."""

    top: str
    wanted: PathSpec[Any]


def _walk(tree: _Tree, folder: str, prefix: str, rules: Rules, parents: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """(path in the package, real path here) of every wanted file below `folder`. `parents` are the real paths of the folders gone through."""
    rules = rules.within(prefix, folder)
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise _unreadable(folder, error) from error
    for entry in entries:
        path = prefix + entry.name
        if entry.is_dir():
            if _never(entry) or rules.ignore(f"{path}/"):
                continue
            source = _target(entry, tree.top) if entry.is_symlink() else entry.path
            # a link to a folder on the way here would go round for ever
            if source not in parents:
                yield from _walk(tree, source, f"{path}/", rules, (*parents, source))
        elif not entry.name.startswith(".") and tree.wanted.match_file(path) and not rules.ignore(path):
            source = _target(entry, tree.top) if entry.is_symlink() else entry.path
            if os.path.isfile(source):
                _check_name(path)
                yield path, source


def _never(entry: os.DirEntry[str]) -> bool:
    return entry.name.startswith(".") or entry.name == "__pycache__" or os.path.isfile(os.path.join(entry.path, "pyvenv.cfg"))


def _target(entry: os.DirEntry[str], top: str) -> str:
    """Where a link leads. Refused where that is outside: the other machine does not have it, and it may hold what nobody meant to send."""
    target = os.path.realpath(entry.path)
    if not _inside(target, top):
        raise UsageError(
            f"The link {entry.path} leads out of the folder that is packaged, to {target}.",
            remedy=f"Name it in {os.path.join(top, '.headraceignore')}, or put what it points to below {top}.",
            code="package-link-outside",
        )
    if not os.path.exists(target):
        raise UsageError(
            f"The link {entry.path} points to {target}, which is not there.",
            remedy=f"Remove it, or name it in {os.path.join(top, '.headraceignore')}.",
            code="package-link-broken",
        )
    return target


def _inside(path: str, top: str) -> bool:
    return path == top or path.startswith(top.rstrip(os.sep) + os.sep)


def _check_name(path: str) -> None:
    """A name that other systems cannot spell does not travel."""
    try:
        path.encode("utf-8")
        clean = path.isprintable() and "\\" not in path
    except UnicodeEncodeError:
        clean = False
    if not clean:
        raise UsageError(
            f"The file name {path!r} cannot be packaged.",
            remedy="Rename the file, or name it in .headraceignore: printable UTF-8 without backslashes travels.",
            code="package-name",
        )


def _read(path: str, source: str) -> PackagedFile:
    digest, size = hashlib.sha256(), 0
    try:
        with open(source, "rb") as file:
            executable = bool(os.fstat(file.fileno()).st_mode & stat.S_IXUSR)
            while block := file.read(_BLOCK):
                digest.update(block)
                size += len(block)
    except OSError as error:
        raise _unreadable(source, error) from error
    return PackagedFile(path, digest.hexdigest(), size, executable, source)


def _unreadable(path: str, error: OSError) -> UsageError:
    return UsageError(
        f"{path} cannot be read: {error.strerror}.",
        remedy="Change its permissions, or name it in .headraceignore.",
        code="package-unreadable",
    )
