"""What came of an attempt: the one value that flows back from a task to whoever schedules it. Plain data with hand-written JSON."""

from __future__ import annotations

from typing import Any, Literal

from attrs import frozen

FailureKind = Literal["exception", "exit", "signal", "oom", "timeout", "serialization", "transition", "cancelled", "lost", "store"]
Status = Literal["succeeded", "absorbed", "failed", "timed_out", "cancelled", "lost", "superseded"]


@frozen
class Failure:
    """Why an attempt failed.

    `type` is `module.Class` of the exception or empty, `traceback` the user's own frames as text. `give_up` says that a decorator or
    exit status forbids another attempt. Exit codes and signals are those of the process.
    """

    kind: FailureKind
    message: str = ""
    type: str = ""
    traceback: str = ""
    exit_code: int | None = None
    signal: int | None = None
    give_up: bool = False
    bases: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.traceback or self.message

    def to_json(self) -> dict[str, Any]:
        """A JSON object with the fields that are set."""
        out: dict[str, Any] = {"kind": self.kind}
        for name in ("message", "type", "traceback", "exit_code", "signal", "give_up"):
            value = getattr(self, name)
            if value is not None and value != "" and value is not False:
                out[name] = value
        if self.bases:
            out["bases"] = list(self.bases)
        return out

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Failure:
        """The inverse of `to_json`; unknown fields of a later version are ignored."""
        return cls(
            kind=data["kind"],
            message=data.get("message", ""),
            type=data.get("type", ""),
            traceback=data.get("traceback", ""),
            exit_code=data.get("exit_code"),
            signal=data.get("signal"),
            give_up=data.get("give_up", False),
            bases=tuple(data.get("bases", ())),
        )


@frozen
class Outcome:
    """The end of an attempt. `next` names the steps that follow, `size` is the foreach width or gang size where `next` is a fan-out."""

    status: Status
    next: tuple[str, ...] = ()
    size: int | None = None
    failure: Failure | None = None

    @property
    def committed(self) -> bool:
        """Whether the task now has a commit record, so that its successors may run."""
        return self.status in ("succeeded", "absorbed")

    def to_json(self) -> dict[str, Any]:
        """A JSON object with the fields that are set."""
        out: dict[str, Any] = {"status": self.status, "next": list(self.next)}
        if self.size is not None:
            out["size"] = self.size
        if self.failure is not None:
            out["failure"] = self.failure.to_json()
        return out

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Outcome:
        """The inverse of `to_json`; unknown fields of a later version are ignored."""
        failure = data.get("failure")
        return cls(
            status=data["status"],
            next=tuple(data.get("next", ())),
            size=data.get("size"),
            failure=None if failure is None else Failure.from_json(failure),
        )
