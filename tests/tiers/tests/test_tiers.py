"""The runner against small trees of its own: what it counts, and what fails a run."""

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[2]

BUDGET = """
[tiers.small]
minutes = 1
hard_minutes = {hard_minutes}
markers = "not long"
examples = 5
seeds = 2
random = false
suites = ["one"]

[suites.one]
{suite}
"""


@pytest.fixture
def start(tmp_path):
    """Make a tree with one suite and start its tier."""

    def start(tests=None, suite='paths = ["suite"]', hard_minutes=5, **environment):
        (tmp_path / "tests").mkdir()
        (tmp_path / "tests" / "budget.toml").write_text(BUDGET.format(suite=suite, hard_minutes=hard_minutes))
        (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = long\n")
        if tests is not None:
            (tmp_path / "suite").mkdir()
            (tmp_path / "suite" / "test_it.py").write_text(tests)
        clean = {name: value for name, value in os.environ.items() if not name.startswith("HEADRACE_")}
        return subprocess.Popen(
            [sys.executable, "-m", "tiers", "small", "--root", str(tmp_path)],
            cwd=TESTS,
            env={**clean, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return start


@pytest.fixture
def run(start):
    """The same, to its end: (exit status, the lines it printed)."""

    def run(*arguments, **options):
        with start(*arguments, **options) as runner:
            lines = runner.stdout.read().splitlines()
        return runner.returncode, lines

    return run


def test_counts_what_passed_and_names_why_the_rest_was_skipped(run):
    status, lines = run(
        "import pytest\n"
        "def test_a(): pass\n"
        "def test_b(): pass\n"
        "def test_c(): pytest.skip('no moon')\n"
        "@pytest.mark.xfail(reason='later')\n"
        "def test_d(): assert False\n"
        "@pytest.mark.long\n"
        "def test_e(): assert False\n"
    )
    assert status == 0
    row = next(line for line in lines if line.startswith("one"))
    assert " ".join(row.split()) == "one 2 passed 0.0 min 1 skipped: expected failure: later; 1 skipped: no moon"
    assert lines[-1] == "2 passed, 0 failed, 2 skipped"


def test_a_failed_test_fails_the_run_and_shows_its_output(run):
    status, lines = run("def test_a(): pass\ndef test_b(): assert 'left' == 'right'\n")
    assert status == 1
    assert any("assert 'left' == 'right'" in line for line in lines)
    assert lines[-1] == "1 passed, 1 failed, 0 skipped"


def test_an_error_outside_the_test_is_a_failure(run):
    status, lines = run("import nowhere_to_be_found\ndef test_a(): pass\n")
    assert status == 1
    assert lines[-1] == "0 passed, 1 failed, 0 skipped"


def test_a_suite_without_tests_fails(run):
    status, lines = run("def helper(): pass\n")
    assert status == 1
    assert any("FAILED: ran no test" in line for line in lines)
    assert lines[-1] == "0 passed, 1 failed, 0 skipped"


def test_a_suite_whose_tests_are_all_skipped_fails(run):
    status, lines = run("import pytest\ndef test_a(): pytest.skip('no moon')\n")
    assert status == 1
    assert lines[-1] == "0 passed, 1 failed, 1 skipped"


def test_a_suite_that_outlives_the_tier_is_ended_with_all_its_children(run, tmp_path):
    lock = tmp_path / "held-by-the-child"
    child = f"import fcntl, time; f = open({str(lock)!r}, 'w'); fcntl.flock(f, fcntl.LOCK_EX); time.sleep(600)"
    status, lines = run(
        f"import subprocess, sys\ndef test_a():\n    subprocess.run([sys.executable, '-c', {child!r}])\n",
        hard_minutes=0.05,
    )
    assert status == 1
    assert any("FAILED: stopped, out of time" in line for line in lines)
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # waits until the child is gone


def test_a_runner_that_is_told_to_stop_ends_what_it_runs(start, tmp_path):
    pipe = tmp_path / "open-while-the-suite-lives"
    os.mkfifo(pipe)
    with start(f"import time\ndef test_a():\n    with open({str(pipe)!r}, 'w'):\n        time.sleep(600)\n") as runner:
        with pipe.open() as file:
            runner.terminate()
            assert file.read() == ""  # returns when the suite has let go of it
        assert runner.wait() == 128 + signal.SIGTERM


def test_a_skip_that_names_a_required_component_fails(run):
    tests = "import pytest\ndef test_a(): pass\ndef test_b(): pytest.skip('needs other-python: found none')\n"
    status, lines = run(tests, HEADRACE_REQUIRE="other-python")
    assert status == 1
    assert any("skipped, although it is required: needs other-python: found none" in line for line in lines)


def test_a_required_component_that_is_absent_fails_even_if_no_test_needs_it(run):
    status, lines = run("def test_a(): pass\n", HEADRACE_REQUIRE="git", PATH="")
    assert status == 1
    assert any("git is required, but no git on PATH" in line for line in lines)
    assert lines[-1] == "1 passed, 1 failed, 0 skipped"


def test_an_unknown_component_is_refused(run):
    status, lines = run("def test_a(): pass\n", HEADRACE_REQUIRE="moon")
    assert status == 2
    assert lines[-1].startswith("tiers: no component is called 'moon'; there are: git, ")


def test_each_command_counts_as_one_test(run):
    status, lines = run(suite='commands = [["true"], ["false"], ["true"]]')
    assert status == 1
    assert lines[-1] == "2 passed, 1 failed, 0 skipped"


@pytest.mark.parametrize(
    ("suite", "complaint"),
    [
        ('paths = ["gone"]', "[suites.one] names paths that are not there: gone"),
        ('path = ["suite"]', "[one] has unknown keys: path"),
        ("pythons = true", "[suites.one] needs either paths or commands"),
    ],
)
def test_a_wrong_budget_file_is_refused(run, suite, complaint):
    status, lines = run("def test_a(): pass\n", suite=suite)
    assert status == 2
    assert lines[-1].endswith(f"budget.toml: {complaint}")
