"""What tasks print, whatever it is and however much: all of it is in the log, and nobody has to wait for it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from seeing import Place

HEAD = """
import os, sys, signal, subprocess, time
from headrace import FlowSpec, step

def until(name):
    while not os.path.exists(name):
        os.sched_yield()

"""

ONE = (
    HEAD
    + """
class Prints(FlowSpec):
    @step
    def start(self):
        STATEMENT
        self.next(self.end)

    @step
    def end(self):
        pass
"""
)


def printed(place: Place, run: str | None, step: str, stream: str) -> list[bytes]:
    """The lines of one stream of a task's first attempt."""
    with place.open(run) as store:
        return [line.data for line in store.read_log(step, "0", 0) if line.stream == stream]


def test_a_huge_line_without_newline_is_kept_whole_between_its_characters(tmp_path: Path) -> None:
    place = Place(tmp_path / "place", "Prints", ONE.replace("STATEMENT", 'sys.stdout.write("€é" * 1_900_000 + "end")'))

    done = place.run("-o", "limits.log_bytes=20_000_000")

    assert (done.status, done.code) == (0, None)
    lines = printed(place, done.run, "start", "stdout")
    assert len(b"".join(lines)) > 9_000_000
    # each piece is text by itself: no character is cut
    assert "".join(line.decode() for line in lines) == "€é" * 1_900_000 + "end"
    shown = place.flow("logs", f"Prints/{done.run}/start/0")
    assert shown.output.replace("\n", "") == "€é" * 1_900_000 + "end"
    assert "\\x" not in done.output


def test_bytes_that_are_no_text_are_kept_as_they_are(tmp_path: Path) -> None:
    statement = "sys.stdout.buffer.write(bytes(range(256)) * 2_000); sys.stderr.buffer.write(bytes(range(255, -1, -1)))"
    place = Place(tmp_path / "place", "Prints", ONE.replace("STATEMENT", statement))

    done = place.run()

    assert (done.status, done.code) == (0, None)
    assert b"\n".join(printed(place, done.run, "start", "stdout")) == bytes(range(256)) * 2_000
    assert b"\n".join(printed(place, done.run, "start", "stderr")) == bytes(range(255, -1, -1))
    assert place.flow("logs", f"Prints/{done.run}/start/0").code is None


def test_output_beyond_the_limit_is_cut_with_a_word_about_it(tmp_path: Path) -> None:
    statement = 'sys.stdout.write("x" * 99 + "\\n"); [print("y" * 99) for _ in range(2_000)]'
    place = Place(tmp_path / "place", "Prints", ONE.replace("STATEMENT", statement))

    done = place.run("-o", "limits.log_bytes=100_000")

    assert done.output.count("y" * 99) == 2_000
    lines = printed(place, done.run, "start", "stdout")
    assert (lines[0], lines[-1]) == (b"x" * 99, b"[TRUNCATED - MAXIMUM LOG SIZE REACHED]")
    assert 99_000 < sum(map(len, lines)) < 101_000


FLOOD = (
    HEAD
    + """
class Flood(FlowSpec):
    @step
    def start(self):
        self.next(self.floods, self.works)

    @step
    def floods(self):
        # ends only when the other branch is through: it would hang if a flood kept the scheduler from it
        while not os.path.exists("through"):
            print("x" * 5_000)
        self.next(self.join)

    @step
    def works(self):
        self.rounds = list(range(8))
        self.next(self.round, foreach="rounds")

    @step
    def round(self):
        self.next(self.gather)

    @step
    def gather(self, inputs):
        open("through", "w").close()
        self.next(self.join)

    @step
    def join(self, inputs):
        self.next(self.end)

    @step
    def end(self):
        pass
"""
)


def test_a_flood_of_output_keeps_no_other_task_from_its_work(tmp_path: Path) -> None:
    place = Place(tmp_path / "place", "Flood", FLOOD)

    done = place.run("--max-workers", "2")

    assert (done.status, done.code) == (0, None)
    assert len(place.committed(done.run)) == 14


@pytest.mark.parametrize(
    "statement",
    [
        "subprocess.Popen(['sleep', '600'])",
        "subprocess.Popen(['sleep', '600'], start_new_session=True)",
        "subprocess.Popen(['sh', '-c', 'trap \\'\\' TERM HUP INT; while :; do sleep 600; done'], start_new_session=True)",
        # talks for as long as it lives
        "subprocess.Popen(['sh', '-c', 'while :; do echo still here; done'], start_new_session=True)",
        # a daemon by the book: twice forked, in a session of its own
        "(os.fork() == 0 and (os.setsid(), os.fork() and os._exit(0), time.sleep(600), os._exit(0)))",
        "import threading; threading.Thread(target=time.sleep, args=(600,)).start()",
    ],
)
def test_what_a_task_leaves_running_holds_nobody_up_and_does_not_outlive_the_run(statement: str, tmp_path: Path) -> None:
    place = Place(tmp_path / "place", "Prints", ONE.replace("STATEMENT", f'{statement}; sys.stdout.write("last words")'))

    done = place.end(place.start("run"), within=30)

    assert (done.status, done.code) == (0, None)
    assert place.left() == []
    assert b"last words" in b"".join(printed(place, done.run, "start", "stdout"))


@pytest.mark.parametrize("launcher", ["fork", "spawn"])
def test_what_user_code_scribbles_into_the_tasks_own_channel_harms_nobody(launcher: str, tmp_path: Path) -> None:
    junk = [
        '"text"',
        "[]",
        "{",
        '{"type": "outcome"}',
        '{"type": "outcome", "outcome": 3}',
        '{"type": "record"}',
        '{"type": "redact"}',
        "\xff",
    ]
    scribble = (
        "\n        ".join(
            [
                "import socket, stat",
                "for fd in range(3, 64):",
                "    try:",
                "        if stat.S_ISSOCK(os.fstat(fd).st_mode):",
                f"            os.write(fd, {chr(10).join(junk)!r}.encode('latin-1') + b'\\n')",
                "    except OSError:",
                "        pass",
            ]
        )
    )  # fmt: skip
    place = Place(tmp_path / "place", "Prints", ONE.replace("STATEMENT", scribble))

    done = place.run("-o", f"launcher.name={launcher}")

    assert (done.status, done.code) == (0, None), done
    assert place.committed(done.run) == {"start/0", "end/0"}


LONG_WORDS = """
from headrace import FlowSpec, retry, step

class Words(FlowSpec):
    @retry(times=4, minutes_between_retries=0)
    @step
    def start(self):
        raise ValueError("long" * 500_000)
        self.next(self.end)

    @step
    def end(self):
        pass
"""


@pytest.mark.parametrize("launcher", ["fork", "spawn"])
def test_an_exception_of_many_words_is_retried_and_told_shortened(launcher: str, tmp_path: Path) -> None:
    place = Place(tmp_path / "place", "Words", LONG_WORDS)

    done = place.run("-o", f"launcher.name={launcher}")

    assert (done.status, done.code) == (1, "run-failed")
    assert re.search(r"Step 'start' failed in attempt 4 .*: ValueError: longlong", done.errors)
    assert len(done.errors) < 500_000
    with place.open(done.run) as store:
        failures = [record.outcome.failure for record in store.attempts("start", "0")]
    assert [(each.type, "[1990000 characters left out]" in each.message) for each in failures if each] == [
        ("builtins.ValueError", True)
    ] * 5
    assert place.left() == []
