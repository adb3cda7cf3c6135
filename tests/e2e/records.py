"""Reads all that a run has recorded, without ids and times, so that two runs can be compared whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from headrace.project import open_project
from headrace.store.artifacts import ArtifactReader
from headrace.store.record import Record

FLOWS = Path(__file__).with_name("flows")
FLOW = Path(sys.executable).with_name("flow")


def run(*words: str | Path, cwd: Path, status: int | None = 0, **environ: str) -> subprocess.CompletedProcess[str]:
    """Call a program in `cwd`. Its exit status has to be `status`, unless that is None."""
    done = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env={**os.environ, "HEADRACE_USER": "tester", **environ},
        capture_output=True,
        encoding="utf-8",
        errors="backslashreplace",
        timeout=120,
        check=False,
    )
    assert status is None or done.returncode == status, f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def flow_run(file: str | Path, *options: str, cwd: Path, status: int | None = 0, **environ: str) -> tuple[str, str]:
    """`flow run FILE …`: the run's id and everything that was printed."""
    done = run(FLOW, "run", file, "--run-id-file", "run-id", *options, cwd=cwd, status=status, **environ)
    return (cwd / "run-id").read_text(), done.stdout + done.stderr


def records(folder: Path, flow: str, run_id: str) -> dict[str, Any]:
    """Everything but ids, times, nonces and process numbers: the run, its commits with all artifact bytes, failed attempts, logs."""
    project = open_project(str(folder), flow=flow)
    try:
        store = project.run_store(flow, run_id)
        found = store.read_run()
        tasks = sorted(store.list_commits())

        def attempt(record: Record) -> dict[str, Any]:
            reader = ArtifactReader(record, store.blobs, project.serializers)
            artifacts = {}
            for name in sorted(reader.names()):
                entry = reader.entry(name)
                artifacts[name] = (entry.serializer, entry.type, entry.meta, bytes(reader.read(name)))
            outcome = record.outcome
            failure = None if outcome.failure is None else (outcome.failure.kind, outcome.failure.message, outcome.failure.type)
            return {
                "attempt": record.attempt,
                "outcome": (outcome.status, outcome.next, outcome.size),
                "failure": failure,
                "artifacts": artifacts,
                "children": reader.size,
                "fields": dict(record.fields),
            }

        def logs(step: str, task: str) -> list[Any]:
            lines = [
                (number, line.stream, line.data)
                for number in store.logged_attempts(step, task)
                for line in store.read_log(step, task, number)
            ]
            return [line for line in lines if run_id.encode() not in line[2]]

        commits = dict(zip(tasks, store.read_commits(tasks), strict=True))
        known = sorted((fact.kind, fact.step, fact.task, fact.number, fact.data.get("status")) for fact in store.facts())
        return {
            "parameters": found["parameters"],
            "graph": {name: value for name, value in found["graph"].items() if name != "source"},
            "state": store.state(),
            "commits": {key: attempt(record) for key, record in commits.items() if record is not None},
            "attempts": {key: [attempt(record) for record in store.attempts(*key)] for key in tasks},
            "logs": {key: logs(*key) for key in tasks},
            "facts": known,
        }
    finally:
        project.close()
