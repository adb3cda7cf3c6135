"""From the words that name a flow to its class, and back from names to what a flow file defines."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flowfiles import HEADER, forget, line_of

from headrace.dsl.load import LoadedFlow, adopt_main, load_flow, resolve_global
from headrace_hookspecs.errors import FlowDefinitionError, FlowFileError

ONE = HEADER + "class One(FlowSpec):\n    @step\n    def only(self): pass\n"
TWO = ONE + "class Two(FlowSpec):\n    @step\n    def only(self): pass\n"


def refused(target: str, *, module: bool = False) -> FlowFileError:
    with pytest.raises(FlowFileError) as raised:
        load_flow(target, module=module)
    assert raised.value.exit_status == 2
    assert raised.value.remedy
    return raised.value


def test_a_file_is_loaded_under_its_own_name(folder: Path) -> None:
    (folder / "flow.py").write_text(ONE)
    loaded = load_flow("flow.py")
    assert loaded == LoadedFlow(loaded.cls, str(folder / "flow.py"), "flow", str(folder))
    assert sys.modules["flow"].One is loaded.cls
    assert (loaded.cls.__name__, loaded.cls.__module__, sys.path[0]) == ("One", "flow", str(folder))


def test_a_file_may_have_any_name(folder: Path) -> None:
    (folder / "01-first flow.v2.py").write_text(ONE)
    loaded = load_flow("01-first flow.v2.py")
    assert loaded.module == "01-first flow_v2"
    assert pickle.loads(pickle.dumps(loaded.cls)) is loaded.cls


def test_modules_beside_the_file_can_be_imported(folder: Path) -> None:
    (folder / "helper_of_flow.py").write_text("VALUE = 3\n")
    (folder / "flow.py").write_text("from helper_of_flow import VALUE\n" + ONE)
    assert load_flow("flow.py").cls.__name__ == "One"


@pytest.mark.parametrize("name", ["One", "Two"])
def test_one_of_several_flows_is_named_by_its_class(name: str, folder: Path) -> None:
    (folder / "flow.py").write_text(TWO)
    assert load_flow(f"flow.py:{name}").cls.__name__ == name


def test_several_flows_are_a_question(folder: Path) -> None:
    (folder / "flow.py").write_text(TWO)
    error = refused("flow.py")
    assert (error.code, error.remedy) == ("flow-file-several", "Say which: flow.py:One, flow.py:Two")


def test_a_class_that_is_not_there_is_answered_with_those_that_are(folder: Path) -> None:
    (folder / "flow.py").write_text(TWO)
    error = refused("flow.py:Twoo")
    assert (error.code, error.remedy) == ("flow-file-class", "It has One, Two.")


def test_a_base_class_that_is_no_flow_by_itself_is_no_question(folder: Path) -> None:
    (folder / "flow.py").write_text(
        HEADER
        + """
class Base(FlowSpec):
    @step
    def start(self):
        self.next(self.work)
    @step
    def end(self): pass
class Unfinished(FlowSpec):
    @step
    def start(self):
        self.next(self.work)
    @step
    def work(self): pass
class Whole(Unfinished):
    @step(end=True)
    def work(self): pass
