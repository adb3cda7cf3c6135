"""The class for orchestrators, and that for rendering, let a right one through and stop each of a number of wrong ones."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

ENGINE = """
import json
import os
import time

import attrs

from headrace_hookspecs import Capability, Compute, MissingCapabilityError


class PaperEngine:
    capabilities = frozenset({Capability.FOREACH, Capability.NESTED_FOREACH, Capability.ABSORB, Capability.HARD_TIMEOUT, Capability.RETRY_WAIT})
    formats = ("paper/Form",)
    default_compute = Compute("paper")

    def compile(self, deployment):
        graph = deployment.graph
        for found in (graph.schedule, graph.triggers, graph.exit_hooks, graph.notifications):
            if found:
                raise MissingCapabilityError("not on paper", remedy="Write less.")
        for step in graph.steps.values():
            self.check(step)
        return json.loads(json.dumps(attrs.asdict(deployment)))

    def check(self, step):
        policy = step.retry
        asked = (step.switch, step.gang, step.recursive, step.secrets, policy and (policy.jitter or policy.growth))
        if any(asked) or step.workload is None or step.workload.format not in self.formats:
            raise MissingCapabilityError(
                "not on paper", step=step.name, file=step.source.file, line=step.source.line, remedy="Write less."
            )

    def report(self, report):
        if report.step.kind == "foreach":
            os.makedirs(report.place)
            with open(os.path.join(report.place, "size"), "w") as stream:
                stream.write(str(report.outcome.size))
"""

ENGINE_SUITE = """
import pytest
from headrace_hookspecs import Workload
from headrace_testkit import OrchestratorContract
from engine import PaperEngine

class TestPaper(OrchestratorContract):
    capabilities = PaperEngine.capabilities
    meaningless = {}

    @pytest.fixture
    def make_engine(self):
        return PaperEngine

    def workload(self, step):
        return Workload("paper/Form", {"of": step.name})
"""

LAUNCHER = """
from headrace_hookspecs import Capability, MissingCapabilityError, Workload


class PaperLauncher:
    capabilities = frozenset({Capability.ENVIRONMENT, Capability.RESOURCES})
    echoes = False

    def render(self, step):
        if step.gang:
            raise MissingCapabilityError("one sheet only", step=step.name)
        asked = step.resources
        wanted = {} if asked is None else {name: getattr(asked, name) for name in ("cpu", "memory", "disk", "gpu", "shared_memory", "extended")}
        return Workload("paper/Form", {"env": dict(step.env), "wanted": wanted})
"""

LAUNCHER_SUITE = """
import pytest
from headrace_testkit import RenderContract
from launcher import PaperLauncher

class TestPaper(RenderContract):
    capabilities = PaperLauncher.capabilities

    @pytest.fixture
    def make_launcher(self):
        return PaperLauncher
"""


def run(pytester: pytest.Pytester, **files: str) -> dict[str, int]:
    pytester.makepyfile(**files)
    return pytester.runpytest_inprocess("-q", "-p", "no:cacheprovider").parseoutcomes()


def test_an_orchestrator_that_leaves_nothing_out_passes(pytester: pytest.Pytester) -> None:
    outcome = run(pytester, engine=ENGINE, test_engine=ENGINE_SUITE)
    assert set(outcome) == {"passed"}
    assert outcome["passed"] > 20


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("Capability.RETRY_WAIT})", "})"),
        ("frozenset({", "set({"),
        ('formats = ("paper/Form",)', "formats = ()"),
        ("return json.loads(json.dumps(attrs.asdict(deployment)))", "return attrs.asdict(deployment)"),
        ("attrs.asdict(deployment)", '{**attrs.asdict(deployment), "at": time.monotonic_ns()}'),
        ("attrs.asdict(deployment)", '{**attrs.asdict(deployment), "id": id(graph)}'),
        ("attrs.asdict(deployment)", '{**attrs.asdict(deployment), "here": os.getcwd()}'),
        ("attrs.asdict(deployment)", '{name: value for name, value in attrs.asdict(deployment).items() if name != "tags"}'),
        ("attrs.asdict(deployment)", '{name: value for name, value in attrs.asdict(deployment).items() if name != "exit"}'),
        ("attrs.asdict(deployment)", 'attrs.asdict(deployment, filter=lambda field, value: field.name != "grace")'),
        ("attrs.asdict(deployment)", 'attrs.asdict(deployment, filter=lambda field, value: field.name != "help")'),
        ("return json.loads(json.dumps(attrs.asdict(deployment)))", 'return {**json.loads(json.dumps(attrs.asdict(deployment))), "live": graph.steps["end"].workload.body}'),
        ("step.workload.format not in self.formats", "False"),
        ("step.switch, step.gang", "step.gang"),
        ("step.gang, ", ""),
        ("step.secrets, ", ""),
        ("policy.jitter or policy.growth", "policy.growth"),
        ("graph.schedule, ", ""),
        ("file=step.source.file, line=step.source.line, ", ""),
        (', remedy="Write less."\n            )', "\n            )"),
        ("os.path.join(report.place", "os.path.join(os.getcwd()"),
        ("os.path.join(report.place", "os.path.join(os.path.dirname(report.place)"),
    ],
    ids=lambda text: text[:60],
)  # fmt: skip
def test_an_orchestrator_with_one_mistake_does_not_pass(pytester: pytest.Pytester, right: str, wrong: str) -> None:
    assert right in ENGINE
    outcome = run(pytester, engine=ENGINE.replace(right, wrong), test_engine=ENGINE_SUITE)
    assert outcome.get("failed", 0) + outcome.get("errors", 0) > 0


def test_what_is_called_meaningless_has_to_be(pytester: pytest.Pytester) -> None:
    for claimed in ('"StepNode.doc": "nobody reads it"', '"StepNode.colour": "there is none"'):
        outcome = run(pytester, engine=ENGINE, test_engine=ENGINE_SUITE.replace("{}", f"{{{claimed}}}", 1))
        assert outcome["failed"] == 1


def test_a_launcher_that_renders_everything_passes(pytester: pytest.Pytester) -> None:
    assert set(run(pytester, launcher=LAUNCHER, test_launcher=LAUNCHER_SUITE)) == {"passed"}


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("if step.gang:", "if False:"),
        ("Capability.ENVIRONMENT, ", ""),
        ("dict(step.env)", "step.env"),
        ("dict(step.env)", "{}"),
        ('"env": dict(step.env)', '"env": dict(step.env), "of": object()'),
        ('"env": dict(step.env)', '"env": dict(step.env), "of": id(self)'),
        (', "extended")', ")"),
        ('"disk", ', ""),
        ("echoes = False", "echoes = None"),
        (", step=step.name)", ")"),
    ],
)
def test_a_launcher_with_one_mistake_does_not_pass(pytester: pytest.Pytester, right: str, wrong: str) -> None:
    assert right in LAUNCHER
    outcome = run(pytester, launcher=LAUNCHER.replace(right, wrong), test_launcher=LAUNCHER_SUITE)
    assert outcome.get("failed", 0) + outcome.get("errors", 0) > 0
