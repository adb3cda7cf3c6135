"""Run by a process that knows the root of a datastore and nothing else: everything that the client says about one run, as JSON on standard output."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import headrace_client as client

project = client.project(options=json.loads(sys.argv[1]))
run = client.Run(sys.argv[2], project=project)


def short(pathspec: str) -> str:
    return pathspec.replace(f"/{run.id}/", "/RUN/")


def artifact(task: Any, name: str) -> list[str]:
    found = task[name]
    # classes of the flow file are not importable here: those values are compared byte by byte elsewhere
    value = repr(found.data) if found.serializer == "plain" else ""
    return [found.type, found.serializer, str(found.size), value]


def attempt(task: Any) -> dict[str, Any]:
    failure = task.exception
    lines = [[line.stream, line.text] for line in task.loglines()]
    return {
        "attempt": task.attempt,
        "state": task.state,
        "exception": failure and [failure.kind, failure.type, failure.message],
        "stdout": re.sub(r'File "\S*/', 'File "', task.stdout.replace(run.id, "RUN")),
        "lines": [line for line in lines if "File " not in line[1] and run.id not in line[1]],
    }


answers = {
    "state": run.state,
    "successful": run.successful,
    "tags": sorted(run.user_tags),
    "parameters": run.parameters,
    "steps": [step.id for step in run],
    "failed": run.failed_task and short(run.failed_task.pathspec),
    "tasks": {
        short(task.pathspec): {
            "index": task.index,
            "indices": list(task.indices),
            "artifacts": {name: artifact(task, name) for name in task.artifacts()} if task.successful else None,
            "parents": sorted(short(each.pathspec) for each in task.parents) if task.successful else None,
            "children": sorted(short(each.pathspec) for each in task.children) if task.successful else None,
            "attempts": [attempt(each) for each in task.attempts],
            "fields": dict(task.fields),
        }
        for task in run.tasks()
    },
}
print(json.dumps(answers))
