import json
import os
import pickle
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .conftest import Run, environment

LINE = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) (?:\[([\w.-]+)/([a-z_]+)/([\d.-]+)(?: \(pid \d+\))?\] )?(.*)")

WAITING = '''\
import os, time
from headrace import FlowSpec, step

class WaitingFlow(FlowSpec):
    """Waits until somebody makes the file `go`."""

    @step
    def start(self):
        self.items = [0, 1, 2]
        self.next(self.wait, foreach="items")

    @step
    def wait(self):
        print("waiting", flush=True)
        while not os.path.exists("go"):
            time.sleep(0.01)
        self.next(self.join)

    @step
    def join(self, inputs):
        self.next(self.end)

    @step
    def end(self):
        pass
'''


def told(stdout: str) -> list[tuple[str, str]]:
    """(step/task or nothing, text) of each console line."""
    lines = []
    for line in stdout.splitlines():
        match = LINE.fullmatch(line)
        assert match is not None, line
        lines.append((f"{match[3]}/{match[4]}" if match[3] else "", match[5]))
    return lines


def sizeless(text: str) -> str:
    """How many bytes a value takes is the serializer's affair."""
    return re.sub(r"size: \d+", "size: N", text)


def test_a_run_ends_well_and_tells_it_in_the_lines_of_the_contract(flow: Run, folder: Path) -> None:
    done = flow("run", "hello.py", "--run-id-file", "run id", "--max-workers", "1")

    run = (folder / "run id").read_text()
    assert done.returncode == 0
    assert done.stderr == f"Data of this run: {folder}/.headrace\n"
    assert told(done.stdout) == [
        ("", f"Workflow starting (run-id {run}):"),
        ("start/0", "Task is starting."),
        ("start/0", "ready"),
        ("start/0", "Task finished successfully."),
        ("start/0", "Foreach yields 2 child steps."),
        ("greet/0", "Task is starting."),
        ("greet/0", "  hello ada"),
        ("greet/0", "Task finished successfully."),
        ("greet/1", "Task is starting."),
        ("greet/1", "  hello bob"),
        ("greet/1", "Task finished successfully."),
        ("join/0", "Task is starting."),
        ("join/0", "Task finished successfully."),
        ("end/0", "Task is starting."),
        ("end/0", "Task finished successfully."),
        ("", "Done!"),
    ]


def test_quiet_says_nothing_on_stderr(flow: Run) -> None:
    done = flow("run", "hello.py", "-q")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("Done!\n")


def test_parameters_come_from_options_and_the_environment(flow: Run) -> None:
    done = flow("run", "--loud", "hello.py", "--names", '["eve"]', env={"HEADRACE_PARAM_GREETING": "hi"})

    assert done.returncode == 0, done.stderr
    values = json.loads(flow("dump", "HelloFlow", "--json").stdout)
    assert [each["shouted"]["value"] for each in values.values()] == [["HI EVE"]]


def test_help_of_a_file_shows_the_flows_parameters_in_their_order(flow: Run) -> None:
    done = flow("run", "hello.py", "--help")

    assert done.returncode == 0
    section = done.stdout.partition("Parameters of HelloFlow:\n")[2].partition("\n\n")[0]
    assert [re.sub(r" +", " ", line).strip() for line in section.splitlines()] == [
        '--names JSON Whom to greet. [default: ["ada", "bob"]]',
        "--greeting TEXT How to greet. [default: hello]",
        "--fail-at INTEGER The index that fails. [default: -1]",
        "--loud Whether to shout.",
    ]


def test_a_failed_run_shows_the_traceback_first_and_how_to_look_closer(flow: Run, folder: Path) -> None:
    done = flow("run", "hello.py", "--fail-at", "1")

    assert done.returncode == 1
    assert told(done.stdout)[-1] == ("", "Workflow failed.")
    run = json.loads(flow("list", "HelloFlow", "--json").stdout)["runs"][0]["run"]
    task = f"HelloFlow/{run}/greet/1"
    line = (folder / "hello.py").read_text().splitlines().index('            raise ValueError(f"no greeting for {self.input}")') + 1
    assert done.stderr.splitlines()[1:] == [
        "Traceback (most recent call last):",
        f'  File "{folder}/hello.py", line {line}, in greet',
        '    raise ValueError(f"no greeting for {self.input}")',
        "ValueError: no greeting for bob",
        f"error[run-failed]: Step 'greet' failed in attempt 0 of task {task}: ValueError: no greeting for bob",
        f"  at {folder}/hello.py:{line}, step greet",
        "  To look closer:",
        f"    flow logs {task}  what it printed",
        f"    flow dump {task}  what it had assigned",
        f"    flow run hello.py -o launcher.name=inline{' ' * (len(task) - 31)}  run in this process, where breakpoint() works",
        f"    flow resume hello.py{' ' * (len(task) - 10)}  go on from here once it is mended",
    ]
    assert flow("logs", task, "--stderr").stdout.endswith("ValueError: no greeting for bob\n")
    assert sizeless(flow("dump", task).stdout).endswith("text [size: N type: str] = 'hello bob'\n")


