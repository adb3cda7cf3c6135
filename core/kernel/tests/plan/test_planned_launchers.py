from __future__ import annotations

from typing import Any

import attrs
import pytest
from decorating import NoteConfig, Writer, with_env
from planning import FLOW, Bench, Launcher, Provider

from headrace_hookspecs import (
    Capability,
    Compute,
    ConfigError,
    Diagnostic,
    FlowDefinitionError,
    MissingCapabilityError,
    PluginError,
    StepNode,
    Workload,
    hookimpl,
)

pytestmark = pytest.mark.usefixtures("decorators")


def compute_on(*names: str) -> Any:
    return staticmethod(
        lambda step, context: attrs.evolve(step, compute=Compute(names[0], {"size": 1})) if step.name in names[1:] else step
    )


def test_a_step_runs_where_its_compute_field_says(bench: Bench) -> None:
    Writer.act = compute_on("cluster", "start")
    provider = bench.add("headrace.launcher", "cluster", Provider(Launcher))
    given: dict[str, Any] = {"plain": (mine := Launcher())}
    plan = bench.plan(FLOW, "writer", launchers=given)
    assert dict(plan.launcher_of) == {"start": "cluster", "end": "plain"}
    assert plan.launchers is given
    assert given["plain"] is mine
    assert len(provider.seen) == 1
    [(config, context)] = provider.seen
    assert (config, context.project, context.flow) == (None, str(bench.folder), "Small")


def test_only_launchers_that_a_step_uses_are_made(bench: Bench) -> None:
    Writer.act = compute_on("cluster", "start", "end")
    bench.add("headrace.launcher", "cluster", Provider(Launcher))
    plan = bench.plan(FLOW, "writer")
    assert list(plan.launchers) == ["cluster"]
    assert bench.plugins["headrace.launcher", "plain"].seen == []


def test_an_unknown_launcher_is_an_error_with_the_nearest(bench: Bench) -> None:
    bench.options = ["launcher.name=plan"]
    with pytest.raises(PluginError) as caught:
        bench.plan()
    assert caught.value.code == "plugin-unknown"
    assert caught.value.remedy is not None
    assert caught.value.remedy.startswith("Did you mean 'plain'?")


def test_a_launchers_section_is_checked_when_it_is_used(bench: Bench) -> None:
    bench.add("headrace.launcher", "sized", Provider(Launcher, NoteConfig))
    bench.options += ["launcher.sized.txt=x"]
    bench.plan()
    bench.options += ["launcher.name=sized"]
    with pytest.raises(ConfigError) as caught:
        bench.plan()
    assert "launcher.sized.txt is unknown (-o launcher.sized.txt). Did you mean 'text'?" in caught.value.message


def test_a_chosen_launchers_hooks_take_part_in_the_check(bench: Bench) -> None:
    class Judging(Provider):
        @hookimpl
        def headrace_graph_check(self, request: Any) -> list[Diagnostic]:
            return [Diagnostic("info", request.target)]

    bench.add("headrace.launcher", "judging", Judging(Launcher))
    Writer.act = compute_on("judging", "start")
    assert bench.plan(FLOW, "writer").diagnostics == (Diagnostic("info", "plain"),)


GANG = """
    from decorators_of_the_test import *
    from headrace import FlowSpec, step

    class Small(FlowSpec):
        @step
        def start(self):
            self.next(self.train, num_parallel=2)

        @parallel
        @step
        def train(self):
            self.next(self.join)

        @step
        def join(self, inputs):
            self.next(self.end)

        @step
        def end(self):
            pass
"""


def test_all_that_the_launchers_cannot_do_is_one_error_with_lines(bench: Bench) -> None:
    Writer.act = staticmethod(with_env)
    with pytest.raises(MissingCapabilityError) as caught:
        bench.plan(GANG, "writer")
    error, file = caught.value, bench.folder / "flow.py"
    assert (error.code, error.where, error.step) == ("capability-missing", f"{file}:12", "train")
    assert error.message.splitlines() == [
        "The flow needs what its launchers cannot do:",
        "  - step train runs as several nodes at once (num_parallel), which needs the capability gang that the launcher 'plain' does not "
        f"have ({file}:12)",
        f"  - step end sets environment variables, which needs the capability environment that the launcher 'plain' does not have ({file}:20)",
    ]


def test_a_capable_launcher_takes_the_flow(bench: Bench) -> None:
    Writer.act = staticmethod(with_env)
    bench.add("headrace.launcher", "plain", Provider(lambda: Launcher(frozenset({Capability.GANG, Capability.ENVIRONMENT}))))
    assert bench.plan(GANG, "writer").graph.steps["train"].gang


def test_a_launcher_that_cannot_render_a_step_gets_the_place(bench: Bench) -> None:
    class Picky(Launcher):
        def render(self, step: StepNode) -> Workload:
            raise MissingCapabilityError("No disks here.")

    bench.add("headrace.launcher", "plain", Provider(Picky))
    with pytest.raises(MissingCapabilityError) as caught:
        bench.plan()
    assert (caught.value.message, caught.value.step, caught.value.line) == ("No disks here.", "start", 7)


@pytest.mark.parametrize(
    ("environment", "kind", "code"),
    [({"provider": "conda"}, MissingCapabilityError, "capability-missing"), ({"packages": []}, FlowDefinitionError, "environment-invalid")],
)
def test_an_environment_that_cannot_be_resolved_is_refused(bench: Bench, environment: Any, kind: type[Exception], code: str) -> None:
    Writer.act = staticmethod(lambda step, context: attrs.evolve(step, environment=environment))
    with pytest.raises(kind) as caught:
        bench.plan(FLOW, "writer")
    assert (caught.value.code, caught.value.step) == (code, "start")  # type: ignore[attr-defined]
