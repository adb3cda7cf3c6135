import os
import socket
import sys
import threading
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from headrace_hookspecs import StepNode
from headrace_processes.safety import unfit_to_fork
from headrace_testkit.scripted import ScriptedEntry


@pytest.fixture
def thread() -> Any:
    over = threading.Event()
    thread = threading.Thread(target=over.wait, name="ticker")
    thread.start()
    yield thread
    over.set()
    thread.join()


def test_a_process_as_the_tests_have_it_may_be_forked() -> None:
    assert unfit_to_fork() is None


def test_python_threads_are_a_reason_not_to_fork(thread: threading.Thread) -> None:
    assert unfit_to_fork() == "importing the flow started a thread (ticker)"


@pytest.mark.parametrize("name", ["grpc", "jax", "tensorflow"])
def test_a_library_known_not_to_survive_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setitem(sys.modules, name, ModuleType(name))
    assert unfit_to_fork() == f"the flow imports {name}, which does not survive a fork"


@pytest.mark.parametrize(("initialised", "reason"), [(True, "importing the flow initialised CUDA"), (False, None)])
def test_torch_alone_is_no_reason_an_initialised_cuda_is(monkeypatch: pytest.MonkeyPatch, initialised: bool, reason: str | None) -> None:
    torch = SimpleNamespace(cuda=SimpleNamespace(is_initialized=lambda: initialised))
    monkeypatch.setitem(sys.modules, "torch", torch)
    assert unfit_to_fork() == reason


def test_a_connection_is_a_reason_a_pair_within_the_process_is_not() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert unfit_to_fork() is None
        with socket.create_server(("127.0.0.1", 0)) as server:
            assert unfit_to_fork() == f"importing the flow opened a network connection (descriptor {server.fileno()})"
            server.set_inheritable(True)  # as if this process had been started with it
            assert unfit_to_fork() is None


def test_a_descriptor_that_closes_while_it_is_looked_at_is_no_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = os.dup(2)
    os.close(closed)
    monkeypatch.setattr("headrace_processes.safety.open_descriptors", lambda: [closed])
    assert unfit_to_fork() is None


def test_fork_says_why_it_does_not_and_starts_fresh_interpreters(launched: Any, thread: threading.Thread) -> None:
    driver = launched("fork")
    told = driver.one("describe").messages[0]
    assert told["preloaded"] == ["from the command line", told["pid"]]
    assert launched.said == [
        "launcher fork: importing the flow started a thread (ticker); each task starts a fresh interpreter instead, as with spawn"
    ]


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ({"thread": True}, "importing the flow started a thread (from-the-flow)"),
        ({"preload": "raise"}, "preparing the process that all tasks start from failed (RuntimeError: the store is not there)"),
        ({"preload": "exit"}, "the process that tasks start from ended while it imported the flow"),
    ],
)
def test_what_only_shows_in_the_new_process_is_no_obstacle_either(launched: Any, state: dict[str, Any], reason: str) -> None:
    driver = launched("fork", ScriptedEntry(fork_safe=False, state=state))
    ended = driver.run("describe", "describe", "fail")
    told = [each.messages[0] for each in ended[:2]]
    assert [each["preloaded"] for each in told] == [["from the command line", each["pid"]] for each in told]
    assert [each.last.exit_code for each in ended] == [0, 0, 3]
    assert launched.said == [f"launcher fork: {reason}; each task starts a fresh interpreter instead, as with spawn"]
    # and stays so, without another word
    assert driver.one("describe").messages[0]["preloaded"][0] == "from the command line"
    assert len(launched.said) == 1


def test_a_step_environment_that_cannot_be_forked_falls_back_with_its_variables(launched: Any) -> None:
    driver = launched("fork", ScriptedEntry(state={"thread": True}))
    assert driver.one("describe").messages[0]["preloaded"][0] == "context"
    told = driver.one(StepNode("describe", "linear", env={"MODE": "fast"})).messages[0]
    assert (told["environ"]["MODE"], told["preloaded"][0]) == ("fast", "from the command line")
    assert len(launched.said) == 1


@pytest.mark.parametrize("name", ["fork", "spawn"])
def test_a_folder_that_is_gone_is_said_in_the_log_of_each_attempt(launched: Any, tmp_path: Path, name: str) -> None:
    launched.cwd = str(tmp_path / "gone")
    ended = launched(name).one("succeed")
    assert ended.last.kind == "lost"
    assert b"preparing the process that all tasks start from failed (FileNotFoundError" in ended.stderr
