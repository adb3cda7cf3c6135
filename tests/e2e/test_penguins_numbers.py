"""The numbers of the first tutorial, computed again from the data in exact fractions and by other formulas than the flow's."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from importlib.metadata import distribution
from pathlib import Path
from typing import NamedTuple

import pytest

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorials" / "01-penguins" / "penguins.py"
FLOW = Path(sys.executable).with_name("flow")
UTF8 = {**os.environ, "PYTHONIOENCODING": "utf-8"}
FOLDS, NEIGHBOURS = 5, 6
SPECIES = ("Adelie", "Chinstrap", "Gentoo")


class Row(NamedTuple):
    """One measured penguin: flipper, bill length and bill depth in tenths of a mm, mass in g."""

    species: str
    lengths: tuple[int, int, int]
    mass: int


def read_rows() -> list[Row]:
    """The data, without the package and without the csv module."""
    header, *lines = Path(str(distribution("palmerpenguins").locate_file("palmerpenguins/data/penguins.csv"))).read_text().splitlines()
    columns = {name: place for place, name in enumerate(header.split(","))}
    rows = []
    for line in lines:
        cells = line.split(",")
        species, mass = cells[columns["species"]], cells[columns["body_mass_g"]]
        if mass.isdigit():
            flipper, length, depth = (
                Fraction(cells[columns[name]]) * 10 for name in ("flipper_length_mm", "bill_length_mm", "bill_depth_mm")
            )
            rows.append(Row(species, (int(flipper), int(length), int(depth)), int(mass)))
    return rows


Predict = Callable[[Row], Fraction]


def average(values: list[int]) -> Fraction:
    return Fraction(sum(values), len(values))


def mean(rows: list[Row]) -> Predict:
    return lambda row: average([other.mass for other in rows])


def species(rows: list[Row]) -> Predict:
    return lambda row: average([other.mass for other in rows if other.species == row.species])


def linear(rows: list[Row], chosen: int) -> Predict:
    """The first `chosen` lengths and a constant: the normal equations by Cramer's rule."""
    xs = [[1, *row.lengths[:chosen]] for row in rows]
    ys = [row.mass for row in rows]
    size = chosen + 1
    matrix = [[sum(x[i] * x[j] for x in xs) for j in range(size)] for i in range(size)]
    right = [sum(x[i] * y for x, y in zip(xs, ys, strict=True)) for i in range(size)]
    whole = determinant(matrix)
    weights = [
        Fraction(determinant([[*line[:i], right[at], *line[i + 1 :]] for at, line in enumerate(matrix)]), whole) for i in range(size)
    ]
    return lambda row: sum((weight * x for weight, x in zip(weights, [1, *row.lengths], strict=False)), Fraction(0))


def determinant(matrix: list[list[int]]) -> int:
    """By expansion along the first row; exact."""
    if len(matrix) == 1:
        return matrix[0][0]
    return sum((-1) ** i * x * determinant([[*line[:i], *line[i + 1 :]] for line in matrix[1:]]) for i, x in enumerate(matrix[0]))


def nearest(rows: list[Row]) -> Predict:
    """Squared differences over variances, all brought to one denominator, so that every distance is a whole number."""
    n = len(rows)
    a, b, c = (n * sum(row.lengths[i] ** 2 for row in rows) - sum(row.lengths[i] for row in rows) ** 2 for i in range(3))
    weights = (b * c, a * c, a * b)

    def predict(row: Row) -> Fraction:
        ranked = sorted(
            (sum(w * (x - y) ** 2 for w, x, y in zip(weights, row.lengths, other.lengths, strict=True)), place, other.mass)
            for place, other in enumerate(rows)
        )
        # six is a number for which no two birds tie for the last place: rounding cannot decide who is in
        assert ranked[NEIGHBOURS - 1][0] < ranked[NEIGHBOURS][0]
        return average([mass for _, _, mass in ranked[:NEIGHBOURS]])

    return predict


MODELS: dict[str, Callable[[list[Row]], Predict]] = {
    "mean": mean,
    "species": species,
    "flipper": lambda rows: linear(rows, 1),
    "measures": lambda rows: linear(rows, 3),
    "nearest": nearest,
}


