"""Programs in pods: container templates that run Python, and what they print."""

import json
import textwrap
import time
from pathlib import Path

from argo.engine import run
from argo.nodes import Phase
from argo.pods import NamespaceRunner
from argo.submission import Submission
from handmade import workflow


def python(code, name="main", **more):
    """A container template that runs a program."""
    env = more.pop("env", [])
    command = {"image": "python", "command": ["python", "-c"], "args": [textwrap.dedent(code)], "env": env}
    return {"name": name, "container": {**command, **more.pop("container", {})}, **more}


def execute(manifest, image, *, parameters=None, **options):
    with NamespaceRunner({"python": image}, **options) as runner:
        return run(manifest, Submission("pods-1", parameters or {}), runner, backoff_scale=0.01)


def seen(code, image, **options):
    """What a program prints, as JSON."""
    result = execute(workflow(python(code)), image, **options)
    assert result.phase is Phase.SUCCEEDED, result.describe()
    return json.loads(result.root.log)


def waited_for(condition):
    """Poll until a condition holds."""
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def alive(marker):
    """The processes of this machine with these words on their command line."""
    found = []
    for each in Path("/proc").iterdir():
        try:
            if each.name.isdigit() and marker in (each / "cmdline").read_bytes().decode("utf-8", "replace"):
                found.append(each.name)
        except OSError:
            continue
    return found
