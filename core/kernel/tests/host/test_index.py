from __future__ import annotations

import json
import os
import shutil
import sys
import zipfile
from collections.abc import Sequence
from importlib.metadata import DistributionFinder
from pathlib import Path
from typing import Any

import pytest
from distributions import install
from hypothesis import given
from hypothesis import strategies as st

from headrace.host import index as index_module
from headrace.host.index import EntryPoint, Index, freeze, open_index, read_index
from headrace_hookspecs import PluginError

STORE = {"headrace.datastore": {"disk": "acme_disk:plugin"}}


def by_importlib(path: Sequence[str]) -> Index:
    return Index(tuple(sorted(index_module._ask_importlib(path))))


def test_the_installed_environment_reads_as_importlib_metadata_reads_it() -> None:
    assert read_index() == by_importlib(sys.path)


def test_an_editable_install_announces_itself_like_any_other(tmp_path: Path) -> None:
    source, site = tmp_path / "source", tmp_path / "site"
    install(source, "acme", {})
    shutil.rmtree(source / "acme-1.0.dist-info")
    install(site, "acme", STORE)
    (site / "_editable_impl_acme.pth").write_text(str(source))
    (site / "acme-1.0.dist-info" / "direct_url.json").write_text(json.dumps({"url": source.as_uri(), "dir_info": {"editable": True}}))
    assert [entry.name for entry in read_index([str(site), str(source)]).entries] == ["disk"]
    assert read_index([str(site), str(source)]) == by_importlib([str(site), str(source)])


def test_an_entry_point_is_read_with_its_distribution_and_version(tmp_path: Path) -> None:
    install(tmp_path, "Acme.Disk", STORE, version="2.1")
    assert read_index([str(tmp_path)]) == Index((EntryPoint("headrace.datastore", "disk", "acme_disk:plugin", "Acme.Disk", "2.1"),))


def test_groups_of_others_comments_and_extras_are_left_out(tmp_path: Path) -> None:
    install(tmp_path, "acme", {})
    (tmp_path / "acme-1.0.dist-info" / "entry_points.txt").write_text(
        "[console_scripts]\nacme = acme:main\n\n# [headrace.no]\n[headrace.hooks]\n\n# a = b\naudit=acme.audit : plugin.a [all]\n"
        "whole = acme\n[headracex]\nx = y:z\n"
    )
    expected = [("headrace.hooks", "audit", "acme.audit:plugin.a"), ("headrace.hooks", "whole", "acme")]
    assert [entry[:3] for entry in read_index([str(tmp_path)]).entries] == expected
    assert read_index([str(tmp_path)]) == by_importlib([str(tmp_path)])


def test_the_first_distribution_on_the_path_hides_later_ones_of_the_same_name(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    install(first, "acme-disk", {"headrace.datastore": {"new": "a:b"}}, version="2.0")
    install(second, "Acme.Disk", {"headrace.datastore": {"old": "a:b"}}, version="1.0")
    assert [entry.name for entry in read_index([str(first), str(second)]).entries] == ["new"]
    assert [entry.name for entry in read_index([str(second), str(first)]).entries] == ["old"]


def test_a_distribution_without_entry_points_hides_too(tmp_path: Path) -> None:
    install(tmp_path / "first", "acme", {})
    install(tmp_path / "second", "acme", STORE)
    assert read_index([str(tmp_path / "first"), str(tmp_path / "second")]).entries == ()


def test_an_egg_info_folder_counts(tmp_path: Path) -> None:
    install(tmp_path, "acme-disk", STORE, kind="egg-info", version="3.0-py3.11")
    (tmp_path / "plain.egg-info").write_text("Metadata-Version: 1.0\nName: plain\n")
    assert read_index([str(tmp_path)]) == by_importlib([str(tmp_path)])
    assert [entry.name for entry in read_index([str(tmp_path)]).entries] == ["disk"]


def test_folders_that_do_not_exist_are_skipped(tmp_path: Path) -> None:
    install(tmp_path, "acme", STORE)
    assert [entry.name for entry in read_index([str(tmp_path / "no"), str(tmp_path), str(tmp_path)]).entries] == ["disk"]


def test_the_empty_path_entry_is_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "acme", STORE)
    monkeypatch.chdir(tmp_path)
    assert [entry.name for entry in read_index([""]).entries] == ["disk"]


