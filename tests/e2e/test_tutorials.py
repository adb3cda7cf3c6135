"""The tutorials do what their pages say: each is run as a reader runs it, in a folder of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

TUTORIALS = Path(__file__).parents[2] / "docs" / "tutorials"
FLOW = Path(sys.executable).with_name("flow")
ENVIRON = {**os.environ, "PYTHONIOENCODING": "utf-8"}


def command(folder: Path, *words: str | Path, status: int = 0) -> str:
    """What a command prints on standard output."""
    done = subprocess.run(words, cwd=folder, capture_output=True, encoding="utf-8", env=ENVIRON, timeout=120)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def printed(output: str, task: str) -> list[str]:
    """The lines that a task printed, out of the console lines of a run."""
    return re.findall(rf"^[-0-9]+ [:.0-9]+ \[[^/\]]+/{task} \(pid \d+\)\] (?!Task is|Task finished)(.*)$", output, re.MULTILINE)


def copy(folder: Path, name: str) -> Path:
    shutil.copytree(TUTORIALS / name, folder / name, ignore=shutil.ignore_patterns(".headrace", "__pycache__"))
    return folder / name


def dumped(folder: Path, pathspec: str) -> dict[str, object]:
    """The values of the one task at `pathspec` that JSON can write."""
    ((_, artifacts),) = json.loads(command(folder, FLOW, "dump", pathspec, "--json")).items()
    return {name: each["value"] for name, each in artifacts.items() if "value" in each}


def test_hello_prints_in_one_step_what_it_kept_in_the_other(tmp_path: Path) -> None:
    folder = copy(tmp_path, "00-hello")

    for start in ([FLOW, "run", "hello.py"], [sys.executable, "hello.py", "run"]):
        output = command(folder, *start)
        assert printed(output, "end/0") == ["Hello, world!"]
        assert output.rstrip().endswith("Done!")
    assert len(json.loads(command(folder, FLOW, "list", "HelloFlow", "--json"))["runs"]) == 2
    assert dumped(folder, "HelloFlow/latest/start/0") == {"greeting": "Hello, world!"}


def balance(amount: Fraction, deposits: dict[int, Fraction], years: int, factor: Fraction) -> Fraction:
    """Each sum on its own, for the years that it lies there."""
    return amount * factor**years + sum(
        (sum_ * factor ** (years - year + 1) for year, sum_ in deposits.items() if year <= years), Fraction(0)
    )


@pytest.mark.parametrize(
    ("options", "amount", "deposits", "years", "rate", "owner"),
    [
        ([], "1000", {5: "500"}, 10, "0.03", "Ada"),
        (
            ["--owner", "Grace", "--amount", "20.5", "--years", "3", "--rate", "0.1", "--deposits", '{"1": 1, "3": 2.5, "9": 7}'],
            "20.5",
            {1: "1", 3: "2.5", 9: "7"},
            3,
            "0.1",
            "Grace",
        ),
    ],
    ids=["defaults", "given"],
)
def test_savings_computes_both_branches_from_its_parameters(
    tmp_path: Path, options: list[str], amount: str, deposits: dict[int, str], years: int, rate: str, owner: str
) -> None:
    folder = copy(tmp_path, "02-parameters")
    sums = {year: Fraction(text) for year, text in deposits.items()}
    yearly = balance(Fraction(amount), sums, years, 1 + Fraction(rate))
    monthly = balance(Fraction(amount), sums, years, (1 + Fraction(rate) / 12) ** 12)

    output = command(folder, FLOW, "run", "savings.py", *options)

    gain = float(monthly - yearly)
    assert printed(output, "end/0") == [f"After {years} years {owner} has {float(yearly):.2f}; paid monthly, {gain:.2f} more."]
    kept = dumped(folder, "SavingsFlow/latest/end/0")
    assert kept["gain"] == pytest.approx(gain, rel=1e-9)


def test_savings_prints_every_year_where_it_is_asked_to(tmp_path: Path) -> None:
    folder = copy(tmp_path, "02-parameters")

    header, *rows, _ = printed(command(folder, FLOW, "run", "savings.py", "--table", "true", "--years", "2", "--rate", "0.12"), "end/0")

    assert header.split() == ["year", "yearly", "monthly"]
    assert [row.split() for row in rows] == [["1", "1120.00", "1126.83"], ["2", "1254.40", "1269.73"]]


def test_savings_refuses_what_its_page_says_it_refuses(tmp_path: Path) -> None:
    folder = copy(tmp_path, "02-parameters")

    command(folder, FLOW, "run", "savings.py", "--years", "twenty", status=2)
    output = command(folder, FLOW, "run", "savings.py", "--years", "0", status=1)

    assert "ValueError: years must be at least 1, and is 0" in printed(output, "start/0")


def test_each_tutorial_has_a_page_with_a_title() -> None:
    folders = [folder for folder in sorted(TUTORIALS.iterdir()) if folder.is_dir() and folder.name[0].isdigit()]

    assert [folder.name for folder in folders] == ["00-hello", "01-penguins", "02-parameters"]
    assert all((folder / "README.md").read_text(encoding="utf-8").startswith("# ") for folder in folders)
