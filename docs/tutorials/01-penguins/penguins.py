"""How heavy is a penguin? Statistics by species, then five simple models compared by cross-validation.

The data are 344 penguins of three species measured near Palmer Station, Antarctica (Gorman, Williams and Fraser 2014, CC0), as the package
`palmerpenguins` ships them. Everything else is the standard library.
"""

from __future__ import annotations

import csv
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from headrace import FlowSpec, Inputs, Parameter, step


class Bird(NamedTuple):
    """One penguin; lengths in mm, mass in g."""

    species: str
    flipper: float
    bill_length: float
    bill_depth: float
    mass: float


@dataclass(frozen=True)
class Summary:
    """The birds of one species."""

    species: str
    count: int
    flipper_mean: float
    mass_mean: float
    mass_deviation: float


@dataclass(frozen=True)
class Score:
    """How far a model's predictions are from birds that it has not seen, in g."""

    model: str
    rmse: float
    mean_error: float


class PenguinsFlow(FlowSpec):
    """Describe each species, then find the model that predicts body mass best."""

    folds = Parameter("folds", default=5, help="parts for cross-validation: each is predicted by a model fitted to the others")
    neighbours = Parameter("neighbours", default=6, help="birds that the model 'nearest' looks at")

    @step
    def start(self) -> None:
        """Read the birds and fan out over their species."""
        self.birds = read_birds(data_file())
        self.species = sorted({bird.species for bird in self.birds})
        print(f"{len(self.birds)} birds of {len(self.species)} species")
        self.next(self.describe, foreach="species")

    @step
    def describe(self) -> None:
        """One species, in a task of its own."""
        birds = [bird for bird in self.birds if bird.species == self.input]
        masses = [bird.mass for bird in birds]
        self.summary = Summary(
            species=self.input,
            count=len(birds),
            flipper_mean=statistics.fmean(bird.flipper for bird in birds),
            mass_mean=statistics.fmean(masses),
            mass_deviation=statistics.stdev(masses),
        )
        self.next(self.collect)

    @step
    def collect(self, inputs: Inputs) -> None:
        """Bring the species together."""
        self.summaries = [task.summary for task in inputs]
        self.merge_artifacts(inputs, include=["birds"])
        self.next(self.compare)

    @step
    def compare(self) -> None:
        """Fan out again, over models."""
        self.models = list(MODELS)
        self.next(self.evaluate, foreach="models")

    @step
    def evaluate(self) -> None:
        """Cross-validate one model. The birds are sorted by species, so every n-th bird is a fair part."""
        fit = MODELS[self.input]
        errors: list[float] = []
        for fold in range(self.folds):
            predict = fit([bird for i, bird in enumerate(self.birds) if i % self.folds != fold], self.neighbours)
            errors += [predict(bird) - bird.mass for bird in self.birds[fold :: self.folds]]
        self.score = Score(
            model=self.input,
            rmse=math.sqrt(statistics.fmean(error**2 for error in errors)),
            mean_error=statistics.fmean(abs(error) for error in errors),
        )
        print(f"{self.input}: {self.score.rmse:.1f} g")
        self.next(self.choose)

    @step
    def choose(self, inputs: Inputs) -> None:
        """Rank the models."""
        self.scores = sorted((task.score for task in inputs), key=lambda score: score.rmse)
        self.best = self.scores[0].model
        self.merge_artifacts(inputs, include=["summaries"])
        self.next(self.end)

    @step
    def end(self) -> None:
        """Print what was found."""
        print("species      birds   flipper mm   body mass g")
        for row in self.summaries:
            print(f"{row.species:<10} {row.count:>7} {row.flipper_mean:>12.1f} {row.mass_mean:>7.0f} ± {row.mass_deviation:.0f}")
        print("-" * 45)
        print("model        RMSE g   mean error g   of what")
        for score in self.scores:
            print(f"{score.model:<10} {score.rmse:>8.1f} {score.mean_error:>14.1f}   {MODELS[score.model].__doc__}")


Predict = Callable[[Bird], float]
Fit = Callable[[Sequence[Bird], int], Predict]


def mean(birds: Sequence[Bird], _: int) -> Predict:
    """the mean of all birds"""
    average = statistics.fmean(bird.mass for bird in birds)
    return lambda bird: average


def species(birds: Sequence[Bird], _: int) -> Predict:
    """the mean of its species"""
    groups: dict[str, list[float]] = {}
    for bird in birds:
        groups.setdefault(bird.species, []).append(bird.mass)
    averages = {name: statistics.fmean(masses) for name, masses in groups.items()}
    return lambda bird: averages[bird.species]


def flipper(birds: Sequence[Bird], _: int) -> Predict:
    """a line through flipper length"""
    slope, intercept = statistics.linear_regression([bird.flipper for bird in birds], [bird.mass for bird in birds])
    return lambda bird: slope * bird.flipper + intercept


def measures(birds: Sequence[Bird], _: int) -> Predict:
    """a plane through three lengths"""
    weights = least_squares([(1.0, *lengths(bird)) for bird in birds], [bird.mass for bird in birds])
    return lambda bird: dot(weights, (1.0, *lengths(bird)))


def nearest(birds: Sequence[Bird], count: int) -> Predict:
    """the mean of the most similar birds"""
    spread = [statistics.stdev(column) for column in zip(*map(lengths, birds), strict=True)]

    def place(bird: Bird) -> list[float]:
        return [value / unit for value, unit in zip(lengths(bird), spread, strict=True)]

    known = [(place(bird), bird.mass) for bird in birds]

    def predict(bird: Bird) -> float:
        here = place(bird)
        ranked = sorted(known, key=lambda other: math.dist(here, other[0]))
        return statistics.fmean(mass for _, mass in ranked[:count])

    return predict


MODELS: dict[str, Fit] = {model.__name__: model for model in (mean, species, flipper, measures, nearest)}


def lengths(bird: Bird) -> tuple[float, float, float]:
    """What the larger models look at."""
    return bird.flipper, bird.bill_length, bird.bill_depth


def dot(a: Sequence[float], b: Sequence[float]) -> float:
    """The sum of the products."""
    return sum(x * y for x, y in zip(a, b, strict=True))


def least_squares(rows: Sequence[Sequence[float]], targets: Sequence[float]) -> list[float]:
    """The weights w for which the sum of (row · w - target)² is smallest: the normal equations, solved by Gaussian elimination."""
    columns = list(zip(*rows, strict=True))
    system = [[dot(a, b) for b in columns] + [dot(a, targets)] for a in columns]
    for i in range(len(system)):
        pivot = max(range(i, len(system)), key=lambda row: abs(system[row][i]))
        system[i], system[pivot] = system[pivot], system[i]
        system[i] = [value / system[i][i] for value in system[i]]
        for j in range(len(system)):
            if j != i:
                system[j] = [value - system[j][i] * base for value, base in zip(system[j], system[i], strict=True)]
    return [row[-1] for row in system]


def data_file() -> Path:
    """The table in the installed package. The package itself is not imported: that would need pandas."""
    package = find_spec("palmerpenguins")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("The data are not installed: pip install palmerpenguins")
    return Path(package.origin).parent / "data" / "penguins.csv"


def read_birds(path: Path) -> list[Bird]:
    """The birds that were measured (two were not)."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Bird(row["species"], *(float(row[name]) for name in ("flipper_length_mm", "bill_length_mm", "bill_depth_mm", "body_mass_g")))
            for row in csv.DictReader(file)
            if row["body_mass_g"] != "NA"
        ]


if __name__ == "__main__":
    PenguinsFlow()
