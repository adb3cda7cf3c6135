import json
import os
from pathlib import Path

import pytest

from .conftest import Run
from .test_group import third_party


def test_config_shows_every_value_with_its_origin(flow: Run, folder: Path) -> None:
    (folder / "headrace.toml").write_text("[run]\nmax_workers = 3\n[profile.big.run]\nmax_workers = 64\n")

    shown = json.loads(flow("config", "show", "run", "--json").stdout)
    assert shown["run.max_workers"] == {"value": 3, "origin": str(folder / "headrace.toml")}
    assert shown["run.grace"] == {"value": 5.0, "origin": "default"}
    assert json.loads(flow("--profile", "big", "config", "show", "run.max_workers", "--json").stdout)["run.max_workers"]["value"] == 64
    assert flow("config", "get", "run.max_workers", env={"HEADRACE_RUN__MAX_WORKERS": "5"}).stdout == "5\n"
    assert flow("config", "get", "datastore.name").stdout == "files\n"
    assert flow("config", "path").stdout == f"{folder}\n"
    assert flow("config").stdout == flow("config", "show").stdout
    header, first = flow("config", "show", "run.max_workers").stdout.splitlines()
    assert header.split() == ["KEY", "VALUE", "FROM"]
    assert first.split(maxsplit=2) == ["run.max_workers", "3", str(folder / "headrace.toml")]


def test_a_project_is_found_from_below_and_named_from_elsewhere(flow: Run, folder: Path) -> None:
    (folder / "headrace.toml").write_text("")
    (folder / "sub").mkdir()

    assert flow("config", "path", cwd=folder / "sub").stdout == f"{folder}\n"
    assert flow("config", "path", "--directory", str(folder), cwd=folder.parent).stdout == f"{folder}\n"


def test_plugins_are_listed_with_why_they_are_used(flow: Run) -> None:
    listed = json.loads(flow("plugins", "list", "--json").stdout)

    uses = {(each["group"], each["name"]): each["use"] for each in listed}
    assert uses["headrace.datastore", "files"] == "chosen by default"
    assert uses["headrace.launcher", "inline"] == "not chosen (launcher.name)"
    assert uses["headrace.serializer", "pickle"] == "by the value's type"
    assert uses["headrace.decorator", "retry"] == "where a flow names it"
    assert all(group != "headrace.front_end" for group, _ in uses)
    assert flow("plugins").stdout == flow("plugins", "list").stdout
    why = flow("plugins", "list", "--why", "-o", 'plugins.disable=["retry"]').stdout
    assert next(line for line in why.splitlines() if line.startswith("decorator") and " retry " in line).endswith("disabled")


def test_two_claimants_of_a_name_are_shown_in_conflict(flow: Run, tmp_path: Path) -> None:
    path = third_party(tmp_path / "site", "tidy", "")
    other = third_party(tmp_path / "other", "clean", "")
    (other / "acme_clean-2.1.dist-info" / "entry_points.txt").write_text("[headrace.command]\ntidy = acme_clean:command\n")
    env = {"PYTHONPATH": f"{path}{os.pathsep}{other}"}

    listed = json.loads(flow("plugins", "list", "--json", env=env).stdout)
    assert [each["use"] for each in listed if each["name"] == "tidy"] == ["in conflict", "in conflict"]
    preferred = flow("plugins", "list", "--json", "-o", "plugins.prefer.command.tidy=acme-tidy", env=env)
    uses = {each["distribution"]: each["use"] for each in json.loads(preferred.stdout) if each["name"] == "tidy"}
    assert uses == {"acme-clean": "gives way to acme-tidy", "acme-tidy": "on demand"}


def test_info_tells_what_can_be_configured(flow: Run) -> None:
    (found,) = json.loads(flow("plugins", "info", "files", "--json").stdout)

    assert (found["kind"], found["name"], found["distribution"], found["api"]) == ("datastore", "files", "headrace-plugin-files", "1.0")
    assert found["config"][0]["key"].startswith("datastore.files.")
    (retry,) = json.loads(flow("plugins", "info", "decorator.retry", "--json").stdout)
    assert "decorator.retry.times" in {field["key"] for field in retry["config"]}
    assert "  distribution  headrace-plugin-files\n" in flow("plugins", "info", "files").stdout


def test_a_lock_lets_nothing_in_that_it_does_not_name(flow: Run, folder: Path, tmp_path: Path) -> None:
    (folder / "headrace.toml").write_text("")
    path = third_party(tmp_path / "site", "tidy", "")

    locked = flow("plugins", "lock")

    file = folder / "headrace.lock.json"
    assert locked.stdout == f"{file}: {len(json.loads(file.read_text())['plugins'])} entries\n"
    listed = json.loads(flow("plugins", "list", "--json", env={"PYTHONPATH": str(path)}).stdout)
    assert [each for each in listed if each["name"] == "tidy"] == []
    assert flow("run", "hello.py").returncode == 0


