import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import headrace_processes
from headrace_hookspecs import ProviderContext
from headrace_testkit.driving import Driver
from headrace_testkit.scripted import ScriptedEntry


class Launched:
    """Makes opened launchers of a kind, notes what they say, closes them."""

    def __init__(self, cwd: str) -> None:
        self.said: list[str] = []
        self.cwd = cwd
        self.drivers: list[Driver] = []

    def __call__(self, name: str, entry: ScriptedEntry | None = None) -> Driver:
        plugin = getattr(headrace_processes, name)
        driver = Driver(plugin.create(None, ProviderContext(self.cwd, "Scripted", os.environ, self.said.append)))
        self.drivers.append(driver)
        driver.open(entry or ScriptedEntry(), self.cwd)
        return driver


@pytest.fixture
def launched(tmp_path: Path) -> Iterator[Callable[..., Driver]]:
    launched = Launched(str(tmp_path))
    yield launched
    for driver in launched.drivers:
        driver.launcher.close(grace=0.0)
