"""The tier a test runs in, seen from inside."""

import os
from pathlib import Path

import hypothesis
import pytest
from tiers import budget, components, results

ROOT = Path(__file__).parents[3]
TIER, _ = budget.load(ROOT).of(os.environ.get("HEADRACE_TIER", "check"))


def test_hypothesis_draws_as_many_examples_as_the_tier_says():
    current = hypothesis.settings()
    assert (current.max_examples, current.derandomize, current.deadline) == (TIER.examples, not TIER.random, None)


def test_seed_is_one_of_the_tiers_seeds(seed):
    assert seed in range(TIER.seeds)


@pytest.mark.needs("git")
def test_runs_only_where_what_it_needs_is_there():
    assert components.absence("git") is None


@pytest.mark.parametrize(
    ("reason", "forbidden"),
    [("needs git: none", True), ("no git here", True), ("digital", False), ("git-annex is absent", False)],
)
def test_a_component_is_recognised_as_a_word_of_its_own(reason, forbidden):
    assert results.forbidden_skips([reason], ["git"]) == ([reason] if forbidden else [])
