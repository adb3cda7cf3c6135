"""The one exception tree. Every error carries a stable code, where it happened and what to do; none knows how it will be printed.

`exit_status` is what a command ends with: 2 for a call that was worded wrongly, 1 for everything else.
"""

from __future__ import annotations

from typing import ClassVar


class HeadraceError(Exception):
    """Base of all errors of ours, made for the person who has to act on it.

    `message` says what happened, `remedy` what to do, `file`, `line` and `step` where. `code` is a stable kebab-case word that scripts
    may match on; a raise site may narrow the class's own.
    """

    code: str = "error"
    exit_status: ClassVar[int] = 1

    def __init__(
        self,
        message: str,
        *,
        remedy: str | None = None,
        file: str | None = None,
        line: int | None = None,
        step: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.file = file
        self.line = line
        self.step = step
        if code is not None:
            self.code = code

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.message, dict(self.__dict__)))

    @property
    def where(self) -> str:
        """`file:line`, `file`, or the empty string."""
        if self.file is None:
            return ""
        return self.file if self.line is None else f"{self.file}:{self.line}"

    def __str__(self) -> str:
        lines = [self.message]
        if self.where:
            lines.append(f"  at {self.where}" + (f", step {self.step}" if self.step else ""))
        elif self.step:
            lines.append(f"  in step {self.step}")
        if self.remedy:
            lines.append(f"  {self.remedy}")
        return "\n".join(lines)


def _rebuild(kind: type[HeadraceError], message: str, state: dict[str, object]) -> HeadraceError:
    error = kind(message)
    error.__dict__.update(state)
    return error


class UsageError(HeadraceError):
    """The command line asks for something that does not exist or cannot be combined."""

    code = "usage"
    exit_status = 2


class ParameterError(UsageError):
    """An unknown flow parameter, a missing required one, or a value that its type refuses."""

    code = "parameter-invalid"


class ConfigError(UsageError):
    """A configuration file, variable or option that cannot be used. All problems of one reading are listed together."""

    code = "config-invalid"


class FlowFileError(UsageError):
    """The flow file is missing, cannot be imported, holds no flow, or holds several."""

    code = "flow-file"


class FlowDefinitionError(HeadraceError):
    """The flow class says something that has no meaning (a misplaced decorator, a bad parameter declaration)."""

    code = "flow-definition"


class GraphError(FlowDefinitionError):
    """The validity checker refused the graph; `code` names the rule."""

    code = "graph-invalid"


class InvalidTransitionError(HeadraceError):
    """`self.next` was called with something else than the graph says, not at all, or twice."""

    code = "invalid-transition"


class PluginError(HeadraceError):
    """A plugin is unknown, claims a name twice, was written for another API, or failed where its failure must stop the run."""

    code = "plugin"


class MissingCapabilityError(PluginError):
    """The flow needs what the chosen provider does not declare; nothing has run yet."""

    code = "capability-missing"


class NotFoundError(HeadraceError):
    """A flow, run, step, task, attempt or artifact that does not exist."""

    code = "not-found"


class SerializationError(HeadraceError):
    """No serializer takes the value, or one failed on it; names step and attribute."""

    code = "artifact-not-serializable"


class StoreError(HeadraceError):
    """A datastore or metadata store failed; names the path or key."""

    code = "store"


class StoreUnavailableError(StoreError):
    """The store does not answer or throttles; trying again later may help."""

    code = "store-unavailable"


class StoreReadOnlyError(StoreError):
    """The store may be read but not written."""

    code = "store-read-only"


class StoreFullError(StoreError):
    """Disk full, quota reached, or too many files."""

    code = "store-full"


class CorruptDataError(StoreError):
    """Stored bytes do not match their hash or their format; never a wrong value."""

    code = "data-corrupt"


class RunFailed(HeadraceError):
    """A task failed for good, so the run did. The user's own traceback has been shown already."""

    code = "run-failed"


class RunInterrupted(HeadraceError):
    """Ctrl-C or SIGTERM ended the run; its tasks were told, then killed."""

    code = "run-interrupted"


class AttemptLost(HeadraceError):
    """Nothing is known of an attempt any more: its supervisor or machine is gone."""

    code = "attempt-lost"


class InternalError(HeadraceError):
    """A broken promise of our own code; please report it."""

    code = "internal"
