"""Runs that are there to be read: one that succeeded, one that failed, one with retries and a caught failure."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import headrace_client
from headrace.project import Project
from headrace_client import ExecutingRun, Runner

FLOW = '''\
from headrace import FlowSpec, JSONType, Parameter, catch, retry, step


class ShopFlow(FlowSpec):
    """Prices things."""

    items = Parameter("items", type=JSONType, default=["tea", "jam"])
    tax = Parameter("tax", default=0.5)
    break_at = Parameter("break-at", default=-1)

    @step
    def start(self):
        """Where it begins."""
        self.stock = list(self.items)
        self._private = 1
        print("opening")
        self.next(self.price, foreach="stock")

    @step
    def price(self):
        import sys
        self.cost = len(self.input) * 1.0
        print("pricing", self.input, file=sys.stderr)
        if self.index == self.break_at:
            raise ValueError(f"no price for {self.input}")
        self.next(self.join)

    @step
    def join(self, inputs):
        self.total = sum(one.cost for one in inputs)
        self.next(self.sum)

    @step
    def sum(self):
        self.next(self.round, self.check)

    @retry(times=2)
    @step
    def round(self):
        from headrace import current
        print("attempt", current.retry_count)
        if current.retry_count == 0:
            raise RuntimeError("not yet")
        self.rounded = round(self.total)
        self.next(self.close)

    @catch(var="problem")
    @step
    def check(self):
        raise_something({})
        self.next(self.close)

    @step
    def close(self, inputs):
        self.problem = inputs.check.problem
        self.rounded = inputs.round.rounded
        self.next(self.end)

    @step
    def end(self):
        pass


def raise_something(empty):
    return empty["caught"]
'''


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the flow file and its store."""
    folder = tmp_path_factory.mktemp("the shop")
    (folder / "shop.py").write_text(FLOW)
    return folder


@pytest.fixture(scope="session")
def good(shop: Path) -> Iterator[ExecutingRun]:
    """A run that succeeded, the first of its flow."""
    result = Runner(shop / "shop.py", show_output=False).run(tax=0.25, tags=["nightly"])
    yield result
    result.close()


@pytest.fixture(scope="session")
def bad(shop: Path, good: ExecutingRun) -> Iterator[ExecutingRun]:
    """A later run that failed in `price/1`."""
    result = Runner(shop / "shop.py", show_output=False).run(break_at=1, max_workers=1)
    yield result
    result.close()


Open = Callable[[Path], Project]


@pytest.fixture
def project() -> Iterator[Open]:
    """Opens the project of a folder, and closes it when the test has ended."""
    opened: list[Project] = []

    def open_it(folder: Path) -> Project:
        opened.append(headrace_client.project(folder))
        return opened[-1]

    yield open_it
    for each in opened:
        each.close()


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("HEADRACE_"):
            monkeypatch.delenv(name)
