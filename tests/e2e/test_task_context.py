"""What a decorator may do with the attempt that it is around: publish, record, attach, redact, set variables, look at inputs and artifacts."""

from __future__ import annotations

import os
from pathlib import Path

from records import FLOW, flow_run, records, run

from headrace.project import open_project

PLUGIN = """
import os
from contextlib import contextmanager

from headrace_hookspecs import PluginError, step_decorator

watch = step_decorator("watch", "acme_watch:Watch")


class Watch:
    name = "watch"

    @contextmanager
    def around(self, task):
        task.redact("s3cret value")
        task.set_env("WATCHED", task.step.name)
        task.publish("watcher", "acme")
        task.record("seen", {"attempt": task.spec.attempt, "inputs": [view.pathspec.split("/", 2)[2] for view in task.inputs()]})
        task.attach("note", "first", b"early", {"n": 1})
        for taken in ("watcher", "run_id"):
            try:
                task.publish(taken, "other")
            except PluginError as error:
                print("refused", error.code)
        with open(os.path.join(task.tempdir, "scratch"), "w") as file:
            file.write("x")
        yield
        task.attach("note", "first", b"late " * 100_000, {"n": 2})
        task.record("number", task.artifact("number"))
        print("after: s3cret value")

    def after(self, task, outcome):
        print("outcome", outcome.status)
"""

FILE = """
import os
from acme_watch import watch
from headrace import FlowSpec, current, step


class Watched(FlowSpec):
    @step
    def start(self):
        self.next(self.a, self.b)

    @step
    def a(self):
        self.next(self.join)

    @step
    def b(self):
        self.next(self.join)

    @watch
    @step
    def join(self, inputs):
        self.number = 42
        self.folder = current.tempdir
        print("body", current.watcher, os.environ["WATCHED"], os.listdir(current.tempdir), "s3cret", "value")
        self.next(self.end)

    @step
    def end(self):
        print("unknown", current.get("watcher"), "WATCHED" in os.environ)
        assert not os.path.exists(self.folder)
"""


def test_a_decorator_works_with_the_attempt_through_its_context(tmp_path: Path) -> None:
    site, work = tmp_path / "site", tmp_path / "work"
    (site / "acme_watch-1.0.dist-info").mkdir(parents=True)
    (site / "acme_watch-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-watch\nVersion: 1.0\n")
    (site / "acme_watch-1.0.dist-info" / "entry_points.txt").write_text("[headrace.decorator]\nwatch = acme_watch:watch\n")
    (site / "acme_watch.py").write_text(PLUGIN)
    work.mkdir()
    (work / "watched.py").write_text(FILE)
    path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH", "")]))

    run_id, output = flow_run("watched.py", cwd=work, PYTHONPATH=path)
    assert "s3cret value" not in output
    log = run(FLOW, "logs", f"Watched/{run_id}/join", cwd=work, PYTHONPATH=path).stdout
    said = [line.partition("] ")[2] for line in log.splitlines()]
    taken = ["refused current-taken"] * 2
    assert said == [*taken, "body acme join ['scratch'] [REDACTED]", "after: [REDACTED]", "outcome succeeded"]
    assert "unknown None False" in run(FLOW, "logs", f"Watched/{run_id}/end", cwd=work, PYTHONPATH=path).stdout

    fields = records(work, "Watched", run_id)["commits"]["join", "0"]["fields"]
    assert fields == {"seen": {"attempt": 0, "inputs": ["a/0", "b/0"]}, "number": 42}
    project = open_project(str(work), flow="Watched")
    try:
        store = project.run_store("Watched", run_id)
        assert store.attachments("join", "0") == [(0, "note", "first")]
        data, meta = store.read_attachment("join", "0", 0, "note", "first")
        assert (data, meta) == (b"late " * 100_000, {"n": 2})
    finally:
        project.close()
