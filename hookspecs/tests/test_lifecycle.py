from typing import get_args

import pytest

from headrace_hookspecs import Status
from headrace_hookspecs.lifecycle import ATTEMPT, RUN, TASK, AttemptState, RunState, TaskState, may_follow

TABLES = {"attempt": (ATTEMPT, AttemptState), "task": (TASK, TaskState), "run": (RUN, RunState)}


def reachable(table, start):
    found, todo = set(), [start]
    while todo:
        state = todo.pop()
        if state not in found:
            found.add(state)
            todo += table[state]
    return found


@pytest.mark.parametrize("name", TABLES)
def test_every_state_has_a_row_and_every_successor_is_a_state(name):
    table, states = TABLES[name]
    assert set(table) == set(get_args(states))
    assert {after for row in table.values() for after in row} <= set(table)


@pytest.mark.parametrize(("name", "first"), [("attempt", "launched"), ("task", "pending"), ("run", "created")])
def test_every_state_can_be_reached_and_has_a_way_to_an_end(name, first):
    table, _ = TABLES[name]
    ends = {state for state, row in table.items() if not row}
    assert reachable(table, first) == set(table)
    assert [state for state in table if not reachable(table, state) & ends] == []


@pytest.mark.parametrize(
    ("name", "ends"),
    [
        ("attempt", {"succeeded", "absorbed", "failed", "superseded"}),
        ("task", {"succeeded", "absorbed", "failed", "cancelled"}),
        ("run", {"succeeded"}),
    ],
)
def test_what_is_final(name, ends):
    assert {state for state, row in TABLES[name][0].items() if not row} == ends


def test_an_attempt_that_seemed_over_may_turn_out_to_have_committed_and_nothing_else():
    for state in ("lost", "timed_out", "cancelled"):
        assert ATTEMPT[state] == {"succeeded", "absorbed"}


def test_every_outcome_is_an_attempt_s_state():
    assert set(get_args(Status)) == set(ATTEMPT) - {"launched", "running"}


@pytest.mark.parametrize("name", TABLES)
def test_may_follow_reads_the_table(name):
    table, _ = TABLES[name]
    pairs = {(before, after) for before in table for after in table if may_follow(table, before, after)}
    assert pairs == {(before, after) for before, row in table.items() for after in row}
    assert not any(before == after for before, after in pairs)
