"""The test tiers: which suites each runs, how they are counted, and what fails a run."""
