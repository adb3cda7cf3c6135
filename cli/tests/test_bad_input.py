import json
import re
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import Run

PREFIX = re.compile(r"error\[([a-z0-9-]+)\]: ")


def refused(done: "subprocess.CompletedProcess[str]") -> tuple[int, str]:
    """The exit status and the code of the error, of which there is exactly one and no traceback of ours."""
    text, status = done.stderr, done.returncode
    assert re.findall(r"File .*(?:headrace/|headrace_)\w+", text) == []
    assert "headrace_hookspecs" not in text
    codes = PREFIX.findall(text)
    assert len(codes) == 1, text
    return status, codes[0]


@pytest.mark.parametrize(
    ("file", "status", "code", "says"),
    [
        (None, 2, "flow-file-missing", "No such flow file: f.py"),
        ("x = 1\n", 2, "flow-file-empty", "defines no flow"),
        ("import nothing_of_that_name\n", 2, "flow-file-import", "No module named 'nothing_of_that_name'"),
        ("def broken(:\n", 2, "flow-file-import", "SyntaxError"),
        ("raise SystemExit(0)\n", 2, "flow-file-import", "sys.exit(0)"),
    ],
)
@pytest.mark.parametrize("verb", ["run", "show", "check", "resume"])
def test_a_file_that_is_no_flow(flow: Run, folder: Path, verb: str, file: str | None, status: int, code: str, says: str) -> None:
    if file is not None:
        (folder / "f.py").write_text(file)

    done = flow(verb, "f.py")

    assert refused(done) == (status, code)
    assert says in done.stderr


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["hello.py", "--greting", "x"], "parameter-unknown", "Did you mean --greeting?"),
        (["hello.py", "--fail-at", "x"], "parameter-invalid", "'fail-at'"),
        (["hello.py", "--names", "{"], "parameter-invalid", "'names'"),
        (["hello.py", "--max-workers", "0"], "option-invalid", "--max-workers"),
        (["hello.py", "--max-workers"], "option-invalid", "--max-workers"),
        (["hello.py", "extra"], "usage", "extra"),
        (["hello.py", "--tag", ""], "id-invalid", "tag"),
        (["hello.py", "-o", "datstore.name=files"], "config-invalid", "Did you mean 'datastore'?"),
        (["hello.py", "-o", "nonsense"], "config-option", "KEY=VALUE"),
        (["hello.py", "--profile", "prod"], "config-profile", "prod"),
        (["hello.py", "--directory", "nowhere"], "option-invalid", "nowhere"),
        ([], "argument-missing", "FILE"),
    ],
)
def test_a_call_that_is_worded_wrongly_ends_with_status_2(flow: Run, folder: Path, args: list[str], code: str, says: str) -> None:
    done = flow("run", *args)

    assert refused(done) == (2, code)
    assert says in done.stderr
    assert not (folder / ".headrace" / "HelloFlow").exists()


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["-o", "datastore.name=fils"], "plugin-unknown", "Did you mean 'files'?"),
        (["-o", "launcher.name=nomad"], "plugin-unknown", "pip install headrace-plugin-nomad"),
        (["--with", "retyr"], "plugin-unknown", "Did you mean 'retry'?"),
    ],
)
def test_an_unknown_plugin_is_answered_with_the_nearest_and_the_pip_line(flow: Run, args: list[str], code: str, says: str) -> None:
    done = flow("run", "hello.py", *args)

    assert refused(done) == (1, code)
    assert says in done.stderr


def test_every_lint_failure_has_a_code_a_place_and_a_remedy(flow: Run, folder: Path) -> None:
    text = (folder / "hello.py").read_text().replace("self.next(self.join)", "self.next(self.nowhere)")
    (folder / "hello.py").write_text(text)

    for verb in ("run", "check"):
        done = flow(verb, "hello.py")
        assert done.returncode == 1
        code, where = re.search(r"error\[(lint-[a-z-]+)\]: .*\n  at (.*), step greet\n", done.stdout + done.stderr).groups()  # type: ignore[union-attr]
        assert code.startswith("lint-")
        assert where == f"{folder}/hello.py:{text.splitlines().index('        self.next(self.nowhere)') + 1}"


STEPS = {
    "import sys; sys.exit(3)": ("run-failed-exit", "The step called sys.exit(3)"),
    "import os; os._exit(0)": ("run-failed-exit", "exit status 0 before the step was finished"),
    "import os; os.kill(os.getpid(), 9)": ("run-failed-signal", "killed by signal 9"),
    "import os; os.kill(os.getpid(), 11)": ("run-failed-signal", "segmentation fault"),
    "self.lock = (x for x in ())": ("run-failed-serialization", "self.lock cannot be stored"),
    "return": ("run-failed-transition", "Step 'start' ended without calling self.next()"),
    "1 / 0": ("run-failed", "ZeroDivisionError: division by zero"),
}


