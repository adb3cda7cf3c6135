"""`flow dump`: the artifacts of tasks. Values that only unpickling could show are described, unless `--load` asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from .. import output
from ..options import project_options
from ..pathspecs import complete_pathspec, open_run, resolve
from ..session import CliSession

if TYPE_CHECKING:
    from headrace_client import Artifact, Task

_SAFE: Final = "serializers.allow_pickle=false"
_HIDDEN: Final = ("serializer-refused", "serializer-missing", "artifact-not-loadable")
"""The codes of errors that leave a value unknown and everything else as it is."""


@click.command("dump", short_help="Show the artifacts of tasks.")
@click.argument("pathspec", required=False, shell_complete=complete_pathspec)
@click.option("--name", "names", metavar="NAME", multiple=True, help="Only this artifact. May be repeated.")
@click.option("--private", is_flag=True, help="Also artifacts whose name begins with an underscore.")
@click.option("--attempt", metavar="N", type=click.IntRange(min=0), help="Attempt N, from 0. Default: the one that counts, or the last.")
@click.option(
    "--max-value-size",
    metavar="BYTES",
    type=click.IntRange(min=0),
    default=1000,
    show_default=True,
    help="Show no value that is larger; 0 shows names, types and sizes only.",
)
@click.option("--load", is_flag=True, help="Also unpickle values. That can run code of whoever wrote them.")
@click.option(
    "--to", "file", metavar="FILE", type=click.Path(dir_okay=False), help="Load all values and pickle them: {pathspec: {name: value}}."
)
@output.json_option
@project_options
@click.pass_obj
def command(
    session: CliSession,
    pathspec: str | None,
    names: tuple[str, ...],
    private: bool,
    attempt: int | None,
    max_value_size: int,
    load: bool,
    file: str | None,
    as_json: bool,
) -> None:
    """Print the artifacts of a task, of all tasks of a step, or of the last task of a run.

    \b
    Examples:
      flow dump TrainFlow                        the last task of the latest run
      flow dump TrainFlow/latest/fit/3
      flow dump TrainFlow/latest/fit/3/score
      flow dump TrainFlow/latest/fit --name score --json
      flow dump TrainFlow/latest/fit/3 --load --max-value-size 100000
    """
    if not load and file is None:
        session.options += (_SAFE,)
    tasks, wanted = _chosen(session, pathspec, attempt)
    wanted = (*wanted, *names)
    found = {task.pathspec: _artifacts(task, wanted, private) for task in tasks}
    if wanted and not any(found.values()):
        from headrace_hookspecs.errors import NotFoundError

        raise NotFoundError(f"No artifact {' or '.join(map(repr, wanted))} in {', '.join(found)}.", code="artifact-not-found")
    for path, artifacts in found.items():
        if not artifacts:
            session.talk(f"{path} kept no artifacts.")
    if file is not None:
        _write(file, {path: {each.id: each.data for each in artifacts} for path, artifacts in found.items()})
    elif as_json:
        session.emit({path: {each.id: _document(each, max_value_size) for each in artifacts} for path, artifacts in found.items()})
    else:
        for path, artifacts in found.items():
            if len(found) > 1:
                session.echo(path)
            for each in artifacts:
                session.echo(_line(each, max_value_size))


def _chosen(session: CliSession, pathspec: str | None, attempt: int | None) -> tuple[list[Task], tuple[str, ...]]:
    """The tasks that the pathspec means, and the artifact if it names one."""
    from headrace_client import Task
    from headrace_hookspecs.errors import NotFoundError

    parts = resolve(session, pathspec, run=True)
    run = open_run(session, parts)
    if len(parts) >= 4:
        return [Task("/".join(parts[:4]), attempt=attempt, reader=run.reader)], parts[4:]
    if len(parts) == 3:
        tasks = run._child(parts[2]).tasks()
        if not tasks:
            raise NotFoundError(f"Step {parts[2]} has no tasks in run {run.pathspec}.", code="task-not-found")
        return [Task(task.pathspec, attempt=attempt, reader=run.reader) for task in tasks], ()
    last = run.end_task
    if last is None:
        remedy = f"Name a step or task; 'flow list {run.pathspec}' lists them."
        raise NotFoundError(f"Run {run.pathspec} has not reached its last step.", remedy=remedy, code="task-not-found")
    return [last], ()


def _artifacts(task: Task, names: tuple[str, ...], private: bool) -> list[Artifact]:
    known = sorted(task.names())
    return [task._child(name) for name in known if (name in names if names else private or not name.startswith("_"))]


def _value(artifact: Artifact, limit: int) -> tuple[bool, Any, str]:
    """Whether the value is known, the value, and why it is not."""
    from headrace_hookspecs.errors import SerializationError

    if limit == 0:
        return False, None, ""
    if artifact.size > limit:
        return False, None, "< artifact too large >"
    try:
        return True, artifact.data, ""
    except SerializationError as error:
        if error.code not in _HIDDEN:
            raise
        reasons = {"serializer-refused": f"< stored by {artifact.serializer}; --load shows it >"}
        return False, None, reasons.get(error.code, f"< {error.message} >")


def _line(artifact: Artifact, limit: int) -> str:
    known, value, why = _value(artifact, limit)
    shown = repr(value) if known else why
    return f"{artifact.id} [size: {artifact.size} type: {artifact.type}]{f' = {shown}' if shown else ''}"


def _document(artifact: Artifact, limit: int) -> dict[str, Any]:
    import json

    known, value, _ = _value(artifact, limit)
    document: dict[str, Any] = {"type": artifact.type, "size": artifact.size, "serializer": artifact.serializer}
    if known:
        document["repr"] = repr(value)
        try:
            if json.loads(json.dumps(value)) == value:
                document["value"] = value
        except (TypeError, ValueError):
            pass
    return document


def _write(file: str, data: dict[str, dict[str, Any]]) -> None:
    import pickle

    from headrace_hookspecs.errors import UsageError

    try:
        with open(file, "wb") as stream:
            pickle.dump(data, stream)
    except OSError as error:
        raise UsageError(f"The values cannot be written: {error.strerror}.", file=file, code="file-unwritable") from error