def test_a_zip_file_on_the_path_is_read_through_importlib_metadata(tmp_path: Path) -> None:
    install(tmp_path / "tree", "acme", STORE)
    install(tmp_path / "plain", "other", {"headrace.datastore": {"tape": "other:plugin"}})
    shutil.make_archive(str(tmp_path / "acme"), "zip", tmp_path / "tree")
    assert zipfile.is_zipfile(tmp_path / "acme.zip")
    found = read_index([str(tmp_path / "acme.zip"), str(tmp_path / "plain")]).entries
    assert [(entry.name, entry.distribution) for entry in found] == [("disk", "acme"), ("tape", "other")]


def test_a_foreign_finder_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib_metadata

    class Announced(importlib_metadata.Distribution):
        def read_text(self, filename: str) -> str | None:
            files = {"METADATA": "Name: far\nVersion: 1\n", "entry_points.txt": "[headrace.datastore]\nfar = far:plugin\n"}
            return files.get(filename)

        def locate_file(self, path: Any) -> Any:
            raise NotImplementedError

    class Finder(DistributionFinder):
        def find_spec(self, *arguments: Any) -> None:
            return None

        def find_distributions(self, context: Any = None) -> Any:
            return [Announced()]

    install(tmp_path, "acme", STORE)
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder()])
    assert [entry.name for entry in read_index([str(tmp_path)]).entries] == ["disk", "far"]


NAMES = st.sampled_from(["acme", "Acme", "acme-disk", "acme_disk", "acme.disk", "other"])
GROUPS = st.sampled_from(["headrace.datastore", "headrace.hooks", "console_scripts"])
POINTS = st.dictionaries(GROUPS, st.dictionaries(st.sampled_from("abc"), st.sampled_from(["m:p", "m.n:p.q", "m"]), max_size=2), max_size=3)
FOLDERS = st.lists(
    st.lists(st.tuples(NAMES, st.sampled_from(["1.0", "2.0"]), POINTS, st.sampled_from(["dist-info", "egg-info"])), max_size=4), max_size=3
)


@given(FOLDERS)
def test_any_tree_reads_as_importlib_metadata_reads_it(folders: list[list[tuple[str, str, dict[str, dict[str, str]], str]]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as root:
        path = []
        for number, distributions in enumerate(folders):
            path.append(os.path.join(root, str(number)))
            os.mkdir(path[-1])
            for name, version, points, kind in distributions:
                if not (Path(path[-1]) / f"{name.replace('-', '_')}-{version}.{kind}").exists():
                    install(Path(path[-1]), name, points, version=version, kind=kind)
        assert read_index(path) == by_importlib(path)


def test_a_frozen_index_is_read_instead_of_the_installation(tmp_path: Path) -> None:
    frozen = Index((EntryPoint("headrace.datastore", "disk", "acme:plugin", "acme", "1.0"),))
    lock = tmp_path / "headrace.lock.json"
    lock.write_text(json.dumps(freeze(frozen)))
    assert open_index(str(tmp_path)) == Index(frozen.entries, str(lock))
    other = tmp_path / "lists" / "allowed.json"
    other.parent.mkdir()
    other.write_text(json.dumps(freeze(Index(()))))
    assert open_index(str(tmp_path), "lists/allowed.json") == Index((), str(other))


def test_without_a_lock_file_the_installation_is_read(tmp_path: Path) -> None:
    assert open_index(str(tmp_path)) == read_index()


def test_freezing_is_independent_of_the_order() -> None:
    entries = tuple(EntryPoint("headrace.datastore", name, "acme:plugin", "acme", "1.0") for name in ("disk", "tape"))
    assert freeze(Index(entries)) == freeze(Index(tuple(reversed(entries))))
    assert freeze(Index(entries))["plugins"][0].keys() == {"group", "name", "target", "distribution", "version"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file or directory"),
        ("{", "Expecting property name"),
        ('{"version": 2, "plugins": []}', "version is 2, not 1"),
        ('{"version": 1, "plugins": [{"group": "g"}]}', "missing 4 required positional arguments"),
        ('{"version": 1, "plugins": [{"group": "g", "name": 1, "target": "t", "distribution": "d", "version": "v"}]}', "no string"),
        ("[]", "list indices"),
    ],
)
def test_a_damaged_or_missing_lock_is_one_clear_error(tmp_path: Path, content: str | None, reason: str) -> None:
    file = tmp_path / "lock.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(PluginError) as caught:
        open_index(str(tmp_path), "lock.json")
    assert (caught.value.code, caught.value.file) == ("plugin-lock", str(file))
    assert reason in caught.value.message
