"""`make bench`: how long things take beside Metaflow, in one run on one machine. Prints raw pairs and medians; judges nothing.

The two sides take turns, so that a busy moment hits both. Both keep records and logs and have a step that is retried; Metaflow is installed from PyPI at
the version below into an environment of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

METAFLOW = "2.19.39"
ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venvs" / f"metaflow-{METAFLOW}"
WORKERS = os.cpu_count() or 1

HELLO = """
{numpy}
from {package} import FlowSpec, retry, step

class Hello(FlowSpec):
    @retry(times=2)
    @step
    def start(self):
        self.greeting = "hello"
        self.next(self.end)

    @step
    def end(self):
        print(self.greeting)

if __name__ == "__main__":
    Hello()
"""

LINEAR = """
{numpy}
from {package} import FlowSpec, retry, step

class Linear(FlowSpec):
    @retry(times=2)
    @step
    def start(self):
        self.x = 0
        self.next(self.s1)
{steps}
    @step
    def end(self):
        print(self.x)

if __name__ == "__main__":
    Linear()
"""

FOREACH = """
{numpy}
from {package} import FlowSpec, retry, step

class Wide(FlowSpec):
    @step
    def start(self):
        self.items = list(range({width}))
        self.next(self.work, foreach="items")

    @retry(times=2)
    @step
    def work(self):
        self.y = self.input * 2
        self.next(self.join)

    @step
    def join(self, inputs):
        self.total = sum(i.y for i in inputs)
        self.next(self.end)

    @step
    def end(self):
        print(self.total)

if __name__ == "__main__":
    Wide()
"""


def linear(package: str, numpy: str, count: int) -> str:
    """A flow of `count` steps in a row, start and end included."""
    names = [f"s{i}" for i in range(1, count - 1)]
    steps = "".join(
        f"\n    @step\n    def {name}(self):\n        self.x += 1\n        self.next(self.{follower})\n"
        for name, follower in zip(names, [*names[1:], "end"], strict=True)
    )
    return LINEAR.format(package=package, numpy=numpy, steps=steps)


class Side:
    """One of the two systems: how it is called and where its flows are."""

    def __init__(self, name: str, package: str, python: Path, folder: Path) -> None:
        self.name, self.package, self.python, self.folder = name, package, python, folder
        self.environ = {
            "PATH": f"{python.parent}:{os.environ.get('PATH', '')}",
            "HOME": str(folder),
            "USER": "bench",
            "USERNAME": "bench",
            "METAFLOW_USER": "bench",
            "LANG": "C.UTF-8",
        }

    def time(self, *command: str) -> tuple[float, float]:
        """Wall and CPU seconds of one call, children included. A call that fails ends the benchmark."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.perf_counter()
        done = subprocess.run(command, cwd=self.folder, env=self.environ, capture_output=True, text=True, check=False)
        wall = time.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            sys.exit(f"{self.name}: {' '.join(command)} failed\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def flow(self, name: str, text: str) -> str:
        """Write a flow file and return its name."""
        (self.folder / name).write_text(text, encoding="utf-8")
        return name


def metaflow_python() -> Path:
    """The interpreter of Metaflow's own environment, made on first use."""
    python = VENV / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(VENV)], check=True)
        uv = Path(sys.executable).parent / "uv"
        subprocess.run([str(uv), "pip", "install", "--quiet", "--python", str(python), f"metaflow=={METAFLOW}", "numpy"], check=True)
    return python


def ours_python() -> Path:
    """This environment's interpreter; it has numpy for the rows that import it."""
    return Path(sys.executable)


@contextmanager
def sides() -> Iterator[tuple[Side, Side]]:
    """headrace and Metaflow, each in an empty folder."""
    folder = Path(tempfile.mkdtemp(prefix="headrace-bench-"))
    try:
        made = []
        for name, package, python in (("headrace", "headrace", ours_python()), ("metaflow", "metaflow", metaflow_python())):
            (folder / name).mkdir()
            made.append(Side(name, package, python, folder / name))
        yield made[0], made[1]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


