import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from headrace_cli.main import COMMANDS, OF_A_FILE

from .conftest import Run, environment

IMPORTS = """
import sys
sys.argv = ["flow", *{args!r}]
from headrace_cli.main import main
try:
    main()
except SystemExit:
    pass
import json
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def imported(*args: str, path: str = "") -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS.format(args=args)], capture_output=True, text=True, check=True, env=environment(PYTHONPATH=path)
    )
    modules: list[str] = json.loads(done.stderr.splitlines()[-1])
    return modules


def third_party(folder: Path, name: str, code: str) -> Path:
    """A distribution `acme-NAME` that brings the command NAME."""
    info = folder / f"acme_{name}-2.1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: acme-{name}\nVersion: 2.1\n")
    (info / "entry_points.txt").write_text(f"[headrace.command]\n{name} = acme_{name}:command\n")
    (folder / f"acme_{name}.py").write_text(code)
    return folder


SESSION_COMMAND = """
import click

@click.command("tidy")
@click.argument("flow")
@click.pass_obj
def command(session, flow):
    "Tidies."
    run = next(iter(session.runs(flow)))
    tasks = list(session.tasks(flow, run.run))
    session.echo(f"{len(tasks)} tasks")
    session.emit({
        "steps": sorted({task.pathspec.split("/")[2] for task in tasks}),
        "texts": session.task(f"{flow}/{run.run}/join/0").artifact("texts"),
        "kinds": sorted({fact.kind for fact in session.facts(flow, run.run)}),
        "store": session.config["datastore"]["name"],
    })