class Expected(NamedTuple):
    """`summaries`: species -> count, flipper mean, mass mean, mass deviation; `scores`: model -> root mean square and mean absolute error."""

    summaries: dict[str, tuple[int, float, float, float]]
    scores: dict[str, tuple[float, float]]


@pytest.fixture(scope="module")
def expected() -> Expected:
    rows = read_rows()
    summaries = {}
    for name in SPECIES:
        masses = [row.mass for row in rows if row.species == name]
        flippers = [row.lengths[0] for row in rows if row.species == name]
        variance = sum((mass - average(masses)) ** 2 for mass in masses) / (len(masses) - 1)
        summaries[name] = (len(masses), float(average(flippers) / 10), float(average(masses)), math.sqrt(variance))
    scores = {}
    for name, fit in MODELS.items():
        errors = list(held_out_errors(rows, fit))
        square = sum((error**2 for error in errors), Fraction(0)) / len(rows)
        scores[name] = (math.sqrt(square), float(sum(map(abs, errors), Fraction(0)) / len(rows)))
    return Expected(summaries, scores)


def held_out_errors(rows: list[Row], fit: Callable[[list[Row]], Predict]) -> Iterator[Fraction]:
    for fold in range(FOLDS):
        predict = fit([row for place, row in enumerate(rows) if place % FOLDS != fold])
        for place, row in enumerate(rows):
            if place % FOLDS == fold:
                yield predict(row) - row.mass


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The folder in which the tutorial ran as a user runs it, and what its step `end` printed."""
    folder = tmp_path_factory.mktemp("penguins and a space")
    shutil.copy(TUTORIAL, folder)
    done = subprocess.run([FLOW, "run", TUTORIAL.name], cwd=folder, capture_output=True, encoding="utf-8", env=UTF8, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, re.findall(r"^.*\[[^]]*/end/0 \(pid \d+\)\] (?!Task )(.*)$", done.stdout, re.MULTILINE)


def test_the_printed_table_holds_the_right_numbers(run: tuple[Path, list[str]], expected: Expected) -> None:
    header, *lines = run[1]
    rule = lines.index("-" * 45)
    ranking = sorted(expected.scores, key=lambda name: expected.scores[name][0])

    assert header.split() == ["species", "birds", "flipper", "mm", "body", "mass", "g"]
    assert [line.split() for line in lines[:rule]] == [
        [name, str(count), f"{flipper:.1f}", f"{mass:.0f}", "±", f"{deviation:.0f}"]
        for name, (count, flipper, mass, deviation) in expected.summaries.items()
    ]
    assert lines[rule + 1].split() == ["model", "RMSE", "g", "mean", "error", "g", "of", "what"]
    assert [line.split()[:3] for line in lines[rule + 2 :]] == [
        [name, *(f"{value:.1f}" for value in expected.scores[name])] for name in ranking
    ]


def test_the_kept_objects_hold_the_right_numbers(run: tuple[Path, list[str]], expected: Expected) -> None:
    """Read by another process that knows the flow's classes only by the flow file."""
    program = """
import json, dataclasses
from headrace import Flow
run = Flow("PenguinsFlow").latest_run
data = run["choose"].task.data
print(json.dumps({
    "types": sorted({type(each).__module__ + "." + type(each).__name__ for each in [*data.summaries, *data.scores]}),
    "best": data.best,
    "summaries": [dataclasses.astuple(each) for each in data.summaries],
    "scores": {each.model: [each.rmse, each.mean_error] for each in data.scores},
}))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=run[0], capture_output=True, encoding="utf-8", env=UTF8, timeout=60)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    close = {name: pytest.approx(values, rel=1e-9) for name, values in expected.scores.items()}

    assert found["types"] == ["penguins.Score", "penguins.Summary"]
    assert found["best"] == min(expected.scores, key=lambda name: expected.scores[name][0])
    assert found["summaries"] == [[name, *map(pytest.approx, values)] for name, values in expected.summaries.items()]
    assert {name: tuple(values) for name, values in found["scores"].items()} == close
