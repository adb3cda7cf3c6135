"""Steps that end badly, in every way that user code can end: the run says why, keeps what was done and printed, and leaves nothing running."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from seeing import Place

FLOW = """
import os, sys, signal, time
from headrace import FlowSpec, retry, step

class NoText(Exception):
    def __str__(self):
        raise RuntimeError("no text")

class NoPickle(Exception):
    def __init__(self, stream):
        self.stream = stream
    def __reduce__(self):
        raise TypeError("not to be pickled")

class Base(BaseException):
    pass

class Unwilling:
    def __reduce__(self):
        raise RuntimeError("not to be stored")

class NoRepr(Exception):
    __repr__ = __str__ = None

def deeper(n):
    return deeper(n + 1) + 1

class Bad(FlowSpec):
    def note(self, what):
        with open(os.environ["SIDE"], "a") as side:
            side.write(what + "\\n")

    @step
    def start(self):
        self.note("start/0")
        self.next(self.bad, self.good)

    @retry(times=1, minutes_between_retries=0)
    @step
    def bad(self):
        self.note("bad/0")
        while "MENDED" not in os.environ and os.environ.get("WAIT", "after/0") not in open(os.environ["SIDE"]).read():
            os.sched_yield()
        if os.environ.get("MENDED") is None:
            print("first line")
            print("on stderr", file=sys.stderr)
            sys.stdout.write("last words")
            STATEMENT
        self.mended = True
        self.next(self.join)

    @step
    def good(self):
        self.note("good/0")
        self.value = 42
        self.next(self.after)

    @step
    def after(self):
        # by now the step before has committed
        self.note("after/0")
        self.next(self.join)

    @step
    def join(self, inputs):
        self.note("join/0")
        self.merge_artifacts(inputs)
        self.next(self.end)

    @step
    def end(self):
        self.note("end/0")
        self.result = (self.value, self.mended)

if __name__ == "__main__":
    Bad()
