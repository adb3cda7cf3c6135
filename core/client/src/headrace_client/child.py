"""The process that a Runner starts: one request on standard input, the run, one answer in a file. Prints what tasks print."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headrace_hookspecs import Event


def main() -> int:
    """Exit status 0 if the run succeeded, else 1."""
    request = json.load(sys.stdin.buffer)
    answer = _carry_out(request)
    with open(request["answer"], "w", encoding="utf-8") as file:
        json.dump(answer, file)
    return 0 if answer.get("state") == "succeeded" else 1


def _carry_out(request: dict[str, Any]) -> dict[str, Any]:
    import os

    from headrace import api
    from headrace.dsl.load import load_flow
    from headrace.project import open_project
    from headrace_hookspecs.errors import HeadraceError

    from .runner import Answer

    try:
        loaded = load_flow(request["flow_file"], module=request["module"])
        start = request["directory"] or os.path.dirname(loaded.file)
        project = open_project(start, options=request["options"], profile=request["profile"], flow=loaded.cls.__name__)
        try:
            action = api.resume if request["command"] == "resume" else api.run
            result = action(loaded, project, listener=_show, **request["settings"])
        finally:
            project.close()
    except HeadraceError as error:
        kinds = (cls.__name__ for cls in type(error).__mro__ if cls.__module__ == HeadraceError.__module__)
        return {"error": Answer(next(kinds), error.message, error.code, error.remedy, error.file, error.line, error.step)}
    return {**{name: getattr(result, name) for name in ("flow", "run", "state", "failed_task")}, "project": project.config.project}


def _show(event: Event) -> None:
    if event.kind == "log-line":
        stream = sys.stdout if event.data["stream"] == "stdout" else sys.stderr
        stream.buffer.write(str(event.data["text"]).encode("utf-8", "surrogateescape") + b"\n")
        stream.buffer.flush()


if __name__ == "__main__":
    sys.exit(main())
