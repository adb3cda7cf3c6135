"""A task that takes more memory than its control group has: killed by the system, told as what it is, and nothing else is harmed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from seeing import Place

pytestmark = pytest.mark.needs("memory-cgroup")

HUNGRY = """
import os, sys
from headrace import FlowSpec, retry, step

class Hungry(FlowSpec):
    @step
    def start(self):
        self.portions = [0, 1]
        self.next(self.eat, foreach="portions")

    RETRY
    @step
    def eat(self):
        if self.input and "MENDED" not in os.environ:
            while not os.path.exists("other-done"):
                os.sched_yield()
            sys.stdout.write("last words")
            eaten = [b"x" * 10_000_000 for _ in range(60)]
        self.next(self.more)

    @step
    def more(self):
        open("other-done", "w").close()
        self.next(self.join)

    @step
    def join(self, inputs):
        self.next(self.end)

    @step
    def end(self):
        pass
"""


@pytest.fixture
def group() -> Iterator[Path]:
    """A control group in which there is room for a few processes of ours, and not for what the flow eats."""
    root = Path("/sys/fs/cgroup")
    root = root if (root / "cgroup.controllers").is_file() else root / "memory"
    made = Path(tempfile.mkdtemp(prefix="headrace-test-", dir=root))
    try:
        limit = "memory.max" if (made / "memory.max").exists() else "memory.limit_in_bytes"
        (made / limit).write_text("300000000")
        yield made
    finally:
        made.rmdir()


@pytest.mark.parametrize(("retry", "attempts"), [("", 1), ("@retry(times=1, minutes_between_retries=0)", 2)])
def test_a_task_that_is_killed_for_its_memory_says_so(group: Path, retry: str, attempts: int, tmp_path: Path) -> None:
    place = Place(tmp_path / "place", "Hungry", HUNGRY.replace("RETRY", retry))
    inside = ["sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', str(group)]

    done = place.end(place.start("run", "--max-workers", "2", before=inside))

    assert (done.status, done.code) == (1, "run-failed-oom"), done
    assert (
        f"Step 'eat' failed in attempt {attempts - 1} of task Hungry/{done.run}/eat/1: The task was killed because it ran out of memory."
        in (done.errors)
    )
    assert place.left() == []
    with place.open(done.run) as store:
        failures = [record.outcome.failure for record in store.attempts("eat", "1")]
        assert [(each.kind, each.signal) for each in failures if each] == [("oom", 9)] * attempts
        assert [line.data for line in store.read_log("eat", "1", 0)] == [b"last words"]
    committed = place.committed(done.run)
    assert committed >= {"start/0", "eat/0"}

    resumed = place.resume(done.run, MENDED="yes")
    assert (resumed.status, resumed.code) == (0, None)
    assert place.committed(resumed.run) == {"start/0", "eat/0", "eat/1", "more/0", "more/1", "join/0", "end/0"}