def test_doctor_finds_a_good_installation_good(flow: Run, folder: Path) -> None:
    done = flow("doctor", "--json")

    assert done.returncode == 0, done.stdout
    found = json.loads(done.stdout)
    assert {each["severity"] for each in found} == {"info"}
    codes = [each["code"] for each in found]
    assert codes[:5] == ["doctor-python", "doctor-project", "doctor-datastore", "doctor-metadata", "doctor-plugins"]
    assert f"{folder}/.headrace" in found[2]["message"]
    assert flow("doctor").stdout.startswith("+ Python 3.")
    assert flow("list").stdout == ""


def test_doctor_names_what_is_broken_and_goes_on(flow: Run, folder: Path, tmp_path: Path) -> None:
    path = third_party(tmp_path / "site", "broken", "raise RuntimeError('boom')")
    (folder / ".headrace").write_text("in the way")

    done = flow("doctor", "--json", env={"PYTHONPATH": str(path)})

    assert done.returncode == 1
    errors = [each for each in json.loads(done.stdout) if each["severity"] == "error"]
    assert [each["code"].partition("-")[0] for each in errors] == ["store", "store", "plugin"]
    assert "acme-broken" in errors[-1]["message"]


def test_doctor_shows_a_broken_configuration(flow: Run, folder: Path) -> None:
    (folder / "headrace.toml").write_text("[run\n")

    done = flow("doctor")

    assert done.returncode == 1
    assert "x This is not TOML" in done.stdout


HOOKS = """
from headrace_hookspecs import Diagnostic, hookimpl

class Hooks:
    @hookimpl
    def headrace_doctor(self, request):
        return [Diagnostic("warning", f"online: {request.online}", code="acme-mood", remedy="Cheer up.")]

    @hookimpl
    def headrace_graph_check(self, request):
        return [Diagnostic("warning", "No cost centre.", code="acme-cost", step="greet", source=request.graph.steps["greet"].source)]

plugin = Hooks()
"""


@pytest.fixture
def hooks(tmp_path: Path) -> dict[str, str]:
    """The environment in which a plugin has an opinion."""
    site = tmp_path / "site"
    info = site / "acme_opinion-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-opinion\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[headrace.hooks]\nopinion = acme_opinion:plugin\n")
    (site / "acme_opinion.py").write_text(HOOKS)
    return {"PYTHONPATH": str(site)}


def test_doctor_asks_the_plugins(flow: Run, hooks: dict[str, str]) -> None:
    done = flow("doctor", "--online", env=hooks)

    assert done.returncode == 0
    assert done.stdout.endswith("! online: True\n    Cheer up.\n")


def test_check_shows_what_plugins_say_with_the_line(flow: Run, folder: Path, hooks: dict[str, str]) -> None:
    done = flow("check", "hello.py", env=hooks)

    lines = (folder / "hello.py").read_text().splitlines()
    assert done.returncode == 0
    assert done.stdout.startswith(f"warning[acme-cost]: No cost centre.\n  at {folder}/hello.py:")
    assert lines[int(done.stdout.split(":")[-1].split(",")[0]) - 1].strip() in ("def greet(self):", "@step")
    assert done.stderr == "HelloFlow: no errors.\n"
    (found,) = json.loads(flow("check", "hello.py", "--json", env=hooks).stdout)
    assert (found["severity"], found["code"], found["step"]) == ("warning", "acme-cost", "greet")


def test_check_finds_every_fault_at_once(flow: Run, folder: Path) -> None:
    text = (folder / "hello.py").read_text()
    (folder / "hello.py").write_text(text.replace("self.next(self.join)", "self.next(self.nowhere)").replace("self.next(self.end)", "pass"))

    done = flow("check", "hello.py", "--json")

    assert done.returncode == 1
    found = [each for each in json.loads(done.stdout) if each["severity"] == "error"]
    assert {"greet", "join"} <= {each["step"] for each in found}
    assert all(each["code"].startswith("lint-") and each["file"] == f"{folder}/hello.py" and each["line"] for each in found)


def test_show_prints_the_graph_as_text_json_and_dot(flow: Run, folder: Path) -> None:
    text = (folder / "hello.py").read_text()
    text = text.replace("FlowSpec, JSON", "FlowSpec, retry, JSON").replace(
        "    @step\n    def join", "    @retry(times=2)\n    @step\n    def join"
    )
    (folder / "hello.py").write_text(text)

    shown = flow("show", "hello.py").stdout
    assert shown == (
        f"HelloFlow  {folder}/hello.py:{text.splitlines().index('class HelloFlow(FlowSpec):') + 1}\n"
        "Greets everybody.\n\n"
        "Step start\n  Where it begins.\n  => greet  (foreach self.people)\n\n"
        "Step greet\n  ?\n  => join\n\n"
        "@retry(times=2)\nStep join\n  ?\n  => end\n\n"
        "Step end\n  ?\n"
    )
    graph = json.loads(flow("show", "hello.py", "--json").stdout)
    assert list(graph["steps"]) == ["start", "greet", "join", "end"]
    assert flow("show", "hello.py", "--dot").stdout == (
        "digraph HelloFlow {\n  rankdir=LR;\n"
        '  node [shape=box, fontname="sans-serif"];\n'
        "  start [shape=box3d];\n"
        '  start -> greet [label="each of people"];\n'
        "  greet [shape=box];\n  greet -> join;\n"
        "  join [shape=invhouse];\n  join -> end;\n"
        "  end [shape=box];\n}\n"
    )
