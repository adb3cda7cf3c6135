"""`flow list`: what has run, from the index of facts. Opens no artifact."""

from __future__ import annotations

import time
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import click

from .. import output
from ..options import project_options
from ..pathspecs import complete_pathspec, open_run, resolve
from ..session import CliSession

if TYPE_CHECKING:
    from headrace_client import Run

_RUNS: Final = 20

Rows = list[dict[str, Any]]


@click.command("list", short_help="List flows, runs, or the tasks of a run.")
@click.argument("pathspec", required=False, shell_complete=complete_pathspec)
@click.option("--tag", "tags", metavar="TAG", multiple=True, help="Only runs with this tag. May be repeated.")
@click.option("--state", metavar="STATE", help="Only runs or tasks in this state, such as running, succeeded, failed.")
@click.option("--limit", metavar="N", type=click.IntRange(min=1), help=f"At most N lines. Default: {_RUNS} runs, all of everything else.")
@output.json_option
@project_options
@click.pass_obj
def command(session: CliSession, pathspec: str | None, tags: tuple[str, ...], state: str | None, limit: int | None, as_json: bool) -> None:
    """List all flows; the runs of a flow, newest first; the tasks of a run or step; or the artifacts of a task.

    \b
    Examples:
      flow list
      flow list TrainFlow --state failed
      flow list TrainFlow --tag nightly --json
      flow list TrainFlow/latest
      flow list TrainFlow/latest/fit
      flow list TrainFlow/latest/fit/3
    """
    parts = resolve(session, pathspec, run=False)
    if not parts:
        kind, rows = "flows", _flows(session)
    elif len(parts) == 1:
        kind, rows = "runs", _runs(session, parts[0], tags, state, (limit or _RUNS) + 1)
    elif len(parts) <= 3:
        kind, rows = "tasks", _tasks(open_run(session, parts), parts[2] if len(parts) == 3 else None, state)
    else:
        kind, rows = "artifacts", _artifacts(session, parts)
    most = limit or (_RUNS if kind == "runs" else len(rows))
    more, rows = len(rows) > most, rows[:most]
    if as_json:
        session.emit({kind: rows})
    elif rows:
        session.echo(_table(kind, rows))
    if more:
        session.talk("There are more; see them with --limit N.")
    elif not rows:
        session.talk(f"No {kind} here. Data is looked for in {session.project.blobs.location}")


def _flows(session: CliSession) -> Rows:
    from headrace_client import flows

    rows: Rows = []
    for flow in flows(session.project):
        runs = list(flow)
        rows.append({"flow": flow.id, "runs": len(runs), **{f"latest_{key}": value for key, value in _run(runs[0]).items()}})
    return rows


def _runs(session: CliSession, name: str, tags: tuple[str, ...], state: str | None, most: int) -> Rows:
    from headrace_client import Flow

    chosen = (_run(run) for run in Flow(name, project=session.project).runs(*tags) if state in (None, run.state))
    return list(islice(chosen, most))


def _run(run: Run) -> dict[str, Any]:
    finished = run.finished_at
    created = run.fact.time
    return {
        "run": run.id,
        "state": run.state,
        "created": created,
        "seconds": (finished.timestamp() if finished else time.time()) - created if run.state != "lost" else None,
        "user": run.fact.data.get("user"),
        "tags": sorted(run.user_tags),
        "origin": run.fact.data.get("origin"),
    }


def _tasks(run: Run, step: str | None, state: str | None) -> Rows:
    """One row a task, in the order of the graph. A task of a running run that has not ended is known by its log."""
    from headrace_client.reading import by_index

    reader = run.reader
    if step is not None:
        run._child(step)  # raises NotFoundError
    known = {**{key: [] for key in reader.logged(step)}, **reader.tasks(step)}
    place = {name: number for number, name in enumerate(run.graph.order)}
    unfinished = "running" if run.state == "running" else "lost"
    rows: Rows = []
    for (name, task), facts in known.items():
        last = facts[-1] if facts else None
        committed = last is not None and last.kind == "commit"
        rows.append(
            {
                "step": name,
                "task": task,
                "state": last.data["status"] if last is not None and (committed or unfinished == "lost") else unfinished,
                "attempts": max((int(fact.data.get("attempt", 0)) + 1 for fact in facts), default=1),
                "started": facts[0].data.get("started") if facts else None,
                "seconds": last.data["ended"] - last.data["started"] if last is not None and "started" in last.data else None,
                "reused": bool(last is not None and last.run != run.id),
            }
        )
    rows.sort(key=lambda row: (place.get(row["step"], len(place)), by_index(row["task"])))
    return [row for row in rows if state in (None, row["state"])]


def _artifacts(session: CliSession, parts: tuple[str, ...]) -> Rows:
    from headrace_client import Task

    task = Task("/".join(parts[:4]), project=session.project)
    names = parts[4:] or tuple(task.artifacts())
    found = [task._child(name) for name in names]
    return [{"artifact": each.id, "type": each.type, "size": each.size, "serializer": each.serializer} for each in found]


def _table(kind: str, rows: Rows) -> str:
    if kind == "flows":
        cells = [[row["flow"], str(row["runs"]), row["latest_run"], row["latest_state"], _ago(row["latest_created"])] for row in rows]
        return output.table(cells, ["FLOW", "RUNS", "LATEST", "STATE", "STARTED"])
    if kind == "runs":
        cells = [[row["run"], row["state"], _ago(row["created"]), _lasting(row["seconds"]), ", ".join(row["tags"])] for row in rows]
        return output.table(cells, ["RUN", "STATE", "STARTED", "TOOK", "TAGS"])
    if kind == "tasks":
        states = [f"{row['state']}{' (reused)' if row['reused'] else ''}" for row in rows]
        cells = [
            [row["step"], row["task"], state, str(row["attempts"]), _lasting(row["seconds"])]
            for row, state in zip(rows, states, strict=True)
        ]
        return output.table(cells, ["STEP", "TASK", "STATE", "ATTEMPTS", "TOOK"])
    cells = [[row["artifact"], row["type"], output.size(row["size"]), row["serializer"]] for row in rows]
    return output.table(cells, ["ARTIFACT", "TYPE", "SIZE", "SERIALIZER"])


def _ago(moment: float) -> str:
    return f"{output.age(time.time() - moment)} ago"


def _lasting(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds:.1f}s" if seconds < 10 else output.age(seconds)
