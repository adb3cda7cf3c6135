"""Runs a flow in a process of its own and hands back what it kept. The flow file is never imported into the calling process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple

from headrace_hookspecs import errors

from .base import project as open_project

if TYPE_CHECKING:
    from os import PathLike

    from .runs import Run

_GRACE: Final = 10.0
"""Seconds that the child has to end its tasks when the caller gives up."""


class Runner:
    """Runs one flow: `Runner("train.py").run(alpha=0.5)`.

    `flow_file` is `FILE` or `FILE:Class`, with `module` a module's name. `options` are `KEY=VALUE` as for `flow -o`; `directory` is the
    folder whose project is used (default: that of the flow file); `env` is added to the environment and `cwd` is the working directory of
    the run. With `show_output` what tasks print is printed here too.
    """

    def __init__(
        self,
        flow_file: str | PathLike[str],
        *,
        module: bool = False,
        show_output: bool = True,
        options: Sequence[str] = (),
        profile: str | None = None,
        directory: str | PathLike[str] | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | PathLike[str] | None = None,
    ) -> None:
        text = os.fspath(flow_file)
        self.flow_file = text if module else os.path.abspath(text)
        self.module = module
        self.show_output = show_output
        self.options = list(options)
        self.profile = profile
        self.directory = None if directory is None else os.path.abspath(directory)
        self.env = dict(env or {})
        self.cwd = None if cwd is None else os.fspath(cwd)

    def run(
        self,
        *,
        tags: Sequence[str] = (),
        decospecs: Sequence[str] = (),
        max_workers: int | None = None,
        max_num_splits: int | None = None,
        **parameters: Any,
    ) -> ExecutingRun:
        """Run the flow to its end. Parameters by name or attribute.

        A run that was not started (an unknown parameter, an invalid graph) is raised as the HeadraceError that it is; a run that fails is a
        result.
        """
        settings = _settings(tags, decospecs, max_workers, max_num_splits)
        return self._execute({"command": "run", "settings": {**settings, "parameters": parameters}})

    def resume(
        self,
        *,
        step_to_rerun: str | None = None,
        origin_run_id: str | None = None,
        tags: Sequence[str] = (),
        decospecs: Sequence[str] = (),
        max_workers: int | None = None,
        max_num_splits: int | None = None,
    ) -> ExecutingRun:
        """A new run that takes over the finished tasks of an earlier one (default: the latest), but for a step and what follows it."""
        settings = _settings(tags, decospecs, max_workers, max_num_splits)
        return self._execute({"command": "resume", "settings": {**settings, "step": step_to_rerun, "origin": origin_run_id}})

    def _execute(self, request: dict[str, Any]) -> ExecutingRun:
        names = ("flow_file", "module", "options", "profile", "directory")
        with tempfile.TemporaryDirectory(prefix="headrace-runner-") as folder:
            answer = os.path.join(folder, "answer.json")
            request |= {"answer": answer, **{name: getattr(self, name) for name in names}}
            code, stdout, stderr = self._spawn(json.dumps(request).encode())
            try:
                with open(answer, encoding="utf-8") as file:
                    result: dict[str, Any] = json.load(file)
            except FileNotFoundError:
                raise errors.HeadraceError(
                    f"The process of the run ended with status {code} and said nothing.\n{stderr}".rstrip(), code="runner-died"
                ) from None
        if "error" in result:
            raise _revived(result["error"])
        return ExecutingRun(self, result, code, stdout, stderr)

    def _spawn(self, request: bytes) -> tuple[int, str, str]:
        child = subprocess.Popen(
            [sys.executable, "-m", "headrace_client.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **self.env},
            cwd=self.cwd,
        )
        streams = [
            _Tee(child.stdout, sys.stdout if self.show_output else None),
            _Tee(child.stderr, sys.stderr if self.show_output else None),
        ]
        try:
            if child.stdin is not None:
                child.stdin.write(request)
                child.stdin.close()
            code = child.wait()
        except BaseException:
            child.terminate()
            try:
                child.wait(_GRACE)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            raise
        finally:
            texts = [stream.finish() for stream in streams]
        return code, texts[0], texts[1]


class ExecutingRun:
    """A run that a Runner has started, and which is over.

    `stdout` and `stderr` are what its tasks printed, `returncode` is 0 or 1; `failed_task` is the pathspec of the task that made it fail.
    """

    def __init__(self, runner: Runner, result: Mapping[str, Any], returncode: int, stdout: str, stderr: str) -> None:
        self.runner = runner
        self.returncode = returncode
        self.stdout = stdout
        self.stderr = stderr
        self.state = str(result["state"])
        self.failed_task: str | None = result["failed_task"]
        self._project = str(result["project"])
        self._pathspec = f"{result['flow']}/{result['run']}"

    @property
    def status(self) -> str:
        """`successful` or `failed`."""
        return "successful" if self.state == "succeeded" else "failed"

    @cached_property
    def run(self) -> Run:
        """What the run kept."""
        from .runs import Run

        return Run(self._pathspec, project=open_project(self._project, options=self.runner.options, profile=self.runner.profile))

    def close(self) -> None:
        """Let go of the project that `run` is read from; nothing can be read through it afterwards."""
        if "run" in self.__dict__:
            self.run.project.close()

    def __enter__(self) -> ExecutingRun:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"ExecutingRun({self._pathspec!r}, status={self.status!r})"


class _Tee:
    """Reads a pipe to its end on a thread of its own, and shows what comes."""

    def __init__(self, source: IO[bytes] | None, echo: IO[str] | None) -> None:
        self._source = source
        self._echo = echo
        self._pieces: list[str] = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        for line in self._source or ():
            text = line.decode("utf-8", "backslashreplace")
            self._pieces.append(text)
            if self._echo is not None:
                self._echo.write(text)
                self._echo.flush()

    def finish(self) -> str:
        """All that was read; waits for the end of the pipe."""
        self._thread.join()
        if self._source is not None:
            self._source.close()
        return "".join(self._pieces)


class Answer(NamedTuple):
    """What the child writes about an error that kept the run from starting; the inverse is `_revived`."""

    kind: str
    message: str
    code: str
    remedy: str | None
    file: str | None
    line: int | None
    step: str | None


def _settings(tags: Sequence[str], decospecs: Sequence[str], max_workers: int | None, max_num_splits: int | None) -> dict[str, Any]:
    for name, value in (("tags", tags), ("decospecs", decospecs)):
        if isinstance(value, str):
            raise errors.UsageError(f"{name} has to be a list, not {value!r}.", code="runner-argument")
    return {"tags": list(tags), "with_specs": list(decospecs), "max_workers": max_workers, "max_num_splits": max_num_splits}


def _revived(data: Sequence[Any]) -> errors.HeadraceError:
    answer = Answer(*data)
    kind = getattr(errors, answer.kind, errors.HeadraceError)
    error: errors.HeadraceError = kind(
        answer.message, code=answer.code, remedy=answer.remedy, file=answer.file, line=answer.line, step=answer.step
    )
    return error
