from __future__ import annotations

import random

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from simulation import Builder, Simulation

from headrace_hookspecs import Resources, RetryPolicy, StepNode, TaskSpec, Workload, grown


@given(st.integers(0, 5), st.floats(1.0, 4.0), st.integers(1, 10_000))
def test_only_the_resources_named_grow_and_never_shrink(failures: int, factor: float, memory: int) -> None:
    before = Resources(cpu=1.5, memory=memory, gpu=None)
    after = grown(before, RetryPolicy(9, growth={"memory": factor, "gpu": 2.0}), failures)
    assert after is not None
    assert (after.cpu, after.gpu, after.disk) == (1.5, None, None)
    assert after.memory is not None
    assert memory <= after.memory
    assert abs(after.memory - memory * factor**failures) <= 1


def test_the_launcher_is_asked_for_more_after_each_failure() -> None:
    graph = Builder(random.Random(0)).graph(0)
    policy = RetryPolicy(2, growth={"memory": 2.0})
    graph = evolve(graph, steps={n: evolve(s, retry=policy, resources=Resources(memory=100)) for n, s in graph.steps.items()})
    simulation = Simulation(graph, 1, faults=1.0)
    launched: list[tuple[int, int | None, object]] = []
    plain = simulation.launcher.launch

    def launch(specs: list[TaskSpec], steps: list[StepNode]) -> None:
        for spec, step in zip(specs, steps, strict=True):
            assert step.resources is not None
            launched.append((spec.attempt, step.resources.memory, step.workload and step.workload.body))
        plain(specs, steps)

    simulation.launcher.launch = launch  # type: ignore[method-assign,assignment]
    simulation.launcher.render = lambda step: Workload("sim", {"memory": step.resources.memory})  # type: ignore[attr-defined]
    assert simulation.run().state == "failed"
    assert launched == [(0, 100, None), (1, 200, {"memory": 200}), (2, 400, {"memory": 400})]
