"""A code package as bytes, and back. The same files give the same bytes; what comes out of an archive stays in the folder it is put in."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import re
import struct
import tarfile
import zlib
from collections import Counter
from collections.abc import Sequence
from typing import Final

from headrace_hookspecs.errors import CorruptDataError, StoreError, UsageError

from .collect import PackagedFile

_LEVEL: Final = 6
_GZIP_HEADER: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
"""Deflate, no name, no time, no system: what `gzip` writes here differs between versions of Python."""
_UNSAFE: Final = re.compile(r"(^|/)\.{0,2}(/|$)|[\\\x00]|^[A-Za-z]:")
"""An absolute path, an empty word, `.`, `..`, a backslash, a drive."""


def archive(files: Sequence[PackagedFile]) -> bytes:
    """A gzipped tar of the files, sorted by path, of nobody and of no time.

    The tar is the same on every machine; the compressed bytes are for one zlib. `identity` names the content. Raises UsageError with the
    code `package-changed` if a file is not what it was when it was collected.
    """
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for file in sorted(files):
            content = _content(file)
            info = tarfile.TarInfo(file.path)  # time 0 and owner 0 are what it starts with
            info.size = len(content)
            info.mode = 0o755 if file.executable else 0o644
            tar.addfile(info, io.BytesIO(content))
    return _gzip(plain.getvalue())


def unpack(data: bytes, folder: str | os.PathLike[str]) -> list[str]:
    """Write the files of an archive below `folder`, made if absent; their paths, in order.

    Links, devices, absolute paths and `..` are refused, and so is anything that `folder` holds already; all members are judged before the
    first is written. Raises CorruptDataError.
    """
    top = os.path.realpath(folder)
    place = top
    try:
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(data)), mode="r:") as tar:
            members = tar.getmembers()
            _judge(members, top)
            for member in members:
                content = tar.extractfile(member)
                if content is not None:
                    place = os.path.join(top, *member.name.split("/"))
                    _write(place, content.read(), bool(member.mode & 0o100))
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise CorruptDataError(f"The code package cannot be read: {error}", code="package-corrupt") from error
    except OSError as error:
        raise StoreError(f"The code package cannot be unpacked: {place}: {error.strerror}.", code="package-unwritable") from error
    return [member.name for member in members]


def _gzip(data: bytes) -> bytes:
    deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = deflate.compress(data) + deflate.flush()
    return _GZIP_HEADER + body + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)


def _content(file: PackagedFile) -> bytes:
    content: bytes | None
    try:
        with open(file.source, "rb") as source:
            content = source.read()
    except OSError:
        content = None
    if content is None or hashlib.sha256(content).hexdigest() != file.digest:
        raise UsageError(
            f"{file.source} changed while the code package was made.", remedy="Start again when it is at rest.", code="package-changed"
        )
    return content


def _judge(members: Sequence[tarfile.TarInfo], top: str) -> None:
    count = Counter(member.name for member in members)
    for member in members:
        words = member.name.split("/")
        place = os.path.join(top, *words)
        if not member.isreg():
            problem = "is no plain file"
        elif _UNSAFE.search(member.name):
            problem = "has a path that may lead elsewhere"
        elif count[member.name] > 1 or any("/".join(words[:i]) in count for i in range(1, len(words))):
            problem = "collides with another"
        elif os.path.lexists(place):
            problem = "is there already"
        elif os.path.realpath(os.path.dirname(place)) != os.path.dirname(place):
            problem = "would be written through a link"
        else:
            continue
        raise CorruptDataError(f"The code package is refused: its member {member.name!r} {problem}.", code="package-unsafe")


def _write(place: str, content: bytes, executable: bool) -> None:
    os.makedirs(os.path.dirname(place), exist_ok=True)
    with open(place, "xb") as file:
        file.write(content)
    os.chmod(place, 0o755 if executable else 0o644)
