"""From an attempt's end to what follows it: the outcome that counts, the catch of a failure, the engine's report, the end of the run."""

from __future__ import annotations

import sys
import time
from typing import Any

from headrace.run.supervise import Supervised
from headrace_hookspecs import Failure, Outcome, TaskSpec, decide
from headrace_hookspecs.errors import NotFoundError, StoreError
from headrace_hookspecs.orchestrator import Report
from headrace_hookspecs.task import NEVER_RETRY

from .job import Job, new_record

CANCELLED = 143
"""The exit status of an attempt that was ended from outside: the engine alone knows whether another should follow."""


def make(job: Job) -> int:
    """Make the attempt of the job; the exit status."""
    failures = _history(job)
    spec = TaskSpec.from_json({**job.spec.to_json(), "failures": [failure.to_json() for failure in failures]})
    outcome = _attempt(job, spec)
    if not outcome.committed:
        failure = outcome.failure or Failure("lost")
        if failure.kind == "cancelled":
            return CANCELLED
        final = decide(failure, job.node.retry, failures).action == "give_up"
        if final and job.node.absorb is not None and spec.mode == "execute":
            outcome = _attempt(job, _absorbing(spec, failure))
        if not outcome.committed:
            return NEVER_RETRY if final else 1
    if job.place:
        engine = job.project.orchestrator(str(job.record["orchestrator"]))
        engine.report(Report(job.node, outcome, job.place))
    if job.spec.step == job.graph.end:
        _end(job, {"state": "succeeded", "failure": None, "failed": None})
    return 0


def run_ended(job: Job, status: str) -> int:
    """After a run that the engine says ended with `status`: write its end, unless its last step did. 0."""
    print(f"{job.spec.flow}/{job.spec.run}: the engine says {status or 'nothing'}")
    try:
        job.store.read_run()
    except NotFoundError:
        # its first task could not even begin: what is known makes it visible
        job.store.write_run(new_record(job.graph, job.record, job.id, job.spec.run, {}))
    committed = set(job.store.list_commits())
    failed = [record for step, task in job.store.attempted() if (step, task) not in committed for record in job.store.attempts(step, task)]
    last = max(failed, key=lambda record: record.ended, default=None)
    failure = None if last is None or last.outcome.failure is None else {**last.outcome.failure.to_json(), "traceback": ""}
    key = None if last is None else f"{last.step}/{last.task}/{last.attempt}"
    _end(job, {"state": "failed", "failure": failure, "failed": key})
    return 0


def _attempt(job: Job, spec: TaskSpec) -> Outcome:
    from .supervisor import watch

    config = job.project.config
    task = Supervised(
        spec,
        job.node,
        "",
        time.monotonic(),
        int(config.get("limits.log_bytes")),
        _show,
        lambda task, chunk, frames: _keep(job, task, chunk, frames),
    )
    environ = {**job.environ, **spec.to_slots(), "HEADRACE_CONTEXT": job.context}
    event = watch(task, (sys.executable, "-m", "headrace.task"), environ, job.folder, float(config.get("run.grace")))
    task.exited(event, time.monotonic())
    if task.outcome is not None:
        return task.outcome
    record = job.store.read_commit(spec.step, spec.task)
    if record is not None:
        return record.outcome
    failure = task.failure(event)
    statuses = {"timeout": "timed_out", "cancelled": "cancelled", "lost": "lost"}
    outcome = Outcome(statuses.get(failure.kind, "failed"), failure=failure)  # type: ignore[arg-type]
    job.store.write_attempt(spec, outcome)
    return outcome


def _history(job: Job) -> list[Failure]:
    """The failures of the earlier attempts. One that left no record has gone with its machine."""
    spec = job.spec
    if not spec.attempt:
        return []
    known = {record.attempt: record.outcome.failure for record in job.store.attempts(spec.step, spec.task)}
    return [known.get(number) or Failure("lost", "The attempt left no record.") for number in range(spec.attempt)]


def _absorbing(spec: TaskSpec, failure: Failure) -> TaskSpec:
    earlier = {**failure.to_json(), "traceback": ""}
    return TaskSpec.from_json({**spec.to_json(), "attempt": spec.attempt + 1, "mode": "absorb", "failures": [*spec.failures, earlier]})


def _end(job: Job, data: dict[str, Any]) -> None:
    """Write the end of the run, once."""
    if not job.store.ends():
        started = job.store.read_run()["created"]
        job.store.write_end({**data, "started": started, "ended": time.time()})


def _show(task: Supervised, stream: str, line: bytes, moment: float) -> None:
    """What the attempt prints is the container's output too, secrets replaced."""
    target = sys.stdout if stream == "stdout" else sys.stderr
    target.buffer.write(line + b"\n")
    target.flush()


def _keep(job: Job, task: Supervised, chunk: int, frames: bytes) -> None:
    spec = task.spec
    try:
        job.store.write_log_chunk(spec.step, spec.task, spec.attempt, chunk, frames)
    except StoreError as error:
        print(f"The log of this attempt is incomplete: {error.message}", file=sys.stderr)
