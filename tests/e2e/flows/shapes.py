"""A user's flow as type checkers want it: artifacts of a class of this file, parameters, decorators. Fails at its end until a file is there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from headrace import FlowSpec, Inputs, JSONType, Parameter, catch, current, environment, resources, retry, step, timeout


@dataclass(frozen=True)
class Polygon:
    """A number of sides that has a name."""

    name: str
    sides: int

    def angles(self) -> int:
        """Their sum in degrees."""
        return 180 * (self.sides - 2)


class Shapes(FlowSpec):
    """Measure some polygons."""

    names = Parameter("names", type=JSONType, default={"3": "triangle", "5": "pentagon"}, help="by their number of sides")
    unit = Parameter("unit", default="degrees")

    @step
    def start(self) -> None:
        self.polygons = [Polygon(name, int(sides)) for sides, name in self.names.items()]
        self.next(self.measure, foreach="polygons")

    @retry(times=2, wait="1s")
    @catch(var="failure")
    @timeout(minutes=2)
    @resources(cpu=1, memory="256M")
    @environment(vars={"SIGN": "="})
    @step
    def measure(self) -> None:
        with Path("measured.txt").open("a") as file:
            print(self.index, file=file)
        self.polygon: Polygon = self.input
        self.text = f"{self.polygon.name} {os.environ['SIGN']} {self.polygon.angles()} {self.unit}"
        self.next(self.collect)

    @step
    def collect(self, inputs: Inputs) -> None:
        self.texts = [task.text for task in inputs]
        self.largest = max((task.polygon for task in inputs), key=Polygon.angles)
        self.next(self.end)

    @step
    def end(self) -> None:
        if not Path("mended").exists():
            raise RuntimeError(f"not mended yet: {current.pathspec}")
        print(f"{', '.join(self.texts)}; largest: {self.largest!r}")


if __name__ == "__main__":
    Shapes()
