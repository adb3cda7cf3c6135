"""`python -m headrace.task`: one attempt in an interpreter of its own, told what to do by `HEADRACE_*` variables alone.

Below a launcher it makes the attempt of a run that exists. In a container (HEADRACE_DEPLOYMENT) it is the supervisor of another such process.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Final

from headrace_hookspecs import TaskSpec
from headrace_hookspecs.errors import HeadraceError, StoreUnavailableError, UsageError
from headrace_hookspecs.task import NEVER_RETRY

from .channel import Channel

_PR_SET_PDEATHSIG: Final = 1


def main(environ: Mapping[str, str]) -> int:
    """The exit status: 0 if the task is committed, 1 if the attempt failed, 2 if the slots make no sense."""
    try:
        _die_with_parent(environ.get("HEADRACE_PARENT_PID"))
        spec = _spec(environ)
        return _attempt(spec, environ)
    except HeadraceError as error:
        print(f"{error.code}: {error}", file=sys.stderr)
        return error.exit_status


def _spec(environ: Mapping[str, str]) -> TaskSpec:
    try:
        return TaskSpec.from_slots(environ)
    except (KeyError, ValueError) as error:
        raise UsageError(
            f"This process was not told which task to run: {error!r}.",
            code="slots-invalid",
            remedy="`python -m headrace.task` is started by launchers and orchestrators; people use `flow run`.",
        ) from error


def _attempt(spec: TaskSpec, environ: Mapping[str, str]) -> int:
    channel = environ.get("HEADRACE_CHANNEL_FD")
    if "HEADRACE_CONTEXT" in environ and channel is not None:
        from headrace_packaging.remote.child import attempt

        try:
            return attempt(spec, environ["HEADRACE_CONTEXT"], Channel(int(channel)))
        except StoreUnavailableError:
            raise
        except HeadraceError as error:  # the flow cannot be imported, or not with these parameters: nor in another attempt
            print(f"{error.code}: {error}", file=sys.stderr)
            return NEVER_RETRY
    if "HEADRACE_DEPLOYMENT" in environ:
        from headrace_packaging.remote.job import main as supervise

        return supervise(spec, environ)
    from ..project import restore_project
    from ..store.facts import RunStore
    from .entry import make_entry
    from .runtime import Runtime

    try:
        options = json.loads(environ["HEADRACE_PROJECT"])
    except (KeyError, ValueError) as error:
        raise UsageError("HEADRACE_PROJECT does not say where the run is.", code="slots-invalid") from error
    project = restore_project(options)
    store: RunStore = project.run_store(spec.flow, spec.run)
    record = store.read_run()
    entry = make_entry(record["source"])
    entry.adopt(Runtime(entry.loaded.cls, project, record, scheduled=channel is not None))
    return entry.attempt(spec, Channel(None if channel is None else int(channel)))


def _die_with_parent(parent: str | None) -> None:
    """A local task must not outlive its scheduler: have the kernel kill us with it, and leave at once if it is gone already."""
    if parent is None or not sys.platform.startswith("linux"):
        return
    import ctypes
    import signal

    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(parent):
        raise UsageError("The scheduler of this task is gone.", code="scheduler-gone")


if __name__ == "__main__":
    status = main(os.environ)
    sys.stdout.flush()
    sys.stderr.flush()
    # threads that user code left behind must not hold the task
    os._exit(status)
