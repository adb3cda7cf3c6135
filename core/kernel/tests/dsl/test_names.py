"""What `import headrace` offers, and what it costs."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

import headrace


def modules_after(code: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_writing_a_flow_imports_no_third_party_and_nothing_slow() -> None:
    loaded = modules_after("from headrace import FlowSpec, step, Parameter, JSONType, current")
    slow = {
        "attr",
        "attrs",
        "pluggy",
        "click",
        "inspect",
        "ast",
        "json",
        "asyncio",
        "dataclasses",
        "importlib.metadata",
        "traceback",
    }
    assert loaded & slow == set()
    assert {name for name in loaded if name.startswith("headrace")} == {
        "headrace",
        "headrace.dsl",
        "headrace.dsl.flow",
        "headrace.dsl.parameters",
        "headrace.dsl.steps",
        "headrace.task",
        "headrace.task.current",
        "headrace_hookspecs",
        "headrace_hookspecs.errors",
    }


def test_building_a_valid_graph_imports_no_pluggy(tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text("from headrace import FlowSpec, step\nclass F(FlowSpec):\n    @step\n    def only(self): pass\n")
    loaded = modules_after(
        "from headrace.dsl.load import load_flow\nfrom headrace.dsl.build import build_graph\nfrom headrace.graph.lint import check\n"
        f"check(build_graph(load_flow({str(tmp_path / 'flow.py')!r}).cls))"
    )
    assert loaded & {"pluggy", "click", "cattrs", "asyncio", "importlib.metadata", "importlib.util"} == set()


def test_every_public_name_is_there() -> None:
    needs_others = {"Flow", "Run", "Runner", "Step", "Task", "catch", "environment", "resources", "retry", "timeout"}
    for name in sorted(set(headrace.__all__) - needs_others):
        assert getattr(headrace, name) is not None
    assert set(headrace.__all__) <= set(dir(headrace))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Paramter"):
        print(headrace.Paramter)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["catch", "retry", "timeout"])
def test_embedded_decorators_are_found_by_entry_point(name: str) -> None:
    plugin = pytest.importorskip("headrace_resilience")
    assert getattr(headrace, name) is getattr(plugin, name)


@pytest.mark.parametrize("name", ["Flow", "Run", "Runner", "Step", "Task"])
def test_the_client_is_passed_on(name: str) -> None:
    client = pytest.importorskip("headrace_client")
    assert getattr(headrace, name) is getattr(client, name)


def test_without_the_client_its_names_say_what_to_install() -> None:
    code = "import sys; sys.modules['headrace_client'] = None\ntry:\n    from headrace import Run\nexcept ImportError as error:\n    print(error)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "headrace.Run needs the client: pip install headrace-client\n"


def test_the_version_is_that_of_the_distribution() -> None:
    assert headrace.__version__ == importlib.metadata.version("headrace-core")
