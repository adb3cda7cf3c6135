"""A flow decorator of another distribution: its option, what it plans, and what it does around every step."""

from __future__ import annotations

import os
from pathlib import Path

from records import FLOW, run

PLUGIN = """
import os
from contextlib import contextmanager

from attrs import evolve, frozen

from headrace_hookspecs import Option, flow_decorator

region = flow_decorator("region", "acme_region:Region")


@frozen(kw_only=True)
class Config:
    default: str = "north"


class Region:
    name = "region"

    @staticmethod
    def config_class():
        return Config

    def __init__(self, config):
        self.config = config

    def options(self):
        return (Option("region", "str", self.config.default, "where the flow runs"),)

    def plan(self, graph, options, context):
        steps = {name: evolve(step, labels={**step.labels, "region": options["region"]}) for name, step in graph.steps.items()}
        return evolve(graph, steps=steps)

    @contextmanager
    def around(self, task):
        print("enter", task.step.labels["region"], task.step.name)
        yield
        print("leave", task.step.name)
"""

FILE = """
from acme_region import region
from headrace import FlowSpec, step


@region(default="south")
class Placed(FlowSpec):
    @step
    def start(self):
        print("body start")
        self.next(self.end)

    @step
    def end(self):
        print("body end")


if __name__ == "__main__":
    Placed()
"""


def test_a_flow_decorator_has_options_plans_and_wraps_every_step(tmp_path: Path) -> None:
    site, work = tmp_path / "site", tmp_path / "work"
    (site / "acme_region-1.0.dist-info").mkdir(parents=True)
    (site / "acme_region-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-region\nVersion: 1.0\n")
    (site / "acme_region-1.0.dist-info" / "entry_points.txt").write_text("[headrace.decorator]\nregion = acme_region:region\n")
    (site / "acme_region.py").write_text(PLUGIN)
    work.mkdir()
    (work / "placed.py").write_text(FILE)
    path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH", "")]))

    assert "--region" in run(FLOW, "run", "placed.py", "--help", cwd=work, PYTHONPATH=path).stdout
    for launcher in ("fork", "spawn", "inline"):
        given = [] if launcher == "fork" else ["--region", "east"]
        run(FLOW, "run", "placed.py", "-o", f"launcher.name={launcher}", *given, cwd=work, PYTHONPATH=path)
        where = "east" if given else "south"
        for step in ("start", "end"):
            lines = run(FLOW, "logs", f"Placed/latest/{step}", cwd=work, PYTHONPATH=path).stdout
            said = [line.partition("] ")[2] for line in lines.splitlines()]
            assert said == [f"enter {where} {step}", f"body {step}", f"leave {step}"]
