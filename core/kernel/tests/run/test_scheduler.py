from __future__ import annotations

import random

import pytest
from attrs import evolve
from simulation import Builder, Program, Simulation, reference, with_policies

from headrace.run.resume import reusable
from headrace_hookspecs import RetryPolicy, Timeout

SEEDS = range(40)


def graph_of(seed: int, depth: int = 3):  # type: ignore[no-untyped-def]
    return Builder(random.Random(seed)).graph(depth)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_task_of_the_flow_runs_once_and_no_other(seed: int) -> None:
    graph = graph_of(seed)
    simulation = Simulation(graph, seed)
    assert simulation.run().state == "succeeded"
    assert dict(simulation.launcher.executed) == dict.fromkeys(reference(graph, Program(graph, 7)), 1)
    assert simulation.launcher.most <= simulation.workers
    assert simulation.scheduler.state._joins == {}
    assert simulation.scheduler.state._sizes == {}


@pytest.mark.parametrize("seed", SEEDS)
def test_faults_never_run_a_committed_task_again_nor_leave_one_behind(seed: int) -> None:
    graph = with_policies(graph_of(seed), random.Random(seed))
    simulation = Simulation(graph, seed, faults=0.25)
    end = simulation.run()
    expected = reference(graph, Program(graph, 7))
    assert not simulation.launcher.alive
    assert set(simulation.store.commits) <= expected
    assert set(simulation.launcher.executed.values()) <= {1}
    assert end.state in ("succeeded", "failed")
    if end.state == "succeeded":
        assert set(simulation.store.commits) == expected
    else:
        assert end.key is not None
        assert end.failure is not None


@pytest.mark.parametrize("seed", SEEDS)
def test_resuming_until_it_works_ends_like_an_undisturbed_run(seed: int) -> None:
    graph = graph_of(seed)
    expected = reference(graph, Program(graph, 7))
    done = {}
    for round_ in range(200):
        simulation = Simulation(graph, seed * 1000 + round_, faults=0.1, reused=done)
        end = simulation.run()
        # nothing that an earlier round had committed was executed again
        assert not set(done) & set(simulation.launcher.executed)
        done.update({key: commit.outcome for key, commit in simulation.store.commits.items()})
        if end.state == "succeeded":
            break
        # resuming computes the same set from the commits that are there
        found = reusable(graph, graph, done, lambda keys: [done[key] for key in keys], set())
        assert {(step, task) for step, tasks in found.tasks.items() for task in tasks} == set(done)
    assert end.state == "succeeded"
    assert set(done) == expected


def test_a_foreach_starts_in_index_order() -> None:
    for seed in range(60):
        graph = graph_of(seed, 1)
        simulation = Simulation(graph, seed, workers=1)
        simulation.run()
        by_step: dict[str, list[list[int]]] = {}
        for step, task in simulation.launcher.order:
            if "-" not in task:
                by_step.setdefault(step, []).append([int(part) for part in task.split(".")])
        assert all(ids == sorted(ids) for ids in by_step.values())


def test_the_wait_between_attempts_is_kept() -> None:
    graph = graph_of(0, 0)
    graph = evolve(graph, steps={n: evolve(s, retry=RetryPolicy(2, wait=100.0, backoff=3.0)) for n, s in graph.steps.items()})
    simulation = Simulation(graph, 1, faults=1.0)
    end = simulation.run()
    assert end.state == "failed"
    starts = [event.time for event in simulation.events if event.kind == "attempt-started"]
    ends = [event.time for event in simulation.events if event.kind == "attempt-ended"]
    assert [round(start - before, 6) for before, start in zip(ends, starts[1:], strict=False)] == [100.0, 300.0]


def test_a_task_that_ignores_its_timeout_is_killed_after_the_grace_time() -> None:
    graph = graph_of(0, 0)
    graph = evolve(graph, steps={n: evolve(s, timeout=Timeout(0.05, 0.04)) for n, s in graph.steps.items()})
    end = Simulation(graph, 3).run()
    assert end.state == "failed"
    assert end.failure is not None
    assert end.failure.kind == "timeout"


def test_a_changed_step_and_what_follows_it_is_not_reused() -> None:
    graph = graph_of(4)
    first = Simulation(graph, 4)
    first.run()
    done = {key: commit.outcome for key, commit in first.store.commits.items()}
    for name in graph.steps:
        found = reusable(graph, graph, done, lambda keys: [done[key] for key in keys], {name})
        assert name not in found.tasks
        assert all(tasks for tasks in found.tasks.values())