"""


class Ending(NamedTuple):
    """What a statement of a step leads to: failure kind, words of its message, attempts that are made, words that are in the log."""

    kind: str
    says: str
    attempts: int = 2
    logged: str = ""


ENDINGS = {
    "sys.exit()": Ending("exit", "sys.exit(None)", logged="SystemExit"),
    "sys.exit(0)": Ending("exit", "sys.exit(0)", logged="SystemExit: 0"),
    "sys.exit(3)": Ending("exit", "sys.exit(3)", logged="SystemExit: 3"),
    "sys.exit('words')": Ending("exit", "sys.exit('words')", logged="SystemExit: words"),
    "sys.exit(202)": Ending("exit", "sys.exit(202)", attempts=1, logged="SystemExit: 202"),
    "os._exit(0)": Ending("exit", "ended with exit status 0 before the step was finished"),
    "os._exit(1)": Ending("exit", "ended with exit status 1 before the step was finished"),
    "os._exit(202)": Ending("exit", "ended with exit status 202 before", attempts=1),
    "import ctypes; ctypes.string_at(0)": Ending("signal", "segmentation fault"),
    "os.abort()": Ending("signal", "killed by signal 6"),
    "os.kill(os.getpid(), signal.SIGKILL)": Ending("signal", "killed by signal 9"),
    "os.kill(os.getpid(), signal.SIGTERM); time.sleep(60)": Ending("signal", "killed by signal 15"),
    "signal.raise_signal(signal.SIGINT)": Ending("exception", "KeyboardInterrupt", logged="KeyboardInterrupt"),
    "raise KeyboardInterrupt": Ending("exception", "KeyboardInterrupt", logged="KeyboardInterrupt"),
    "raise GeneratorExit": Ending("exception", "GeneratorExit", logged="GeneratorExit"),
    "raise StopIteration('s')": Ending("exception", "StopIteration: s", logged="StopIteration: s"),
    "raise Base('b')": Ending("exception", "Base: b", logged="flow.Base: b"),
    "raise NoText": Ending("exception", "NoText: <no text: its __str__ raised RuntimeError>", logged="flow.NoText"),
    "raise NoRepr": Ending("exception", "NoRepr: <no text: its __str__ raised TypeError>", logged="flow.NoRepr"),
    "raise NoPickle(sys.stdin)": Ending("exception", "NoPickle: ", logged="flow.NoPickle"),
    "raise ValueError(chr(0xdcff))": Ending("exception", "ValueError: \\udcff", logged="ValueError: \\udcff"),
    "raise ValueError('x' * 3_000_000)": Ending("exception", "ValueError: xxx", logged="ValueError: xxx"),
    "deeper(0)": Ending("exception", "RecursionError: maximum recursion depth exceeded", logged="RecursionError"),
    "os.close(1); os.close(2); os.write(1, b'x')": Ending("exception", "Bad file descriptor"),
    "sys.stderr.close(); 1 / 0": Ending("exception", "division by zero"),
    "sys.stdout = sys.stderr = None; 1 / 0": Ending("exception", "division by zero"),
    "self.x = (n for n in ())": Ending("serialization", "self.x cannot be stored: no serializer takes a generator", logged="self.x"),
    "self.x = lambda: 1": Ending("serialization", "self.x cannot be stored: no serializer takes a function", logged="self.x"),
    "self.x = open('/dev/null')": Ending("serialization", "self.x cannot be stored", logged="self.x"),
    "self.x = Unwilling()": Ending("serialization", "self.x of type flow.Unwilling could not be stored", logged="not to be stored"),
    "self.x = []; [setattr(self, 'x', [self.x]) for _ in range(10_000)]": Ending(
        "serialization", "self.x cannot be stored", logged="self.x"
    ),
}
if sys.version_info >= (3, 11):
    ENDINGS["raise ExceptionGroup('both', [ValueError('one'), KeyError('two')])"] = Ending(
        "exception", "ExceptionGroup: both (2 sub-exceptions)", logged="ValueError: one"
    )
    ENDINGS["raise BaseExceptionGroup('worse', [KeyboardInterrupt()])"] = Ending(
        "exception", "BaseExceptionGroup: worse (1 sub-exception)", logged="KeyboardInterrupt"
    )

SOME = ["sys.exit(0)", "os._exit(0)", "raise NoText", "raise KeyboardInterrupt", "self.x = lambda: 1"]
"""Those that are tried with every launcher."""


def place_of(folder: Path, statement: str) -> Place:
    return Place(folder / "place", "Bad", FLOW.replace("STATEMENT", statement))


@pytest.mark.parametrize("statement", ENDINGS)
def test_a_step_that_ends_badly(statement: str, tmp_path: Path) -> None:
    place, ending = place_of(tmp_path, statement), ENDINGS[statement]

    done = place.run("--max-workers", "2")

    code = "run-failed" if ending.kind == "exception" else f"run-failed-{ending.kind}"
    assert (done.status, done.code) == (1, code)
    assert f"Step 'bad' failed in attempt {ending.attempts - 1} of task Bad/{done.run}/bad/0: " in done.errors
    assert ending.says in done.errors
    assert place.left() == []
    assert known(place, done.run, ending) == ("failed", [ending.kind] * ending.attempts)
    committed = place.committed(done.run)
    assert {"start/0", "good/0"} <= committed <= {"start/0", "good/0", "after/0"}
    assert sorted(place.ran()) == sorted(["start/0", "good/0", "after/0", *["bad/0"] * ending.attempts])


@pytest.mark.parametrize("statement", SOME)
def test_once_it_is_mended_the_run_goes_on_from_there(statement: str, tmp_path: Path) -> None:
    place = place_of(tmp_path, statement)
    done = place.run("--max-workers", "2")
    committed = place.committed(done.run)
    logged = place.flow("logs", f"Bad/{done.run}/bad/0")
    assert {"first line", "on stderr", "last words"} <= set(logged.output.splitlines())
    place.ran()

    resumed = place.resume(done.run, MENDED="yes")
    assert (resumed.status, resumed.code) == (0, None)
    assert set(place.ran()) == {"after/0", "bad/0", "join/0", "end/0"} - committed
    assert place.artifact(resumed.run, "end", "result") == (42, True)


OTHERS = [(launcher, statement) for launcher in ("spawn", "inline") for statement in SOME]
OTHERS.remove(("inline", "os._exit(0)"))  # ends the whole program, as it would without headrace


@pytest.mark.parametrize(("launcher", "statement"), OTHERS)
def test_other_launchers_say_the_same(launcher: str, statement: str, tmp_path: Path) -> None:
    ending = ENDINGS[statement]
    # inline tasks run one after the other
    place = Place(tmp_path / "place", "Bad", FLOW.replace("STATEMENT", statement).replace("self.bad, self.good", "self.good, self.bad"))

    done = place.run("--max-workers", "2" if launcher == "spawn" else "1", "-o", f"launcher.name={launcher}", WAIT="good/0")

    assert (done.status, done.code) == (1, "run-failed" if ending.kind == "exception" else f"run-failed-{ending.kind}")
    assert ending.says in done.errors
    assert known(place, done.run, ending) == ("failed", [ending.kind] * ending.attempts)
    assert place.left() == []


def known(place: Place, run: str | None, ending: Ending) -> tuple[str, list[str]]:
    """The state of a run, and how the attempts of its step `bad` failed, all of whose output has to be there."""
    with place.open(run) as store:
        kinds = []
        for record in store.attempts("bad", "0"):
            logged = [line.text for line in store.read_log("bad", "0", record.attempt)]
            assert {"first line", "on stderr", "last words"} <= set(logged)
            assert ending.logged in "\n".join(logged)
            assert record.outcome.failure is not None
            kinds.append(record.outcome.failure.kind)
        return str(store.state()), kinds
