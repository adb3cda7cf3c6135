"""`python -m tiers NAME`: runs the suites of a test tier one by one and ends with a table and the counts."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from . import budget, components, results, running
from .budget import Suite, Tier
from .results import Result


def main(arguments: Sequence[str] | None = None) -> int:
    """0 if nothing failed, 1 if something did, 2 if the budget file is wrong."""
    parser = argparse.ArgumentParser(prog="tiers", description=__doc__)
    parser.add_argument("tier", help="a tier of tests/budget.toml")
    parser.add_argument("--suite", action="append", help="run this suite of the tier alone (may be repeated)")
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[2], help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    try:
        tier, suites = budget.load(options.root).of(options.tier)
        if options.suite:
            suites = [suite for suite in suites if suite.name in options.suite]
        required = {name: components.absence(name) for name in components.required()}
    except (budget.BudgetError, LookupError) as error:
        print(f"tiers: {error.args[0]}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that a suite that runs is ended too
    return 0 if run_tier(options.root, tier, suites, required) else 1


def run_tier(root: Path, tier: Tier, suites: Sequence[Suite], required: dict[str, str | None]) -> bool:
    """Run, print as each suite finishes, then the table. `required`: component to why it is absent, or None."""
    started = time.monotonic()
    done = [Result("requirements", problem=f"{name} is required, but {reason}") for name, reason in required.items() if reason is not None]
    for suite in suites:
        for result in running.run_suite(root, suite, tier, started + tier.hard_minutes * 60):
            forbidden = results.forbidden_skips(result.skipped, required)
            done.append(_with_problem(result, forbidden))
            print(results.line(done[-1]), flush=True)
    minutes = (time.monotonic() - started) / 60
    print(f"\n{tier.name}: {minutes:.1f} of {tier.minutes:g} minutes")
    if minutes > tier.minutes:
        print(f"over its budget; it fails after {tier.hard_minutes:g} minutes")
    if minutes > tier.hard_minutes:
        done.append(Result("budget", problem=f"took {minutes:.1f} minutes, at most {tier.hard_minutes:g} are allowed"))
    print("\n".join(results.line(result) for result in done))
    print(results.closing(done), flush=True)
    return all(result.ok for result in done)


def _with_problem(result: Result, forbidden: Sequence[str]) -> Result:
    if not forbidden or result.problem:
        return result
    problem = f"skipped, although it is required: {'; '.join(forbidden)}"
    return Result(result.name, result.passed, result.failed, result.skipped, result.seconds, problem)


if __name__ == "__main__":
    sys.exit(main())
