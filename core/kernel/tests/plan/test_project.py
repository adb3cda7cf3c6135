from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from distributions import install

from headrace.host.index import freeze, read_index
from headrace.project import Project, open_project, restore_project
from headrace_hookspecs import ConfigError, PluginError

STORES = """
    import attrs
    from headrace_hookspecs import BlobStat, Fact, Page

    @attrs.frozen
    class DiskConfig:
        root: str = ".store"
        runs: tuple[str, ...] = ()

    class Disk:
        def __init__(self, config, context):
            self.config, self.context, self.closed = config, context, False

        def folders(self, prefix):
            return iter(sorted(run for run in self.config.runs if prefix == "F/runs/"))

        def stat_many(self, keys):
            return (BlobStat(key, 1, 0.0) for key in keys)

        def close(self):
            self.closed = True

    class Plugin:
        api = "1.0"
        def config_class(self):
            return DiskConfig
        def create(self, config, context):
            return Disk(config, context)

    disk = Plugin()

    class Index:
        facts = []
        closed = False
        def find(self, query, *, limit=1000, cursor=None):
            return Page([Fact("run", query.flow, run) for run in self.facts][:limit])
        def close(self):
            self.closed = True

    class Memory:
        api = "1.0"
        def config_class(self):
            return None
        def create(self, config, context):
            return Index()

    memory = Memory()
"""

HOOKS = """
    from headrace_hookspecs import hookimpl

    @hookimpl
    def headrace_config_defaults(request):
        return {"datastore": {"disk": {"root": f"from {request.profile}"}}, "run": {"max_workers": 3}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project with stores from a made-up distribution, alone on the path of what is installed."""
    site, project = tmp_path / "site", tmp_path / "project"
    install(
        site,
        "acme-stores",
        {"headrace.datastore": {"disk": "acme_stores:disk"}, "headrace.metadata": {"memory": "acme_stores:memory"}},
        module="acme_stores",
        code=STORES,
    )
    install(site, "acme-launcher", {"headrace.launcher": {"none": "acme_stores:memory"}})
    project.mkdir()
    (project / "headrace.toml").write_text('datastore.name = "disk"\nmetadata.name = "memory"\nlauncher.name = "none"\n')
    monkeypatch.syspath_prepend(str(site))
    (tmp_path / "lock.json").write_text(json.dumps(freeze(read_index([str(site)]))))
    yield project
    for name in [name for name in sys.modules if name.startswith("acme_")]:
        del sys.modules[name]


def relock(folder: Path) -> None:
    (folder.parent / "lock.json").write_text(json.dumps(freeze(read_index([str(folder.parent / "site")]))))


def opened(folder: Path, *options: str, **keywords: Any) -> Project:
    environ = {"HEADRACE_PLUGIN_LOCK": str(folder.parent / "lock.json"), **keywords.pop("environ", {})}
    return open_project(str(folder), options=options, environ=environ, **keywords)


def test_a_project_opens_no_store_before_it_is_asked_to(folder: Path) -> None:
    project = opened(folder)
    assert "acme_stores" not in sys.modules
    blobs: Any = project.blobs
    assert project.blobs is blobs
    assert (blobs.config.root, blobs.context.project, blobs.context.flow) == (".store", str(folder), "")


def test_a_provider_is_made_from_its_own_section(folder: Path) -> None:
    blobs: Any = opened(folder, "datastore.disk.root=/data", flow="F").blobs
    assert (blobs.config.root, blobs.context.flow) == ("/data", "F")
    with pytest.raises(ConfigError) as caught:
        opened(folder, "datastore.disk.rot=/data").blobs  # noqa: B018
    assert "datastore.disk.rot is unknown (-o datastore.disk.rot). Did you mean 'root'?" in caught.value.message


def test_the_project_is_found_upwards_from_the_flow_file(folder: Path) -> None:
    deep = folder / "flows" / "more"
    deep.mkdir(parents=True)
    environ = {"HEADRACE_PLUGIN_LOCK": str(folder.parent / "lock.json")}
    assert open_project(str(deep), environ=environ).config.project == str(folder)


def test_without_a_start_the_current_folder_counts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert open_project(None, environ={}).config.project == str(folder)