def test_what_is_offered_after_a_failure_works_where_the_user_stands(flow: Run, folder: Path) -> None:
    done = flow("run", f"{folder.name}/hello.py", "--fail-at", "1", cwd=folder.parent)

    offered = [shlex.split(line)[1:6] for line in done.stderr.splitlines() if line.startswith("    flow logs")]
    shown = flow(*offered[0][:4], cwd=folder.parent)
    assert (shown.returncode, shown.stdout.splitlines()[-1]) == (0, "ValueError: no greeting for bob")


def test_resume_takes_over_what_is_done_and_ends_the_run(flow: Run, folder: Path) -> None:
    assert flow("run", "hello.py", "--fail-at", "1", "--max-workers", "1").returncode == 1
    text = (folder / "hello.py").read_text()
    (folder / "hello.py").write_text(text.replace("if self.index == self.fail_at:", "if False:"))

    done = flow("resume", "hello.py")

    assert done.returncode == 0, done.stderr
    lines = told(done.stdout)
    assert [task for task, line in lines if line.startswith("Reusing")] == ["start/0", "greet/0"]
    assert [task for task, line in lines if line == "Task is starting."] == ["greet/1", "join/0", "end/0"]
    tasks = json.loads(flow("list", "HelloFlow/latest", "--json").stdout)["tasks"]
    assert [(task["step"], task["task"], task["reused"]) for task in tasks] == [
        ("start", "0", True),
        ("greet", "0", True),
        ("greet", "1", False),
        ("join", "0", False),
        ("end", "0", False),
    ]
    assert flow("logs", "HelloFlow/latest/greet").stdout == "[greet/0]   hello ada\n[greet/1]   hello bob\n"

    again = flow("resume", "hello.py", "join")
    assert [task for task, line in told(again.stdout) if line == "Task is starting."] == ["join/0", "end/0"]


def test_json_is_a_stream_of_events_that_ends_with_the_result(flow: Run) -> None:
    done = flow("run", "hello.py", "--json", "--fail-at", "0", "--tag", "nightly", "--max-workers", "1")

    assert done.returncode == 1
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["kind"] for event in events][:4] == ["run-started", "attempt-started", "log-line", "attempt-ended"]
    assert events[0]["data"]["tags"] == ["nightly"]
    last = events[-1]
    assert (last["kind"], last["data"]["state"], last["data"]["failed_attempt"]) == ("run-ended", "failed", 0)
    assert last["data"]["failed_task"] == f"HelloFlow/{last['run']}/greet/0"
    error = json.loads(done.stderr.splitlines()[-1])["error"]
    assert (error["code"], error["step"]) == ("run-failed", "greet")


@pytest.mark.parametrize("launcher", ["fork", "spawn", "inline"])
def test_every_launcher_tells_the_same_lines(flow: Run, launcher: str) -> None:
    done = flow("run", "hello.py", "-o", f"launcher.name={launcher}", "--max-workers", "1", "--json")

    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["data"]["text"] for event in events if event["kind"] == "log-line"] == ["ready", "  hello ada", "  hello bob"]


def test_what_an_inline_task_prints_is_on_the_terminal_once(flow: Run) -> None:
    done = flow("run", "hello.py", "-o", "launcher.name=inline")

    assert done.returncode == 0
    assert done.stdout.count("hello ada") == 1