@pytest.mark.parametrize("statement", STEPS)
def test_a_step_that_ends_badly_is_a_failed_run_that_says_why(flow: Run, folder: Path, statement: str) -> None:
    code, says = STEPS[statement]
    text = (folder / "hello.py").read_text()
    (folder / "hello.py").write_text(text.replace('print("ready", end="")', f'print("ready", end=""); {statement}'))

    done = flow("run", "hello.py")

    assert refused(done) == (1, code)
    assert "Step 'start' failed in attempt 0" in done.stderr
    assert says in done.stderr
    assert flow("logs", "HelloFlow", "--stdout").stdout == "[start/0] ready\n"


def test_bytes_that_are_no_utf_8_are_shown_as_escapes_and_lose_nothing(flow: Run, folder: Path) -> None:
    text = (folder / "hello.py").read_text()
    raw = 'import sys; sys.stdout.buffer.write(b"caf\\xe9 \\xff\\n"); print("snow \\u2603", end="")'
    (folder / "hello.py").write_text(text.replace('print("ready", end="")', raw))

    done = flow("run", "hello.py", env={"PYTHONIOENCODING": "ascii"})

    assert done.returncode == 0, done.stderr
    assert "caf\\xe9 \\xff\n" in done.stdout
    assert "snow \\u2603\n" in done.stdout or "snow" in done.stdout
    assert flow("logs", "HelloFlow/latest/start", "--json").stdout.count("caf") == 1


def test_a_folder_that_may_not_be_written_is_named(flow: Run, folder: Path, unprivileged: Callable[..., list[Any]]) -> None:
    def work() -> list[Any]:
        done = flow("run", "hello.py")
        return [*refused(done), str(folder) in done.stderr]

    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        assert unprivileged(work) == [1, "store-read-only", True]
    finally:
        folder.chmod(stat.S_IRWXU)


def test_a_store_that_is_a_file_is_named(flow: Run, folder: Path) -> None:
    (folder / ".headrace").write_text("in the way")

    done = flow("run", "hello.py")

    assert refused(done)[0] == 1
    assert f"{folder}/.headrace" in done.stderr


@pytest.mark.parametrize(
    ("args", "status", "code"),
    [
        (["logs", "HelloFlow"], 1, "flow-not-found"),
        (["dump", "HelloFlow/x1"], 1, "run-not-found"),
        (["list", "HelloFlow"], 1, "flow-not-found"),
        (["resume", "hello.py"], 1, "run-not-found"),
        (["resume", "hello.py", "nowhere"], 2, "step-unknown"),
        (["resume", "hello.py", "--greeting", "hi"], 2, "option-unknown"),
        (["list", "HelloFlow/x1"], 1, "run-not-found"),
        (["logs", "../etc/passwd"], 2, "id-invalid"),
        (["list", "a/b/c/0/e/f"], 1, "pathspec-invalid"),
        (["logs"], 2, "argument-missing"),
        (["config", "get", "datastor.name"], 1, "config-key-unknown"),
        (["plugins", "info", "fils"], 1, "plugin-unknown"),
    ],
)
def test_things_that_do_not_exist(flow: Run, args: list[str], status: int, code: str) -> None:
    assert refused(flow(*args)) == (status, code)


def test_a_part_of_a_run_that_does_not_exist(flow: Run) -> None:
    flow("run", "hello.py")

    for args, code in [
        (["logs", "HelloFlow/latest/nowhere"], "step-not-found"),
        (["logs", "HelloFlow/latest/greet/7"], "task-not-found"),
        (["logs", "-f", "HelloFlow/latest/greet/7"], "task-not-found"),
        (["logs", "HelloFlow/latest/greet/0", "--attempt", "3"], "attempt-not-found"),
        (["dump", "HelloFlow/latest/greet/0/nothing"], "artifact-not-found"),
        (["list", "HelloFlow/latest/nowhere"], "step-not-found"),
    ]:
        assert refused(flow(*args)) == (1, code)


def test_an_error_of_ours_is_kept_in_a_file_and_shown_on_demand(flow: Run, folder: Path) -> None:
    program = (
        "-c",
        "from headrace_cli import session; session.CliSession.project = 1 / 1; from headrace_cli.main import main; main()",
        "flow",
    )
    broken = "import sys; sys.argv[:1] = ['flow']; from headrace_cli.commands import config; config._shown = None; from headrace_cli.main import main; main()"
    program = ("-c", broken)

    done = flow("config", "show", program=program)

    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert done.stderr.startswith("error[internal]: TypeError: ")
    file = Path(done.stderr.split()[-1])
    assert "config.py" in file.read_text()
    file.unlink()
    shown = flow("config", "show", program=program, env={"HEADRACE_DEBUG": "1"})
    assert "Traceback (most recent call last)" in shown.stderr
    Path(re.search(r"details in (\S+)", shown.stderr)[1]).unlink()  # type: ignore[index]


def test_with_json_an_error_is_one_line_of_json(flow: Run) -> None:
    done = flow("list", "HelloFlow", "--json")

    assert (done.returncode, done.stdout) == (1, "")
    assert set(json.loads(done.stderr)["error"]) == {"code", "message", "remedy", "file", "line", "step"}
