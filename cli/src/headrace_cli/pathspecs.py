"""What `Flow/run/step/task/artifact` means on the command line: `latest` runs, and the flow's name left out behind `python FILE`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click
from click.shell_completion import CompletionItem

from .session import CliSession

if TYPE_CHECKING:
    from headrace_client import Run

KINDS: Final = ("flow", "run", "step", "task", "artifact")


def resolve(session: CliSession, text: str | None, *, run: bool) -> tuple[str, ...]:
    """The parts of a pathspec. `latest` in the place of the run, or with `run` nothing there, is the flow's newest run.

    Raises NotFoundError, or UsageError for what is no pathspec.
    """
    from headrace_hookspecs.errors import NotFoundError, UsageError
    from headrace_hookspecs.ids import split_pathspec

    flow = None if session.flow is None else session.flow.cls.__name__
    words = [word for word in (text or "").strip("/").split("/") if word]
    if flow is not None and words[:1] != [flow]:
        words.insert(0, flow)
    if not words and run:
        raise UsageError("A pathspec is missing.", remedy="'flow list' lists the flows.", code="argument-missing")
    if words and (words[1:2] == ["latest"] or (run and len(words) == 1)):
        latest = session.project.latest_run(split_pathspec(words[0])[0])
        if latest is None:
            place = session.project.blobs.location
            raise NotFoundError(f"Flow {words[0]} has no run in {place}.", remedy="'flow list' lists the flows.", code="flow-not-found")
        words[1:2] = [latest]
    return split_pathspec("/".join(words), KINDS) if words else ()


def open_run(session: CliSession, parts: tuple[str, ...]) -> Run:
    """The run of a pathspec."""
    from headrace_client import Run

    return Run("/".join(parts[:2]), project=session.project)


def complete_pathspec(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The pathspecs that begin with what was typed, one part further. Silent about whatever is wrong."""
    from headrace_hookspecs.errors import HeadraceError

    session = ctx.find_object(CliSession) or CliSession()
    head, _, last = incomplete.rpartition("/")
    try:
        names = _below(session, [word for word in head.split("/") if word])
    except (HeadraceError, KeyError):
        return []
    prefix = f"{head}/" if head else ""
    return [CompletionItem(f"{prefix}{name}") for name in names if name.startswith(last)]


def _below(session: CliSession, words: list[str]) -> list[str]:
    from headrace_client import Flow, flows

    if not words:
        return [flow.id for flow in flows(session.project)]
    flow = Flow(words[0], project=session.project)
    if len(words) == 1:
        return ["latest", *(run.id for run in flow)]
    run = flow.latest_run if words[1] == "latest" else flow[words[1]]
    if run is None:
        return []
    if len(words) == 2:
        return [step.id for step in run.steps()]
    step = run[words[2]]
    return [task.id for task in step.tasks()] if len(words) == 3 else [artifact.id for artifact in step[words[3]]]