def test_a_file_with_two_flows_and_a_module_are_named(flow: Run, folder: Path) -> None:
    text = (folder / "hello.py").read_text()
    (folder / "two.py").write_text(text + text[text.index("class HelloFlow") :].replace("HelloFlow", "OtherFlow"))

    refused = flow("run", "two.py")
    assert (refused.returncode, refused.stderr.partition(":")[0]) == (2, "error[flow-file-several]")
    assert flow("run", "two.py:OtherFlow").returncode == 0
    assert flow("run", "-m", "two:OtherFlow").returncode == 0
    assert flow("resume", "-m", "two:OtherFlow", "join").returncode == 0
    runs = json.loads(flow("list", "--json").stdout)["flows"]
    assert [(each["flow"], each["runs"]) for each in runs] == [("OtherFlow", 3)]


def test_a_reader_that_goes_away_does_not_end_the_run(flow: Run, folder: Path) -> None:
    command = [sys.executable, "-m", "headrace_cli", "run", "hello.py"]
    with subprocess.Popen(command, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        assert program.stdout is not None
        program.stdout.readline()
        program.stdout.close()
        assert program.wait(60) == 0
    assert json.loads(flow("list", "HelloFlow", "--json").stdout)["runs"][0]["state"] == "succeeded"


def test_ctrl_c_ends_the_run_with_a_message_and_status_1(flow: Run, folder: Path) -> None:
    (folder / "waiting.py").write_text(WAITING)
    command = [sys.executable, "-m", "headrace_cli", "run", "waiting.py"]
    options: dict[str, Any] = {"cwd": folder, "env": environment(), "text": True, "start_new_session": True}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        while "waiting" not in program.stdout.readline():
            pass
        os.killpg(program.pid, signal.SIGINT)
        rest, said = program.stdout.read(), program.stderr.read()
        assert program.wait(60) == 1
    assert told(rest)[-1] == ("", "Workflow interrupted.")
    run = json.loads(flow("list", "WaitingFlow", "--json").stdout)["runs"][0]
    assert run["state"] == "cancelled"
    assert said.splitlines()[1:] == [
        f"error[run-interrupted]: Run WaitingFlow/{run['run']} was interrupted.",
        "  To go on with it: flow resume waiting.py",
    ]


def test_logs_are_followed_until_the_run_has_ended(flow: Run, folder: Path) -> None:
    (folder / "waiting.py").write_text(WAITING)
    program = [sys.executable, "-m", "headrace_cli"]
    options: dict[str, Any] = {"cwd": folder, "env": environment(), "text": True, "stdout": subprocess.PIPE}
    with subprocess.Popen([*program, "run", "waiting.py"], **options) as running:
        assert running.stdout is not None
        while "waiting" not in running.stdout.readline():
            pass
        with subprocess.Popen([*program, "logs", "WaitingFlow", "-f", "--json"], **options) as following:
            (folder / "go").touch()
            assert following.stdout is not None
            lines = [json.loads(line) for line in following.stdout]
            assert following.wait(60) == 0
        running.stdout.read()
        assert running.wait(60) == 0
    assert sorted((line["step"], line["task"], line["stream"], line["text"]) for line in lines) == [
        ("wait", str(index), "stdout", "waiting") for index in range(3)
    ]


def test_dump_shows_plain_values_and_only_describes_pickled_ones(flow: Run, folder: Path) -> None:
    flow("run", "hello.py")

    assert sizeless(flow("dump", "HelloFlow/latest/greet/0").stdout).splitlines() == [
        "custom [size: N type: hello.Custom] = < stored by pickle; --load shows it >",
        "people [size: N type: list] = ['ada', 'bob']",
        "text [size: N type: str] = 'hello ada'",
    ]
    assert sizeless(flow("dump", "HelloFlow/latest/greet/0/text").stdout) == "text [size: N type: str] = 'hello ada'\n"
    large = flow("dump", "HelloFlow/latest/start", "--max-value-size", "3")
    assert sizeless(large.stdout) == "people [size: N type: list] = < artifact too large >\n"
    assert sizeless(flow("dump", "HelloFlow/latest/start", "--max-value-size", "0").stdout) == "people [size: N type: list]\n"
    loaded = flow("dump", "HelloFlow/latest/greet/0", "--load", "--name", "custom", program=("hello.py",))
    assert sizeless(loaded.stdout) == "custom [size: N type: hello.Custom] = Custom('hello ada')\n"
    missing = flow("dump", "HelloFlow/latest/greet", "--name", "nothing")
    assert (missing.returncode, missing.stderr.partition(":")[0]) == (1, "error[artifact-not-found]")

    assert flow("dump", "HelloFlow/latest/greet", "--name", "text", "--to", "values.pkl").returncode == 0
    values = pickle.loads((folder / "values.pkl").read_bytes())
    assert list(values.values()) == [{"text": "hello ada"}, {"text": "hello bob"}]


def test_lists_go_from_flows_to_artifacts(flow: Run) -> None:
    flow("run", "hello.py", "--tag", "first")
    flow("run", "hello.py", "--tag", "second", "--fail-at", "0")

    def listed(*args: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(flow("list", *args, "--json").stdout)
        return found

    runs = listed("HelloFlow")["runs"]
    assert [(run["state"], run["tags"], run["origin"]) for run in runs] == [("failed", ["second"], None), ("succeeded", ["first"], None)]
    assert listed()["flows"] == [{"flow": "HelloFlow", "runs": 2, **{f"latest_{key}": value for key, value in runs[0].items()}}]
    assert listed("HelloFlow", "--tag", "first")["runs"] == runs[1:]
    assert listed("HelloFlow", "--state", "failed")["runs"] == runs[:1]
    assert listed("HelloFlow", "--limit", "1")["runs"] == runs[:1]
    assert flow("list", "HelloFlow", "--limit", "1").stderr == "There are more; see them with --limit N.\n"
    done = f"HelloFlow/{runs[1]['run']}"
    assert [(task["step"], task["task"], task["state"], task["attempts"]) for task in listed(done)["tasks"]] == [
        ("start", "0", "succeeded", 1),
        ("greet", "0", "succeeded", 1),
        ("greet", "1", "succeeded", 1),
        ("join", "0", "succeeded", 1),
        ("end", "0", "succeeded", 1),
    ]
    assert [task["task"] for task in listed(f"{done}/greet")["tasks"]] == ["0", "1"]
    artifacts = listed(f"{done}/greet/0")["artifacts"]
    assert all(artifact["size"] > 0 for artifact in artifacts)
    assert [(each["artifact"], each["type"], each["serializer"]) for each in artifacts] == [
        ("custom", "hello.Custom", "pickle"),
        ("people", "list", "plain"),
        ("text", "str", "plain"),
    ]
    header, first, _ = flow("list", "HelloFlow").stdout.splitlines()
    assert header.split() == ["RUN", "STATE", "STARTED", "TOOK", "TAGS"]
    assert first.split()[:2] == [runs[0]["run"], "failed"]


TEAM = """
import attrs
from headrace_hookspecs import Option, flow_decorator

team = flow_decorator("team", "acme_team:Team")

@attrs.frozen
class Config:
    name: str

class Team:
    name = "team"
    multiple = False

    def __init__(self, config):
        self.config = config

    @classmethod
    def config_class(cls):
        return Config

    def options(self):
        return (Option("branch", "str", "main", "The branch to work in."), Option("urgent", "bool", False, "Whether it hurries."))

    def plan(self, graph, options, context):
        return attrs.evolve(graph, tags=(f"team:{self.config.name}", f"branch:{options['branch']}", f"urgent:{options['urgent']}"))
"""


def test_options_of_flow_decorators_are_options_of_the_run(flow: Run, folder: Path, tmp_path: Path) -> None:
    info = tmp_path / "site" / "acme_team-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-team\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[headrace.decorator]\nteam = acme_team:team\n")
    (tmp_path / "site" / "acme_team.py").write_text(TEAM)
    text = (folder / "hello.py").read_text()
    (folder / "hello.py").write_text(text.replace("class HelloFlow", "from acme_team import team\n\n\n@team(name='ml')\nclass HelloFlow"))
    env = {"PYTHONPATH": str(tmp_path / "site")}

    section = flow("run", "hello.py", "--help", env=env).stdout.partition("Options of @team:\n")[2].partition("\n\n")[0]
    assert [re.sub(r" +", " ", line).strip() for line in section.splitlines()] == [
        "--branch TEXT The branch to work in. [default: main]",
        "--urgent BOOLEAN Whether it hurries. [default: False]",
    ]
    done = flow("run", "--branch", "fix", "hello.py", "--urgent", "true", env=env)
    assert done.returncode == 0, done.stderr
    (run,) = json.loads(flow("list", "HelloFlow", "--json").stdout)["runs"]
    assert run["tags"] == ["branch:fix", "team:ml", "urgent:True"]
