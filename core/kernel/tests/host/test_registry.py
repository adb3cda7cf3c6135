from __future__ import annotations

import sys
from pathlib import Path

import pytest
from distributions import install

from headrace.host.index import EntryPoint, Index, read_index
from headrace.host.registry import Registry
from headrace_hookspecs import PluginError

GROUP = "headrace.datastore"


def entry(name: str, distribution: str = "acme", target: str = "acme:plugin", group: str = GROUP) -> EntryPoint:
    return EntryPoint(group, name, target, distribution, "1.0")


def refusal(registry: Registry, name: str, group: str = GROUP) -> PluginError:
    with pytest.raises(PluginError) as caught:
        registry.load(group, name)
    return caught.value


def test_exactly_the_chosen_plugin_is_imported(site: Path) -> None:
    install(site, "one", {GROUP: {"one": "plugin_one:plugin"}}, module="plugin_one", code="plugin = 'first'")
    install(site, "two", {GROUP: {"two": "plugin_two:plugin"}}, module="plugin_two", code="raise SystemExit")
    registry = Registry(read_index([str(site)]))
    assert registry.names(GROUP) == ["one", "two"]
    assert registry.load(GROUP, "one") == "first"
    assert "plugin_two" not in sys.modules


def test_a_target_may_be_a_whole_module_or_a_dotted_attribute(site: Path) -> None:
    points = {GROUP: {"whole": "plugin_whole", "deep": "plugin_whole:A.b"}}
    install(site, "one", points, module="plugin_whole", code="class A:\n    b = 7\n")
    registry = Registry(read_index([str(site)]))
    assert registry.load(GROUP, "whole") is sys.modules["plugin_whole"]
    assert registry.load(GROUP, "deep") == 7
    assert registry.entry(GROUP, "deep").distribution == "one", "loading it does not change where it comes from"


def test_an_unknown_name_answers_with_the_nearest_and_the_pip_line() -> None:
    error = refusal(Registry(Index((entry("files"), entry("s3")))), "file")
    assert error.code == "plugin-unknown"
    assert error.message == "There is no datastore 'file'."
    assert error.remedy == "Did you mean 'files'? Installed: files, s3. Or: pip install headrace-plugin-file"
    error = refusal(Registry(Index(())), "numpy", "headrace.serializer")
    assert error.remedy == "Installed: none. Or: pip install headrace-serializer-numpy"
    error = refusal(Registry(Index(())), "fork", "headrace.launcher")
    assert error.remedy == "Installed: none. Or: pip install headrace-plugin-processes"


def test_outside_a_lock_file_nothing_exists_and_the_answer_says_so() -> None:
    error = refusal(Registry(Index((entry("files"),), "/p/headrace.lock.json")), "s3")
    assert error.remedy == "Installed: files. Only what /p/headrace.lock.json names may be used; `flow plugins lock` writes it anew."


def test_two_distributions_that_claim_a_name_are_an_error_naming_both() -> None:
    error = refusal(Registry(Index((entry("s3", "acme"), entry("s3", "other")))), "s3")
    assert error.code == "plugin-conflict"
    assert error.message == "The datastore 's3' is claimed by acme 1.0 and other 1.0."
    assert error.remedy == "Uninstall one, or choose: -o plugins.prefer.datastore.s3=acme"


def test_prefer_decides_between_two() -> None:
    index = Index((entry("s3", "acme"), entry("s3", "Other-Store")))
    registry = Registry(index, prefer={"datastore": {"s3": "other_store"}})
    assert registry.entry(GROUP, "s3") == entry("s3", "Other-Store")
    assert refusal(Registry(index, prefer={"datastore": {"s3": "third"}}), "s3").code == "plugin-conflict"
    assert refusal(Registry(index, prefer={"metadata": {"s3": "acme"}}), "s3").code == "plugin-conflict"


def test_disabling_one_of_two_distributions_leaves_the_other() -> None:
    registry = Registry(Index((entry("s3", "acme"), entry("s3", "other"))), disabled=["acme"])
    assert registry.entry(GROUP, "s3").distribution == "other"


@pytest.mark.parametrize("disabled", ["disk", "datastore.disk", "acme-disk", "Acme_Disk"])
def test_a_disabled_plugin_is_never_imported(site: Path, disabled: str) -> None:
    install(site, "acme-disk", {GROUP: {"disk": "plugin_disk:plugin"}}, module="plugin_disk", code="raise SystemExit")
    registry = Registry(read_index([str(site)]), [disabled])
    assert registry.names(GROUP) == []
    error = refusal(registry, "disk")
    assert (error.code, error.message) == ("plugin-disabled", "The datastore 'disk' is disabled.")
    assert "plugin_disk" not in sys.modules


def test_disabling_one_entry_point_leaves_the_others_of_its_name() -> None:
    registry = Registry(Index((entry("disk"), entry("disk", group="headrace.hooks"))), ["hooks.disk"])
    assert (registry.names(GROUP), registry.names("headrace.hooks")) == (["disk"], [])


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("import a_module_that_is_not_there", "ModuleNotFoundError: No module named 'a_module_that_is_not_there'"),
        ("plug = 1", "AttributeError: module 'plugin_broken' has no attribute 'plugin'"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
def test_a_plugin_that_cannot_be_imported_is_named_with_its_distribution_and_the_cause(site: Path, code: str, cause: str) -> None:
    install(site, "acme-broken", {GROUP: {"broken": "plugin_broken:plugin"}}, module="plugin_broken", code=code)
    error = refusal(Registry(read_index([str(site)])), "broken")
    assert error.code == "plugin-import"
    assert error.message == f"The datastore 'broken' cannot be imported from acme-broken 1.0: {cause}"


@pytest.mark.parametrize(("api", "fits"), [("1.0", True), ("1.7", True), ("2.0", False), ("0.9", False)])
def test_the_major_number_of_the_api_has_to_match(site: Path, api: str, fits: bool) -> None:
    install(site, "acme", {GROUP: {"new": "plugin_api:plugin"}}, module="plugin_api", code=f"class plugin:\n    api = '{api}'\n")
    registry = Registry(read_index([str(site)]))
    if fits:
        assert registry.load(GROUP, "new").api == api
    else:
        error = refusal(registry, "new")
        assert error.code == "plugin-api"
        assert error.message == f"The datastore 'new' from acme 1.0 is written for plugin API {api}, this is 1.0."


def test_a_plugin_registered_in_this_process_comes_first(site: Path) -> None:
    registry = Registry(Index((entry("s3"), entry("s3", "other"))))
    registry.register(GROUP, "s3", 5)
    registry.register(GROUP, "mine", 6)
    assert (registry.load(GROUP, "s3"), registry.load(GROUP, "mine")) == (5, 6)
    assert registry.names(GROUP) == ["mine", "s3"]
    assert registry.entry(GROUP, "mine") == EntryPoint(GROUP, "mine", "", "this process", "")