Row = tuple[str, int, Callable[[Side], tuple[float, float]]]


def rows(quick: bool) -> list[Row]:
    """(name, tasks, measurement) of each row; the tasks are what its time is divided by."""
    width = 50 if quick else 200
    made: list[Row] = [
        ("bare python -c pass", 1, lambda side: side.time(str(side.python), "-c", "pass")),
        ("import", 1, lambda side: side.time(str(side.python), "-c", f"from {side.package} import FlowSpec, step, Parameter, current")),
    ]

    def help_(side: Side) -> tuple[float, float]:
        if side.name == "headrace":
            return side.time(str(side.python.parent / "flow"), "--help")
        return side.time(str(side.python), side.flow("hello.py", HELLO.format(package=side.package, numpy="")), "--help")

    made.append(("--help", 1, help_))

    def flow(name: str, make: Callable[[str, str], str], numpy: str, workers: int) -> Callable[[Side], tuple[float, float]]:
        def measure(side: Side) -> tuple[float, float]:
            file = side.flow(name, make(side.package, numpy))
            extra = [] if side.name == "headrace" else ["--no-pylint"]
            splits = ["--max-workers", str(workers), "--max-num-splits", str(width)]
            return side.time(str(side.python), file, *extra, "run", *splits)

        return measure

    for label, numpy in (("", ""), (" + numpy", "import numpy")):
        made.append((f"hello{label}", 2, flow("hello.py", lambda p, n: HELLO.format(package=p, numpy=n), numpy, WORKERS)))
        made.append((f"linear 50{label}", 50, flow("linear.py", lambda p, n: linear(p, n, 50), numpy, WORKERS)))
        wide = flow("wide.py", lambda p, n: FOREACH.format(package=p, numpy=n, width=width), numpy, WORKERS)
        made.append((f"foreach {width}{label}", width + 3, wide))
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=5, help="pairs of each short row; long rows take a third of it")
    parser.add_argument("--quick", action="store_true", help="a narrower foreach and one pair of each row")
    parser.add_argument("--json", action="store_true", help="print the numbers as one JSON document")
    parser.add_argument("--only", default="", help="rows whose name contains this")
    options = parser.parse_args()
    results = []
    with sides() as (ours, theirs):
        for name, tasks, measure in rows(options.quick):
            if options.only and options.only not in name:
                continue
            count = 1 if options.quick else options.repeat if tasks <= 2 else max(1, options.repeat // 3)
            pairs = [(measure(ours), measure(theirs)) for _ in range(count)]
            results.append({"row": name, "tasks": tasks, "pairs": pairs})
            if not options.json:
                show(name, tasks, pairs)
    if options.json:
        print(json.dumps({"metaflow": METAFLOW, "workers": WORKERS, "rows": results}, indent=2))


def show(name: str, tasks: int, pairs: list[tuple[tuple[float, float], tuple[float, float]]]) -> None:
    """One row: medians of wall and CPU time, ratio, milliseconds a task, and the raw wall times."""
    wall = [statistics.median(pair[side][0] for pair in pairs) for side in (0, 1)]
    cpu = [statistics.median(pair[side][1] for pair in pairs) for side in (0, 1)]
    print(
        f"{name:22} headrace {wall[0]:8.3f} s (cpu {cpu[0]:7.3f})   metaflow {wall[1]:8.3f} s (cpu {cpu[1]:7.3f})   ratio {wall[1] / wall[0]:6.1f}"
    )
    if tasks > 2:
        print(f"{'':22} a task   {wall[0] / tasks * 1000:8.2f} ms                 a task   {wall[1] / tasks * 1000:8.2f} ms")
    raw = "  ".join(f"{pair[0][0]:.3f}|{pair[1][0]:.3f}" for pair in pairs)
    print(f"{'':22} raw pairs {raw}", flush=True)


if __name__ == "__main__":
    main()
