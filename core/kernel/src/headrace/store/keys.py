"""Where everything is: the pure layout of a datastore. Every name is checked before it becomes part of a key."""

from __future__ import annotations

from typing import Final

from headrace_hookspecs.errors import UsageError
from headrace_hookspecs.ids import check_id

_NUMBER: Final = 6
"""Digits of the numbers of chunks, ends and tag changes, so that their keys sort as they count."""


def run_prefix(flow: str, run: str) -> str:
    """What all keys of a run start with."""
    return f"{check_id('flow', flow)}/runs/{check_id('run', run)}/"


def run_key(flow: str, run: str) -> str:
    """The run record."""
    return f"{run_prefix(flow, run)}run.json"


def commit_key(flow: str, run: str, step: str, task: str) -> str:
    """The commit record of a task."""
    return f"{run_prefix(flow, run)}commits/{check_id('step', step)}/{check_id('task', task)}"


def attempt_key(flow: str, run: str, step: str, task: str, attempt: int) -> str:
    """The record of an attempt that did not commit."""
    return f"{attempts_prefix(flow, run, step, task)}{attempt:d}"


def attempts_prefix(flow: str, run: str, step: str, task: str) -> str:
    """What the attempt records of a task start with; the attempt number follows."""
    return f"{run_prefix(flow, run)}attempts/{check_id('step', step)}/{check_id('task', task)}_"


def log_key(flow: str, run: str, step: str, task: str, attempt: int, chunk: int) -> str:
    """One chunk of an attempt's log."""
    return f"{log_prefix(flow, run, step, task, attempt)}{chunk:0{_NUMBER}d}"


def log_prefix(flow: str, run: str, step: str, task: str, attempt: int) -> str:
    """What the chunks of an attempt's log start with; their keys sort in order."""
    return f"{run_prefix(flow, run)}logs/{check_id('step', step)}/{check_id('task', task)}_{attempt:d}_"


def attachment_key(flow: str, run: str, step: str, task: str, attempt: int, kind: str, name: str) -> str:
    """Bytes that an attempt keeps beside its record; `kind` and `name` are artifact-like names."""
    prefix = attachments_prefix(flow, run, step, task)
    return f"{prefix}{attempt:d}/{_word(kind)}/{_word(name)}"


def _word(name: str) -> str:
    """A name that is checked by whoever has it, and ASCII because keys are."""
    if not name.isascii():
        raise UsageError(f"{name!r} is no name of an attachment: it has to be ASCII.", code="id-invalid")
    return check_id("artifact", name)


def attachments_prefix(flow: str, run: str, step: str, task: str) -> str:
    """What the attachments of a task start with; attempt, kind and name follow."""
    return f"{run_prefix(flow, run)}attach/{check_id('step', step)}/{check_id('task', task)}_"


def end_key(flow: str, run: str, number: int) -> str:
    """An end of the run."""
    return f"{run_prefix(flow, run)}end/{number:0{_NUMBER}d}"


def tags_key(flow: str, run: str, number: int) -> str:
    """A change of the run's tags."""
    return f"{run_prefix(flow, run)}tags/{number:0{_NUMBER}d}"


def blob_key(flow: str, digest: str) -> str:
    """Content by the hex SHA-256 of all of it."""
    return f"{check_id('flow', flow)}/blobs/sha256/{digest[:2]}/{digest[2:]}"


def lease_prefix(name: str) -> str:
    """What the objects of the lease `run/FLOW/RUN` start with; the number of a holder follows."""
    kind, _, path = name.partition("/")
    flow, _, run = path.partition("/")
    if kind != "run":
        raise UsageError(f"{name!r} is no lease of a run.", code="id-invalid")
    return f"{run_prefix(flow, run)}lease/"


def deployment_key(flow: str, id: str) -> str:
    """The record of a deployment."""
    return f"{check_id('flow', flow)}/deployments/{check_id('run', id)}.json"
