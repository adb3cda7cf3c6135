"""Two machines that have one bucket in common and nothing else: no file, no database, no project."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from stores import FLOW, Store, new_store

from headrace.project import open_project
from headrace.store.leases import ObjectLeases
from headrace_hookspecs import Capability
from headrace_testkit.leases import LeaseContract
from headrace_testkit.servers import S3Server, s3

FLOWS = Path(__file__).parent / "flows"
WAITING = """
from pathlib import Path
from time import sleep

from headrace import FlowSpec, step

class Waiting(FlowSpec):
    @step
    def start(self):
        print("begun", flush=True)
        while not Path("go").exists():
            sleep(0.05)
        self.next(self.end)

    @step
    def end(self):
        pass
"""


@pytest.fixture
def store(moto_server: S3Server) -> Store:
    return new_store(moto_server)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "here").mkdir()
    return tmp_path / "here"


@pytest.fixture
def there(tmp_path: Path) -> Path:
    (tmp_path / "there").mkdir()
    return tmp_path / "there"


def test_what_ran_here_is_listed_read_and_resumed_there(store: Store, here: Path, there: Path) -> None:
    shutil.copy(FLOWS / "failing.py", here)
    failed = store.run("failing.py", cwd=here, status=1)
    shutil.rmtree(here)

    assert [line.split()[0] for line in store.flow("list", cwd=there).stdout.splitlines()] == ["FLOW", "Failing"]
    listed = json.loads(store.flow("list", f"Failing/{failed}", "--json", cwd=there).stdout)["tasks"]
    assert [(task["step"], task["state"], task["attempts"]) for task in listed] == [
        *(("start", "succeeded", 1), ("work", "failed", 3), ("other", "succeeded", 1)),
    ]
    assert "RuntimeError: no such luck" in store.flow("logs", "Failing/latest/work", cwd=there).stdout
    assert "kept" in store.flow("dump", "Failing/latest/start", cwd=there).stdout

    mended = (FLOWS / "failing.py").read_text().replace('raise RuntimeError("no such luck")', "pass")
    (there / "failing.py").write_text(mended)
    resumed = store.flow("resume", "failing.py", cwd=there).stdout
    assert resumed.count("Reusing the result of an earlier run.") == 2
    states = json.loads(store.flow("list", "Failing", "--json", cwd=there).stdout)["runs"]
    assert [run["state"] for run in states] == ["succeeded", "failed"]


def test_a_run_here_is_seen_to_run_there_and_to_be_cancelled(store: Store, here: Path, there: Path) -> None:
    (here / "waiting.py").write_text(WAITING)
    words = [FLOW, "run", "waiting.py", *store.options]
    process = subprocess.Popen(words, cwd=here, env=store.environ(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8")
    assert process.stdout is not None
    try:
        assert any("begun" in line for line in process.stdout)
        (run,) = json.loads(store.flow("list", "Waiting", "--json", cwd=there).stdout)["runs"]
        assert run["state"] == "running"
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        assert process.wait(60) == 1
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    (run,) = json.loads(store.flow("list", "Waiting", "--json", cwd=there).stdout)["runs"]
    assert run["state"] == "cancelled"


def test_a_run_whose_scheduler_died_is_lost_once_its_lease_has_expired(store: Store, here: Path, there: Path) -> None:
    (here / "waiting.py").write_text(WAITING)
    words = [FLOW, "run", "waiting.py", *store.options]
    process = subprocess.Popen(words, cwd=here, env=store.environ(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8")
    assert process.stdout is not None
    try:
        assert any("begun" in line for line in process.stdout)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    with s3.only(store.server):
        project = open_project(str(there), options=store.options[1::2])
        (run,) = json.loads(store.flow("list", "Waiting", "--json", cwd=there).stdout)["runs"]
        lease = project.leases.lease(f"run/Waiting/{run['run']}")
        assert lease is not None
        assert run["state"] == ("running" if lease.expires > time.time() else "lost")
        # time passes: somebody whose clock is that far on takes it over
        taken = project.leases.acquire(lease.name, "another", 0.0, now=lease.expires + 1.0)
        assert taken is not None
        assert taken.fence == lease.fence + 1
        assert project.leases.renew(lease, 30.0, now=time.time()) is None
        project.close()


class TestLeasesOnS3(LeaseContract):
    """The leases of the kit, kept on a real service by processes that share nothing but it."""

    capabilities = frozenset({Capability.LEASES})

    @pytest.fixture
    def make_store(self, rados_server: S3Server, tmp_path: Path) -> Iterator[Callable[[], Any]]:
        options = new_store(rados_server).options[1::2]
        with s3.only(rados_server):
            yield lambda: ObjectLeases(open_project(str(tmp_path), options=options).blobs)