"""


@pytest.mark.parametrize("args", [("--help",), ("--version",), ()])
def test_help_imports_click_the_index_and_nothing_else(args: tuple[str, ...], tmp_path: Path) -> None:
    folder = third_party(tmp_path, "broken", "raise RuntimeError('must not be imported')")

    modules = imported(*args, path=str(folder))

    assert [name for name in modules if name.partition(".")[0] in ("attr", "attrs", "pluggy", "cattrs", "asyncio", "ssl", "email")] == []
    assert [name for name in modules if name.startswith("importlib.metadata") or name.startswith("importlib_metadata")] == []
    assert [name for name in modules if name.startswith("headrace")] == [
        "headrace",
        "headrace.host",
        "headrace.host.index",
        "headrace_cli",
        "headrace_cli.errors",
        "headrace_cli.main",
        "headrace_cli.options",
        "headrace_cli.output",
        "headrace_cli.session",
        "headrace_hookspecs",
        "headrace_hookspecs.errors",
    ]


def test_every_command_of_ours_is_listed_and_has_help_with_an_example(flow: Run) -> None:
    listed = flow("--help").stdout

    for name, text in COMMANDS.items():
        assert f"  {name:<10} {text}\n" in listed
        shown = flow(name, "--help")
        assert (shown.returncode, shown.stderr) == (0, "")
        assert f"  flow {name}" in shown.stdout


def test_flow_alone_is_its_help(flow: Run) -> None:
    assert flow().stdout == flow("--help").stdout == flow("-h").stdout


def test_a_command_of_another_distribution_is_listed_unimported_and_gets_a_session(flow: Run, tmp_path: Path) -> None:
    path = third_party(tmp_path / "site", "tidy", SESSION_COMMAND)
    third_party(path, "broken", "raise RuntimeError('boom')")
    env = {"PYTHONPATH": str(path)}

    listed = flow("--help", env=env)
    assert listed.returncode == 0
    assert "Commands of plugins:\n  broken  from acme-broken\n  tidy    from acme-tidy\n" in listed.stdout

    flow("run", "hello.py")
    done = flow("tidy", "HelloFlow", env=env)
    assert done.stderr == ""
    first, _, rest = done.stdout.partition("\n")
    assert first == "5 tasks"
    assert json.loads(rest) == {
        "steps": ["end", "greet", "join", "start"],
        "texts": ["hello ada", "hello bob"],
        "kinds": ["commit", "end", "run"],
        "store": "files",
    }


def test_a_command_that_cannot_be_imported_names_its_distribution(flow: Run, tmp_path: Path) -> None:
    path = third_party(tmp_path / "site", "broken", "raise RuntimeError('boom')")

    done = flow("broken", env={"PYTHONPATH": str(path)})

    assert done.returncode == 1
    assert done.stderr.startswith("error[plugin-import]:")
    assert "acme-broken" in done.stderr


def test_an_unknown_command_is_answered_with_the_nearest(flow: Run) -> None:
    done = flow("resum", "hello.py")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error[command-unknown]: There is no command 'resum'.\n  Did you mean 'resume'?\n"
    assert "To run a flow, say 'flow run hello.py'." in flow("hello.py").stderr


def test_options_of_the_project_may_stand_before_and_after_the_command(flow: Run) -> None:
    before = flow("-o", "run.grace=7.5", "config", "get", "run.grace")
    after = flow("config", "get", "-o", "run.grace=7.5", "run.grace")

    assert before.stdout == after.stdout == "7.5\n"
    assert flow("-o", "run.grace=7.5", "config", "get", "run.grace", "-o", "run.grace=8").stdout == "8.0\n"


def test_python_file_is_the_same_program(flow: Run, folder: Path) -> None:
    program = ("hello.py",)

    alone = flow(program=program)
    assert alone.returncode == 0
    assert alone.stdout.startswith("Usage: python hello.py [OPTIONS] [COMMAND] [ARGS]...\n\n  Greets everybody.\n")
    assert [name for name in COMMANDS if f"\n  {name} " in alone.stdout] == list(OF_A_FILE)

    ran = flow("run", "--greeting", "hi", program=program)
    assert (ran.returncode, ran.stdout.splitlines()[-1][-5:]) == (0, "Done!")
    assert flow("dump", "latest/join/0", "--name", "texts", program=program).stdout.endswith("= ['hi ada', 'hi bob']\n")
    assert flow("logs", "latest/greet/1", program=program).stdout == "  hi bob\n"
    assert flow("show", program=program).stdout == flow("show", "hello.py").stdout
    assert flow("check", program=program).stderr == "HelloFlow: no errors.\n"


def test_python_file_works_from_another_folder_with_the_files_own_project(flow: Run, folder: Path, tmp_path: Path) -> None:
    ran = flow("run", program=(str(folder / "hello.py"),), cwd=tmp_path)

    assert ran.returncode == 0
    assert os.listdir(tmp_path) == [folder.name]
    assert json.loads(flow("list", "--json").stdout)["flows"][0]["runs"] == 1


@pytest.mark.parametrize(("shell", "marker"), [("bash", "_FLOW_COMPLETE=bash_complete"), ("zsh", "#compdef flow"), ("fish", "complete")])
def test_shells_get_their_completion_script(flow: Run, shell: str, marker: str) -> None:
    script = subprocess.run(
        [sys.executable, "-c", "from headrace_cli.main import main; main()"],
        env=environment(_FLOW_COMPLETE=f"{shell}_source"),
        capture_output=True,
        text=True,
    )

    assert script.returncode == 0
    assert marker in script.stdout


def test_commands_parameters_runs_and_pathspecs_are_completed(flow: Run) -> None:
    flow("run", "hello.py")
    run = json.loads(flow("list", "HelloFlow", "--json").stdout)["runs"][0]["run"]

    def completed(*words: str) -> list[str]:
        env = {"_FLOW_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(["flow", *words]), "COMP_CWORD": str(len(words))}
        done = flow(env=env)
        assert done.stderr == ""
        return [line.partition(",")[2] for line in done.stdout.splitlines() if line]

    assert completed("res") == ["resume"]
    assert completed("run", "hello.py", "--gre") == ["--greeting"]
    assert completed("logs", "Hel") == ["HelloFlow"]
    assert completed("logs", f"HelloFlow/{run[:4]}") == [f"HelloFlow/{run}"]
    assert completed("dump", "HelloFlow/latest/") == [f"HelloFlow/latest/{step}" for step in ("start", "greet", "join", "end")]
    assert completed("dump", "HelloFlow/latest/greet/") == ["HelloFlow/latest/greet/0", "HelloFlow/latest/greet/1"]
    assert completed("dump", "HelloFlow/latest/join/0/") == ["HelloFlow/latest/join/0/texts"]
    assert completed("logs", "Nobody/") == []
