"""The two forms of facts on disk: framed records (JSON header, inline bytes) of tasks, and sealed JSON of everything else.

Whatever is decoded is what was encoded, or a CorruptDataError that names the key. Format 1, see docs/adr/0007. Knows no datastore.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from struct import Struct
from typing import Any, Final, TypeVar

from headrace_hookspecs.datastore import Buffer
from headrace_hookspecs.errors import CorruptDataError, StoreError
from headrace_hookspecs.outcome import Outcome
from headrace_hookspecs.task import TaskSpec

FORMAT: Final = 1
MAGIC: Final = b"HRREC\x00\x01\n"
_FRAME: Final = Struct("<8sI16s")

T = TypeVar("T")


class Record:
    """A commit or attempt record: the names and times in its header, `header` itself, and `inline`, its verified inline bytes.

    `run` is the run that executed the task; for a reused task it is not the one that the record is read for.
    """

    __slots__ = ("_outcome", "attempt", "ended", "fields", "flow", "header", "inline", "key", "nonce", "run", "started", "step", "task")

    def __init__(self, header: dict[str, Any], inline: memoryview, key: str) -> None:
        self.header = header
        self.inline = inline
        self.key = key
        self.flow: str = header["flow"]
        self.run: str = header["run"]
        self.step: str = header["step"]
        self.task: str = header["task"]
        self.attempt: int = header["attempt"]
        self.nonce: str = header["nonce"]
        self.started: float = header["started"]
        self.ended: float = header["ended"]
        self.fields: Mapping[str, Any] = header.get("fields", {})
        self._outcome: Outcome | None = None

    @property
    def pathspec(self) -> str:
        """`Flow/run/step/task`."""
        return f"{self.flow}/{self.run}/{self.step}/{self.task}"

    @property
    def outcome(self) -> Outcome:
        """What came of the attempt."""
        if self._outcome is None:
            self._outcome = trusted(self.key, lambda: Outcome.from_json(self.header["outcome"]))
        return self._outcome


def new_header(
    spec: TaskSpec, nonce: str, outcome: Outcome, *, started: float, ended: float, fields: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The header of an attempt's record, without artifacts."""
    return {
        "v": FORMAT,
        "flow": spec.flow,
        "run": spec.run,
        "step": spec.step,
        "task": spec.task,
        "attempt": spec.attempt,
        "nonce": nonce,
        "outcome": outcome.to_json(),
        "artifacts": {},
        "started": started,
        "ended": ended,
        "fields": dict(fields or {}),
    }


def encode_record(header: Mapping[str, Any], inline: Sequence[Buffer] = ()) -> bytes:
    """A record's bytes."""
    body = b"".join(inline)
    full = {**header, "inline": {"size": len(body), "sha256": sha256(body).hexdigest()}}
    text = json.dumps(full, separators=(",", ":")).encode()
    return b"".join((_FRAME.pack(MAGIC, len(text), sha256(text).digest()[:16]), text, body))


def decode_record(data: bytes, key: str) -> Record:
    """The record in `data`; `key` names it in errors. Raises CorruptDataError; StoreError where a later version wrote it."""
    header, inline = decode_frame(data, key)
    return trusted(key, lambda: Record(header, inline, key))


def _is_newer(text: bytes) -> bool:
    """Whether a header with the right hash says that it is of a later format."""
    try:
        return int(json.loads(text)["v"]) > FORMAT
    except (ValueError, KeyError, TypeError):
        return False


def decode_frame(data: bytes, key: str) -> tuple[dict[str, Any], memoryview]:
    """Header and inline bytes of anything that was framed as records are. Raises as `decode_record`."""
    if len(data) < _FRAME.size:
        raise _corrupt(key, "it is cut short")
    magic, length, digest = _FRAME.unpack_from(data)
    text = data[_FRAME.size : _FRAME.size + length]
    sound = len(text) == length and sha256(text).digest()[:16] == digest
    if not sound and magic[:6] == MAGIC[:6] and magic[6] > MAGIC[6]:
        refuse_newer(key, magic[6])  # another frame; one of ours with a flipped bit there still has a sound header
    if not sound or (magic != MAGIC and not _is_newer(text)):
        raise _corrupt(key, "its header does not match its hash")
    header: dict[str, Any] = trusted(key, lambda: json.loads(text))
    refuse_newer(key, trusted(key, lambda: int(header["v"])))
    inline = memoryview(data)[_FRAME.size + length :]
    size, expected = trusted(key, lambda: (header["inline"]["size"], header["inline"]["sha256"]))
    if len(inline) != size or sha256(inline).hexdigest() != expected:
        raise _corrupt(key, "its inline bytes do not match their hash")
    return header, inline


def seal(data: Mapping[str, Any]) -> bytes:
    """A JSON object with its own SHA-256 in the field `sha256`, keys sorted."""
    return _canonical({**data, "sha256": sha256(_canonical(data)).hexdigest()})


def unseal(data: bytes, key: str) -> dict[str, Any]:
    """The object that was sealed. Raises CorruptDataError; StoreError where a later version wrote it."""
    found: dict[str, Any] = trusted(key, lambda: json.loads(data))
    digest = trusted(key, lambda: found.pop("sha256"))
    if digest != trusted(key, lambda: sha256(_canonical(found)).hexdigest()):
        raise _corrupt(key, "it does not match its hash")
    refuse_newer(key, trusted(key, lambda: int(found["format"])))
    return found


def trusted(key: str, read: Callable[[], T]) -> T:
    """What `read` gives; anything that it trips over in the data is a CorruptDataError that names the key."""
    try:
        return read()
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError) as error:
        raise _corrupt(key, f"it is not in its format ({type(error).__name__})") from error


def refuse_newer(key: str, version: int) -> None:
    """Raise StoreError where a later version wrote what is under the key."""
    if version > FORMAT:
        raise StoreError(
            f"{key} was written by a later version of headrace: its format is {version}, this version reads up to {FORMAT}.",
            code="store-too-new",
            remedy="Upgrade: pip install --upgrade headrace",
        )


def _canonical(data: Mapping[str, Any]) -> bytes:
    return json.dumps(data, sort_keys=True, separators=(",", ":")).encode()


def _corrupt(key: str, why: str) -> CorruptDataError:
    return CorruptDataError(f"The record {key} is damaged: {why}.", remedy="Restore it from a backup, or run the task again.")
