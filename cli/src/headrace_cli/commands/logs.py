"""`flow logs`: what tasks printed, whole or as it comes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

import click

from .. import output
from ..options import project_options
from ..pathspecs import complete_pathspec, open_run, resolve
from ..session import CliSession

if TYPE_CHECKING:
    from headrace.store.logs import LogLine
    from headrace_client import Run

_PERIOD: Final = 0.5
"""Seconds between two looks at a log that is followed."""


class Choice(NamedTuple):
    """Which lines are wanted: of a step or task (None: all), an attempt (None: the one that counts), and of which streams."""

    step: str | None
    task: str | None
    attempt: int | None
    streams: frozenset[str]


@click.command("logs", short_help="Show what tasks printed.")
@click.argument("pathspec", required=False, shell_complete=complete_pathspec)
@click.option("-f", "--follow", is_flag=True, help="Go on until the run has ended. Lines come seconds after they were printed.")
@click.option("--stdout", "only_stdout", is_flag=True, help="Only standard output.")
@click.option("--stderr", "only_stderr", is_flag=True, help="Only standard error.")
@click.option("--attempt", metavar="N", type=click.IntRange(min=0), help="Attempt N, from 0. Default: the one that counts, or the last.")
@click.option("--timestamps", is_flag=True, help="Begin each line with its time.")
@output.json_option
@project_options
@click.pass_obj
def command(
    session: CliSession,
    pathspec: str | None,
    follow: bool,
    only_stdout: bool,
    only_stderr: bool,
    attempt: int | None,
    timestamps: bool,
    as_json: bool,
) -> None:
    """Print what a task printed, or all tasks of a step or run. Of several tasks, each line begins with its task's name.

    \b
    Examples:
      flow logs TrainFlow                   the latest run
      flow logs TrainFlow/latest/fit/3
      flow logs TrainFlow/latest/fit/3 --stderr --attempt 0
      flow logs TrainFlow -f                as it comes
    """
    parts = resolve(session, pathspec, run=True)
    run = open_run(session, parts)
    step, task = (*parts[2:4], None, None)[:2]
    if step is not None:
        run._child(step)  # raises NotFoundError
    wanted = {name for name, only in (("stdout", only_stdout), ("stderr", only_stderr)) if only}
    choice = Choice(step, task, attempt, frozenset(wanted))
    lines = _follow(run, choice) if follow else _finished(run, choice)
    if as_json and not follow:
        session.emit([_document(*each) for each in lines])
        return
    for each in lines:
        if as_json:
            output.emit_line(_document(*each))
        else:
            click.echo(_worded(*each, alone=task is not None, timestamps=timestamps))


Line = tuple[str, str, int, "LogLine"]
"""Step, task id, attempt and the line."""


def _finished(run: Run, choice: Choice) -> Iterator[Line]:
    from headrace_client import Task

    if choice.task is not None:
        tasks = [Task(f"{run.pathspec}/{choice.step}/{choice.task}", attempt=choice.attempt, reader=run.reader)]
    else:
        tasks = [task for step in run.steps() if choice.step in (None, step.id) for task in step.tasks()]
    for task in tasks:
        *_, step, id = task.path_components
        if choice.attempt is not None and task._attempt is None:
            if choice.attempt not in task._numbers():
                continue
            task = Task(task.pathspec, attempt=choice.attempt, reader=run.reader, known=True)
        number = task.attempt
        for line in task.loglines():
            if _wanted(line, choice):
                yield step, id, number, line


def _follow(run: Run, choice: Choice) -> Iterator[Line]:
    """Lines as their chunks appear in the datastore, of all attempts, until nothing can come any more."""
    seen: dict[tuple[str, str, int], int] = {}
    while True:
        # looked at before the logs are read: what is written until the end is then read in the last round
        running = run.state == "running"
        for step, task in run.reader.logged(choice.step):
            if choice.task not in (None, task):
                continue
            for number in run.reader.store.logged_attempts(step, task):
                if choice.attempt not in (None, number):
                    continue
                key = (step, task, number)
                for lines in run.reader.store.read_log_chunks(step, task, number, seen.get(key, 0)):
                    seen[key] = seen.get(key, 0) + 1
                    yield from ((step, task, number, line) for line in lines if _wanted(line, choice))
        if not running:
            break
        time.sleep(_PERIOD)
    if choice.task is not None and not seen:
        from headrace_client import Task

        Task(f"{run.pathspec}/{choice.step}/{choice.task}", reader=run.reader)  # raises NotFoundError


def _wanted(line: LogLine, choice: Choice) -> bool:
    return not choice.streams or line.stream in choice.streams


def _document(step: str, task: str, attempt: int, line: LogLine) -> dict[str, object]:
    return {"step": step, "task": task, "attempt": attempt, "time": line.time, "stream": line.stream, "text": line.text}


def _worded(step: str, task: str, attempt: int, line: LogLine, *, alone: bool, timestamps: bool) -> str:
    stamp = ""
    if timestamps:
        stamp = f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(line.time))}.{int(line.time % 1 * 1000):03d} "
    name = "" if alone else f"[{step}/{task}{f' attempt {attempt}' if attempt else ''}] "
    return f"{stamp}{name}{line.text}"