"""
    )
    assert refused("flow.py").remedy == "Say which: flow.py:Base, flow.py:Whole"
    assert load_flow("flow.py:Unfinished").cls.__name__ == "Unfinished"


def test_an_imported_flow_counts_where_none_is_defined(folder: Path) -> None:
    (folder / "other_flow.py").write_text(ONE)
    (folder / "flow.py").write_text("from other_flow import One\n")
    loaded = load_flow("flow.py")
    assert (loaded.cls.__name__, loaded.file) == ("One", str(folder / "flow.py"))


@pytest.mark.parametrize("text", ["", "from headrace import FlowSpec\n", "class One: pass\n"])
def test_a_file_without_a_flow_says_so(text: str, folder: Path) -> None:
    (folder / "flow.py").write_text(text)
    error = refused("flow.py")
    assert (error.code, error.file) == ("flow-file-empty", str(folder / "flow.py"))


def test_a_missing_file_is_answered_with_what_may_be_meant(folder: Path) -> None:
    (folder / "flow.py").write_text(ONE)
    (folder / "sub").mkdir()
    cases = {"flw.py": "spelling", "flow": "flow.py?", "package.module": "-m package.module", "sub": "in it"}
    for target, words in cases.items():
        error = refused(target)
        assert error.code == "flow-file-missing"
        assert words in str(error.remedy)


def test_a_file_that_may_not_be_read_is_an_error(folder: Path, unprivileged: Callable[..., str]) -> None:
    (folder / "flow.py").write_text(ONE)
    (folder / "flow.py").chmod(0)
    assert unprivileged(lambda: refused("flow.py").code) == "flow-file-missing"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("import json\n\ndef fail():\n    return json.loads('{')\nfail()\n", 4, "JSONDecodeError"),
        ("x = 1\nx ==\n", 2, "SyntaxError"),
        ("import no_such_module_at_all\n", 1, "ModuleNotFoundError"),
        ("try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise ValueError('why') from error\n", 4, "ZeroDivisionError"),
        ("import sys\nsys.exit(3)\n", 2, "sys.exit(3)"),
        ("x = '\0'\n", None, "null bytes"),
    ],
)
def test_an_error_in_the_file_is_shown_with_the_users_frames_only(text: str, line: int | None, words: str, folder: Path) -> None:
    (folder / "flow.py").write_text(text)
    error = refused("flow.py")
    assert (error.code, error.file, error.line) == ("flow-file-import", str(folder / "flow.py"), line)
    assert words in error.message
    assert "flow" not in sys.modules
    assert "importlib" not in error.message
    assert "load.py" not in error.message


def test_an_error_of_ours_in_the_file_is_passed_on(folder: Path) -> None:
    (folder / "flow.py").write_text(HEADER + "retry = step_decorator('retry', 'x:Y')\n@retry()\ndef f(): pass\n")
    with pytest.raises(FlowDefinitionError) as raised:
        load_flow("flow.py")
    assert (raised.value.code, raised.value.line) == ("decorator-misplaced", line_of(folder / "flow.py", "@retry"))


def test_an_unguarded_call_of_the_class_does_not_start_a_command_line(folder: Path) -> None:
    (folder / "flow.py").write_text(ONE + "One()\n")
    assert load_flow("flow.py").cls.__name__ == "One"


def test_a_changed_file_is_loaded_anew(folder: Path) -> None:
    (folder / "flow.py").write_text(ONE)
    first = load_flow("flow.py").cls
    (folder / "flow.py").write_text(ONE.replace("One", "Other"))
    os.utime(folder / "flow.py", (1, 1))
    second = load_flow("flow.py").cls
    assert (first.__name__, second.__name__) == ("One", "Other")


def test_a_file_that_somebody_imported_is_not_executed_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "imported_flow.py").write_text(ONE)
    monkeypatch.syspath_prepend(str(folder))
    import imported_flow  # type: ignore[import-not-found]

    assert load_flow("imported_flow.py").cls is imported_flow.One


def test_a_name_that_is_taken_is_left_alone(folder: Path) -> None:
    (folder / "json.py").write_text(ONE)
    import json

    loaded = load_flow("json.py")
    assert sys.modules["json"] is json
    assert loaded.module == loaded.cls.__module__ == "json__flow"
    assert pickle.loads(pickle.dumps(loaded.cls)) is loaded.cls
    forget(folder)


def test_a_module_is_loaded_by_its_name(folder: Path) -> None:
    package = folder / "flow_package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "train.py").write_text(TWO)
    loaded = load_flow("flow_package.train:Two", module=True)
    assert loaded == LoadedFlow(loaded.cls, str(package / "train.py"), "flow_package.train", str(folder))
    assert refused("flow_package.train", module=True).code == "flow-file-several"
    assert refused("flow_package.nothing", module=True).code == "flow-file-missing"
    assert refused("flow_nothing.at.all", module=True).code == "flow-file-missing"
    (package / "broken.py").write_text("import no_such_module_at_all\n")
    assert refused("flow_package.broken", module=True).code == "flow-file-import"


def test_a_class_that_was_imported_knows_where_it_is_from(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = folder / "flow_package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "train.py").write_text(ONE)
    monkeypatch.syspath_prepend(str(folder))
    from flow_package.train import One  # type: ignore[import-not-found]

    assert adopt_main(One) == LoadedFlow(One, str(package / "train.py"), "flow_package.train", str(folder))


DATA = ONE + "class Data:\n    class Inner: pass\ndef function(): pass\n"


@pytest.mark.parametrize("module", ["flow", "__main__", "flow__flow"])
@pytest.mark.parametrize("name", ["Data", "Data.Inner", "function"])
def test_what_a_flow_file_defines_is_found_under_every_name_that_it_can_have(
    module: str, name: str, loaded: Callable[[str], LoadedFlow]
) -> None:
    loaded(DATA)
    found = resolve_global(module, name)
    assert (found.__module__, found.__qualname__) == ("flow", name)


def test_what_nobody_defines_is_an_error_as_in_unpickling(loaded: Callable[[str], LoadedFlow]) -> None:
    loaded(DATA)
    with pytest.raises(AttributeError):
        resolve_global("flow", "Nothing")
    with pytest.raises(ModuleNotFoundError):
        resolve_global("no_such_module_at_all", "X")
    assert resolve_global("collections", "OrderedDict").__name__ == "OrderedDict"


SCRIPT = (
    DATA
    + """
if __name__ == "__main__":
    import pickle, sys
    from headrace.dsl.build import build_graph
    from headrace.dsl.load import adopt_main, load_flow, resolve_global
    loaded = adopt_main(One)
    assert loaded == load_flow(__file__), loaded
    import script
    assert script.Data is Data
    assert resolve_global("script", "Data") is Data and resolve_global("__main__", "Data.Inner") is Data.Inner
    print(loaded.module, loaded.file, loaded.sys_path0, build_graph(One).order)
"""
)


def test_a_flow_that_is_the_program_is_importable_under_its_files_name(folder: Path) -> None:
    (folder / "script.py").write_text(SCRIPT)
    done = subprocess.run([sys.executable, "script.py"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.split(" ", 3) == ["script", str(folder / "script.py"), str(folder), "('only',)\n"]


def test_a_flow_of_a_prompt_has_no_file() -> None:
    code = (
        HEADER
        + "class F(FlowSpec): pass\nfrom headrace.dsl.load import adopt_main\ntry:\n    adopt_main(F)\nexcept Exception as error:\n    print(error.code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "flow-file-missing\n"


def test_without_the_command_line_a_flow_file_says_what_to_install(folder: Path) -> None:
    (folder / "flow.py").write_text(
        "import headrace.host.index as index\nfound = index.read_index\n"
        "index.read_index = lambda: index.Index(tuple(e for e in found().entries if e.group != 'headrace.front_end'))\n" + ONE + "One()\n"
    )
    done = subprocess.run([sys.executable, "flow.py"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error[flow-cli-missing]: The command line of headrace is not installed.\n")
    assert "pip install headrace-cli" in done.stderr
    assert "Traceback" not in done.stderr
