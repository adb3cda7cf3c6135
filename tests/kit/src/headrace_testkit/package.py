"""Conformance of a distribution: `PluginPackageContract`, for what holds of every plugin whatever it does, `LibraryPackageContract` for what they share."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from importlib import metadata
from typing import Any, ClassVar, Final

import pytest
from attrs import NOTHING as _NOTHING

from headrace_hookspecs import API_VERSION

_KERNEL: Final = frozenset({"headrace", "headrace_cli", "headrace_client", "headrace_packaging"})
_CONTRACT: Final = frozenset({"headrace_hookspecs", "attr", "attrs", "pluggy"})
_CHOSEN: Final = ("datastore", "metadata", "serializer", "secrets", "launcher", "orchestrator", "environment")

_IMPORT: Final = """
import importlib, json, sys
before = set(sys.modules)
for target in sys.argv[1:]:
    importlib.import_module(target)
print(json.dumps(sorted({name.partition(".")[0] for name in set(sys.modules) - before})))
"""


class _PackageContract:
    """What holds of plugins and libraries: subclasses have a fixture `modules`, the modules that others import to begin with."""

    distribution: str = ""

    @pytest.fixture
    def installed(self) -> metadata.Distribution:
        """The distribution under test."""
        return metadata.distribution(self.distribution)

    def test_importing_it_imports_neither_an_sdk_nor_the_kernel(self, modules: list[str]) -> None:
        """Nothing but the standard library, the contract and the distribution itself: everybody's start-up pays for it."""
        own = {module.partition(".")[0] for module in modules}
        done = subprocess.run([sys.executable, "-c", _IMPORT, *modules], capture_output=True, text=True, check=True)
        imported = set(json.loads(done.stdout))
        assert imported - own - _CONTRACT - set(sys.stdlib_module_names) == set()

    def test_it_depends_on_the_contract_and_not_on_the_kernel(self, installed: metadata.Distribution) -> None:
        names = {_project(requirement) for requirement in installed.requires or []}
        assert "headrace_hookspecs" in names
        assert not names & {"headrace", "headrace_core", "headrace_cli", "headrace_client", "headrace_packaging"}

    def test_it_is_typed_and_says_what_it_is(self, installed: metadata.Distribution, modules: list[str]) -> None:
        from importlib.resources import files

        for package in {module.partition(".")[0] for module in modules}:
            assert files(package).joinpath("py.typed").is_file(), f"{package} has no py.typed"
        fields = installed.metadata
        assert fields["Summary"]
        assert len((fields.get("Description") or fields.get_payload() or "").strip()) > 40, "it needs a README"  # type: ignore[attr-defined]
        assert fields["Requires-Python"]


class LibraryPackageContract(_PackageContract):
    """For what several plugins share: subclass it and name the `distribution` and its import `package`. It has no entry point."""

    package: str = ""

    @pytest.fixture
    def modules(self) -> list[str]:
        """The package alone."""
        return [self.package]

    def test_it_chooses_and_registers_nothing(self, installed: metadata.Distribution) -> None:
        assert [entry for entry in installed.entry_points if entry.group.startswith("headrace.")] == []


class PluginPackageContract(_PackageContract):
    """Subclass it and name the `distribution`. It has to be installed; editable is fine.

    `required` holds, by the name of an entry point, those settings that have no default, with values that will do.
    """

    required: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    @pytest.fixture
    def entries(self, installed: metadata.Distribution) -> list[metadata.EntryPoint]:
        """Its entry points in groups of ours."""
        return [entry for entry in installed.entry_points if entry.group.startswith("headrace.")]

    def test_every_entry_point_names_something_of_this_api(self, entries: list[metadata.EntryPoint]) -> None:
        assert entries, "the distribution has no entry point in a group headrace.*"
        for entry in entries:
            found: Any = entry.load()
            api = getattr(found, "api", API_VERSION)
            assert str(api).partition(".")[0] == API_VERSION.partition(".")[0], entry

    @pytest.fixture
    def modules(self, entries: list[metadata.EntryPoint]) -> list[str]:
        """Those that the entry points name."""
        return sorted({entry.value.partition(":")[0] for entry in entries})

    def test_a_chosen_plugin_is_configured_by_what_has_no_default_alone(self, entries: list[metadata.EntryPoint]) -> None:
        for entry in entries:
            if entry.group.partition(".")[2] in _CHOSEN:
                plugin: Any = entry.load()
                assert isinstance(plugin.api, str), entry
                assert callable(plugin.create), entry
                settings = plugin.config_class()
                given = self.required.get(entry.name, {})
                if settings is not None:
                    assert {field.name for field in settings.__attrs_attrs__ if field.init and field.default is _NOTHING} == set(given), (
                        entry
                    )
                    assert settings(**given) == settings(**given), entry


def _project(requirement: str) -> str:
    name = requirement
    for stop in " ;<>=!~[(":
        name = name.partition(stop)[0]
    return name.lower().replace("-", "_").replace(".", "_")
