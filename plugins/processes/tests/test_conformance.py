import os
from collections.abc import Callable

import pytest

import headrace_processes
from headrace_hookspecs import Launcher, ProviderContext
from headrace_processes.inprocess import InlineLauncher
from headrace_processes.launcher import ProcessLauncher
from headrace_testkit.launcher import LauncherContract
from headrace_testkit.scripted import ScriptedEntry


def context() -> ProviderContext:
    return ProviderContext(os.getcwd(), "Scripted", os.environ, lambda line: pytest.fail(f"fell back: {line}"))


class TestFork(LauncherContract):
    capabilities = ProcessLauncher.capabilities

    @pytest.fixture
    def make_launcher(self) -> Callable[[], Launcher]:
        return lambda: headrace_processes.fork.create(None, context())


class TestForkOfAFreshInterpreter(TestFork):
    @pytest.fixture
    def entry(self) -> ScriptedEntry:
        return ScriptedEntry(fork_safe=False)


class TestSpawn(LauncherContract):
    capabilities = ProcessLauncher.capabilities

    @pytest.fixture
    def make_launcher(self) -> Callable[[], Launcher]:
        return lambda: headrace_processes.spawn.create(None, context())


class TestInline(LauncherContract):
    capabilities = InlineLauncher.capabilities

    @pytest.fixture
    def make_launcher(self) -> Callable[[], Launcher]:
        return lambda: headrace_processes.inline.create(None, context())
