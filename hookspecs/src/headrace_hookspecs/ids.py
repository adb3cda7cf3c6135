"""Names of runs, tasks and attempts: how they are made, read back and checked. Pure; the clock and the randomness are the caller's.

Run ids sort by time, are unique without a server and are DNS labels. Task ids are deterministic: foreach indices joined by dots (`0`
where there are none), then `-n` for the n-th visit of a recursive step.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Final

from .errors import NotFoundError, UsageError

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base 32, lower case: no i, l, o, u
_TASK_ID: Final = r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*(-(0|[1-9][0-9]*))?"
_HASHED: Final = r"(^|-)[0-9a-f]{10}\Z"
_RULES: Final = {
    "flow": r"[A-Za-z_][A-Za-z0-9_]{0,127}",
    "run": r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}",
    "step": r"[a-z0-9][a-z0-9_]{0,127}",
    "task": _TASK_ID,
    "artifact": r"[^\W\d]\w{0,254}",
    "tag": r"[^\x00-\x1f]{1,500}",
}


def new_run_id(now: float, random: int) -> str:
    """A run id such as `20260731-142501093-k3x9q7`.

    `now` is seconds since the epoch (UTC is written, to the millisecond), `random` at least 30 random bits.
    """
    import time

    milliseconds = int(now * 1000)
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(milliseconds // 1000))
    tail = "".join(_ALPHABET[(random >> shift) & 31] for shift in range(25, -1, -5))
    return f"{stamp}{milliseconds % 1000:03d}-{tail}"


def task_id(indices: Sequence[int] = (), visit: int | None = None) -> str:
    """`task_id((1, 4))` is `1.4`, `task_id()` is `0`, `task_id((), 2)` is `0-2`."""
    text = ".".join(map(str, indices)) or "0"
    return text if visit is None else f"{text}-{visit}"


def parse_task_id(text: str, depth: int) -> tuple[tuple[int, ...], int | None]:
    """The foreach indices and the visit of a task id, for a step `depth` foreach levels deep. Raises UsageError on any other text."""
    check_id("task", text)
    numbers, _, visit = text.partition("-")
    indices = tuple(map(int, numbers.split(".")))
    if depth == 0 and indices == (0,):
        indices = ()
    if len(indices) != depth:
        raise UsageError(f"Task id {text!r} has {len(indices)} indices where the step has {depth}.", code="id-invalid")
    return indices, int(visit) if visit else None


def check_id(kind: str, text: str) -> str:
    """Pass on an id that came from outside, or raise UsageError. `kind`: flow, run, step, task, artifact or tag.

    The one allow-list: nothing that fails it is ever part of a path, a key, a query or a label.
    """
    if not isinstance(text, str) or not re.fullmatch(_RULES[kind], text) or ".." in text:
        raise UsageError(f"{text!r} is not a valid {kind} name.", code="id-invalid")
    return text


def split_pathspec(pathspec: str, kinds: Sequence[str] = ("flow", "run", "step", "task", "artifact")) -> tuple[str, ...]:
    """The checked parts of `Flow/run/step/task/artifact`; fewer parts are fine, more are an error."""
    parts = pathspec.strip("/").split("/")
    if len(parts) > len(kinds):
        raise NotFoundError(f"{pathspec!r} has more parts than {'/'.join(kinds)}.", code="pathspec-invalid")
    return tuple(check_id(kind, part) for kind, part in zip(kinds, parts, strict=False))


def dns_name(run: str, task: str = "", attempt: int | None = None, *, limit: int = 63) -> str:
    """The one way to a cluster object's name: a DNS label of at most `limit` characters, injective up to a 40-bit hash.

    `task` is `step/task-id`. Characters that DNS does not know become `-`; whenever anything was changed or cut, a hash of the original
    is appended, so that two different names never become one; a name that looks as if that had been done is hashed too.
    """
    original = "/".join(part for part in (run, task, "" if attempt is None else str(attempt)) if part)
    text = re.sub(r"[^a-z0-9]+", "-", original.lower()).strip("-")
    if not text or not text[0].isalpha():
        text = f"r{text}"
    if text == original and len(text) <= limit and not re.search(_HASHED, text):
        return text
    digest = hashlib.sha256(original.encode()).hexdigest()[:10]
    return f"{text[: limit - 11].rstrip('-')}-{digest}"


def label(value: str, *, limit: int = 63) -> str:
    """The one way to a cluster label's value: `[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?`, hashed at the end when it had to be changed."""
    text = re.sub(r"[^A-Za-z0-9._-]+", "-", value).strip("._-")
    if text == value and len(text) <= limit and not re.search(_HASHED, text):
        return text
    digest = hashlib.sha256(value.encode()).hexdigest()[:10]
    return f"{text[: limit - 11]}-{digest}" if text else digest
