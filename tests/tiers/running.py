"""Runs one suite as subprocesses and says what came of it. Knows no table and no budget but the time that is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

from . import pythons, results
from .budget import Suite, Tier
from .results import Result

_GRACE_SECONDS = 10
_NOTHING_COLLECTED = 5


def run_suite(root: Path, suite: Suite, tier: Tier, deadline: float) -> Iterator[Result]:
    """One result; for a suite over the other Pythons one for each of them. `deadline` is on the monotonic clock."""
    if suite.commands:
        yield _run_commands(root, suite, deadline)
    elif suite.pythons:
        yield from _run_pythons(root, suite, tier, deadline)
    else:
        yield _run_pytest(root, suite.name, sys.executable, suite.paths, tier, deadline)


def _run_commands(root: Path, suite: Suite, deadline: float) -> Result:
    """Each command counts as one test. Programs are those of this environment."""
    started = time.monotonic()
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    result = Result(suite.name)
    for command in suite.commands:
        status = _run(root, command, {**os.environ, "PATH": path}, deadline)
        if status is None:
            result = replace(result, problem=f"stopped, out of time: {' '.join(command)}")
            break
        result = replace(result, passed=result.passed + (status == 0), failed=result.failed + (status != 0))
    return replace(result, seconds=time.monotonic() - started)


def _run_pythons(root: Path, suite: Suite, tier: Tier, deadline: float) -> Iterator[Result]:
    found = pythons.others(f"{sys.version_info[0]}.{sys.version_info[1]}")
    if not found:
        yield Result(suite.name, skipped=("needs other-python: found none",))
    for version in found:
        python = root / ".venvs" / version / "bin" / "python"
        name = f"{suite.name} {version}"
        if python.exists():
            yield _run_pytest(root, name, str(python), suite.paths, tier, deadline, {"HEADRACE_OTHER_PYTHON": "1"})
        else:
            yield Result(name, problem=f"there is no {python}; .ci/bootstrap.py --others makes it")


def _run_pytest(
    root: Path, name: str, python: str, paths: Sequence[str], tier: Tier, deadline: float, more: Mapping[str, str] | None = None
) -> Result:
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="headrace-tier-") as scratch:
        report = Path(scratch, "report.xml")
        command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}"]
        command += [f"--basetemp={scratch}/tmp", "-m", tier.markers, *paths]
        status = _run(root, command, {**os.environ, **(more or {}), "HEADRACE_TIER": tier.name}, deadline)
        try:
            passed, failed, skipped = results.read_report(report)
        except (OSError, ElementTree.ParseError):
            passed, failed, skipped = 0, 0, ()
    problem = _problem(status, passed, failed)
    return Result(name, passed, failed, skipped, time.monotonic() - started, problem)


def _problem(status: int | None, passed: int, failed: int) -> str | None:
    if status is None:
        return "stopped, out of time"
    if status not in (0, 1, _NOTHING_COLLECTED) or (status == 1 and not failed):
        return f"pytest ended with status {status}"
    if passed + failed == 0:
        return "ran no test"
    return None


def _run(root: Path, command: Sequence[str], environment: Mapping[str, str], deadline: float) -> int | None:
    """The exit status, or None where time ran out. What it printed is shown only if it failed."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command, cwd=root, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        try:
            status: int | None = process.wait(max(1.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            status = None
        finally:
            _end_group(process)
        if status != 0:
            output.seek(0)
            print(output.read().decode(errors="replace"), flush=True)
    return status


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End whatever is left of the suite's process group, the suite itself included: politely, then not."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
        except ProcessLookupError:
            break
        if process.poll() is None:
            try:
                process.wait(_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                continue
    process.wait()