def test_an_unknown_store_is_an_error_with_the_pip_line(folder: Path) -> None:
    with pytest.raises(PluginError) as caught:
        opened(folder, "datastore.name=dusk").blobs  # noqa: B018
    assert caught.value.remedy is not None
    assert caught.value.remedy.startswith("Did you mean 'disk'?")


def test_the_latest_run_is_what_the_index_says_else_what_the_datastore_holds(folder: Path) -> None:
    project = opened(folder, 'datastore.disk.runs=["20260101-a", "20260731-b"]')
    assert project.latest_run("F") == "20260731-b"
    assert project.latest_run("G") is None
    index: Any = project.metadata
    index.facts = ["20270101-c", "20260731-b"]
    assert project.latest_run("F") == "20270101-c"


def test_closing_closes_what_was_opened(folder: Path) -> None:
    project = opened(folder)
    blobs: Any = project.blobs
    project.close()
    assert blobs.closed
    assert project.blobs is not blobs


def test_hook_defaults_are_the_lowest_layer_above_ours(folder: Path) -> None:
    install(folder.parent / "site", "acme-hooks", {"headrace.hooks": {"acme": "acme_hooks"}}, module="acme_hooks", code=HOOKS)
    relock(folder)
    with (folder / "headrace.toml").open("a") as file:
        file.write("[run]\nmax_workers = 5\n[profile.prod.run]\ngrace = 1\n")
    config = opened(folder, profile="prod").config
    assert (config.get("datastore.disk.root"), config.origin("datastore.disk.root")) == ("from prod", "plugin acme")
    assert config.get("run.max_workers") == 5
    assert opened(folder).config.get("datastore.disk.root") == "from None"
    assert opened(folder, "plugins.disable=['acme']").config.get("datastore.disk.root") is None


def test_a_required_plugin_that_is_missing_keeps_the_project_closed(folder: Path) -> None:
    with pytest.raises(PluginError) as caught:
        opened(folder, 'plugins.required=["audit"]')
    assert caught.value.code == "plugin-unknown"


def test_a_broken_hooks_plugin_is_named_once_for_all_processes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install(folder.parent / "site", "acme-hooks", {"headrace.hooks": {"acme": "acme_hooks"}}, module="acme_hooks", code="1 / 0")
    relock(folder)
    project = opened(folder)
    assert not project.manager("author").observes
    assert not project.manager("scheduler").observes
    assert capsys.readouterr().err == (
        "headrace: The plugin 'acme' is left out. The plugin 'acme' cannot be imported from acme-hooks 1.0: "
        "ZeroDivisionError: division by zero\n"
    )


def test_the_hooks_of_a_chosen_store_take_part_from_its_selection_on(folder: Path) -> None:
    site = folder.parent / "site"
    code = textwrap.dedent(STORES) + textwrap.dedent("""
        from headrace_hookspecs import hookimpl

        @hookimpl
        def headrace_task_environment(self, request):
            return {"AWS_REGION": "eu"}

        @hookimpl
        def headrace_config_defaults(self, request):
            raise RuntimeError("too late to be asked")

        Plugin.headrace_task_environment = headrace_task_environment
        Plugin.headrace_config_defaults = headrace_config_defaults
    """)
    (site / "acme_stores.py").write_text(code)
    project = opened(folder)
    for process in ("author", "scheduler"):
        assert project.manager(process).implements("headrace_task_environment")
        assert project.manager(process) is project.manager(process)
    assert not project.manager("task").implements("headrace_task_environment")


def test_a_project_travels_as_json_and_is_the_same_elsewhere(folder: Path) -> None:
    project = opened(folder, "datastore.disk.root=1e5", profile=None)
    project.blobs  # noqa: B018
    travelled = json.loads(json.dumps(project.portable()))
    (folder / "headrace.toml").write_text("changed = nonsense")
    other = restore_project(travelled, environ={"HEADRACE_DATASTORE__NAME": "other"})
    assert other.config.data == project.config.data
    assert other.config.project == str(folder)
    blobs: Any = other.blobs
    assert blobs.config.root == "1e5"
    assert other.plugin_lock() == project.plugin_lock() == freeze(project.registry.index)["plugins"]


def test_the_lock_file_may_be_named_by_variable_option_or_place(folder: Path) -> None:
    lock = folder.parent / "lock.json"
    names = {entry["name"] for entry in json.loads(lock.read_text())["plugins"]}
    by_option = open_project(str(folder), options=["plugins.lock=../lock.json"], environ={})
    assert {entry["name"] for entry in by_option.plugin_lock()} == names
    (folder / "headrace.lock.json").write_text('{"version": 1, "plugins": []}')
    assert open_project(str(folder), environ={}).plugin_lock() == []
    assert {entry["name"] for entry in opened(folder).plugin_lock()} == names


# ---- the start-up budget

HEAVY = {
    "asyncio", "attr", "cattrs", "difflib", "email", "importlib.metadata", "importlib_metadata", "inspect", "pathlib", "pluggy", "queue", "ssl",
    "subprocess", "tempfile", "tomli", "tomllib", "zipfile",
}  # fmt: skip

OPEN = """
import sys
from headrace.project import open_project
project = open_project(sys.argv[1])
project.manager("author").observes
project.registry.entry("headrace.datastore", "disk")
print(*sorted(sys.modules))
"""


def imported(folder: Path, program: str) -> set[str]:
    """The modules that a program has imported at its end, without those of a bare interpreter."""
    environ = {
        **os.environ,
        "PYTHONPATH": str(folder.parent / "site"),
        "HEADRACE_PLUGIN_LOCK": str(folder.parent / "lock.json"),
        "HEADRACE_DATASTORE__NAME": "disk",
        "HEADRACE_METADATA__NAME": "memory",
        "HEADRACE_LAUNCHER__NAME": "none",
        "XDG_CONFIG_HOME": str(folder),
    }

    def run(text: str, env: dict[str, str]) -> set[str]:
        done = subprocess.run([sys.executable, "-c", text, str(folder)], env=env, capture_output=True, text=True, check=True)
        assert done.stderr == ""
        return set(done.stdout.split())

    return run(program, environ) - run("import sys; print(*sorted(sys.modules))", environ)


def bare(folder: Path) -> Path:
    """The project without any file, and with stores that import nothing."""
    (folder / "headrace.toml").unlink()
    (folder.parent / "site" / "acme_stores.py").write_text("class disk:\n    api = '1.0'\n\nmemory = disk\n")
    return folder


def test_opening_a_project_without_files_and_hooks_imports_nothing_heavy(folder: Path) -> None:
    program = OPEN.replace("project.manager", "#")
    bare(folder)
    code = "import os, sys\nfor key in [key for key in os.environ if '__' in key and key.startswith('HEADRACE_')]: del os.environ[key]\n"
    found = imported(folder, code + program)
    assert found & HEAVY == set()
    assert {name for name in found if name.startswith("headrace_hookspecs")} <= {
        "headrace_hookspecs",
        "headrace_hookspecs.errors",
    }


def test_without_hooks_plugins_pluggy_is_not_imported(folder: Path) -> None:
    assert imported(bare(folder), OPEN) & HEAVY <= {"tomllib", "tomli"}


def test_planning_imports_attrs_and_nothing_else_that_is_heavy(folder: Path) -> None:
    (folder / "flow.py").write_text(
        "from headrace import FlowSpec, step\n"
        "class F(FlowSpec):\n"
        "    @step\n    def start(self):\n        self.next(self.end)\n"
        "    @step\n    def end(self):\n        pass\n"
    )
    (folder.parent / "site" / "acme_stores.py").write_text(
        "class disk:\n    api = '1.0'\n    capabilities = frozenset()\n"
        "    def config_class(self): return None\n    def create(self, config, context): return self\n"
        "    def render(self, step): return None\n\ndisk = disk()\nmemory = disk\n"
    )
    (folder / "headrace.toml").unlink()
    program = OPEN.replace(
        "print(",
        "from headrace.dsl.load import load_flow\nfrom headrace.plan.plan import make_plan\n"
        "make_plan(load_flow(sys.argv[1] + '/flow.py'), project, manager=project.manager('author'))\nprint(",
    )
    # inspect comes with attrs, as does subprocess on Python 3.10; tomllib with the variables that choose the stores
    assert imported(folder, program) & HEAVY <= {"attr", "inspect", "subprocess", "tomllib", "tomli"}
