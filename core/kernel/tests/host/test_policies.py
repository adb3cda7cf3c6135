from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hosting import CHECK, DEFAULTS, ENVIRONMENT, FILES, GRAPH, TRANSFORM, Host, plugin, transforms

from headrace.host.manager import PluginManager
from headrace_hookspecs import Diagnostic, FlowGraph, GraphCheckRequest, GraphError, PluginError
from headrace_hookspecs import hooks as hookspecs

CALLS: dict[str, Callable[[PluginManager], Any]] = {
    "headrace_config_defaults": lambda manager: manager.config_defaults(DEFAULTS),
    "headrace_graph_transform": lambda manager: manager.graph_transform(TRANSFORM, bool),
    "headrace_graph_check": lambda manager: manager.graph_check(CHECK),
    "headrace_package_files": lambda manager: manager.package_files(FILES),
    "headrace_task_environment": lambda manager: manager.task_environment(ENVIRONMENT),
}
NOTHING: dict[str, Any] = {
    "headrace_config_defaults": {},
    "headrace_graph_transform": GRAPH,
    "headrace_graph_check": [],
    "headrace_package_files": {},
    "headrace_task_environment": {},
}


def test_every_policy_hook_is_known_here() -> None:
    assert set(CALLS) == hookspecs.POLICY


@pytest.mark.parametrize("hook", CALLS)
def test_without_plugins_or_with_none_as_answer_nothing_changes(hook: str) -> None:
    assert CALLS[hook](Host().manager) == NOTHING[hook]
    assert CALLS[hook](Host(a=plugin(hook, lambda request: None)).manager) == NOTHING[hook]


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(0)])
@pytest.mark.parametrize("hook", CALLS)
def test_a_policy_that_fails_stops_and_is_named(hook: str, error: BaseException) -> None:
    def fail(request: Any) -> Any:
        raise error

    with pytest.raises(PluginError) as caught:
        CALLS[hook](Host(bad=plugin(hook, fail)).manager)
    assert caught.value.code == "plugin-failed"
    assert caught.value.message == f"The plugin 'bad' failed in {hook}: {type(error).__name__}: {error}"
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("hook", CALLS)
def test_an_error_of_ours_from_a_policy_passes_as_it_is(hook: str) -> None:
    ours = GraphError("GPU steps need a cost centre.", step="fit")

    def refuse(request: Any) -> Any:
        raise ours

    with pytest.raises(GraphError) as caught:
        CALLS[hook](Host(policy=plugin(hook, refuse)).manager)
    assert caught.value is ours


@pytest.mark.parametrize("hook", CALLS)
def test_an_answer_of_the_wrong_type_is_the_plugins_failure(hook: str) -> None:
    with pytest.raises(PluginError) as caught:
        CALLS[hook](Host(bad=plugin(hook, lambda request: 7)).manager)
    assert caught.value.message.startswith(f"The plugin 'bad' failed in {hook}: TypeError: ")


def test_defaults_of_several_plugins_are_kept_by_plugin() -> None:
    answers = {"a": {"datastore": {"name": "s3"}}, "b": {"datastore": {"s3": {"root": "s3://x"}}}}
    plugins = {name: plugin("headrace_config_defaults", lambda request, tree=tree: tree) for name, tree in answers.items()}
    assert Host(**plugins).manager.config_defaults(DEFAULTS) == answers


@pytest.mark.parametrize(
    ("one", "other", "key"),
    [
        ({"datastore": {"name": "s3"}}, {"datastore": {"name": "s3"}}, "datastore.name"),
        ({"hooks": {"x": 1}}, {"hooks": {"x": {"deep": 2}}}, "hooks.x.deep"),
        ({"hooks": {"x": {"deep": 2}}}, {"hooks": {"x": 1}}, "hooks.x.deep"),
    ],
)
def test_two_plugins_that_set_one_configuration_key_are_an_error_naming_both(one: Any, other: Any, key: str) -> None:
    host = Host(a=plugin("headrace_config_defaults", lambda request: one), b=plugin("headrace_config_defaults", lambda request: other))
    with pytest.raises(PluginError) as caught:
        host.manager.config_defaults(DEFAULTS)
    assert (caught.value.code, caught.value.message) == (
        "plugin-conflict",
        f"The plugins 'a' and 'b' both set the configuration key {key!r}.",
    )


def test_each_transformed_graph_is_linted_and_the_culprit_named() -> None:
    seen: list[str] = []

    def relint(graph: FlowGraph) -> None:
        seen.append(graph.doc)
        if graph.doc == "12":
            raise GraphError("No end.", remedy="Add one.")

    with pytest.raises(GraphError) as caught:
        Host(**transforms(a="1", b="2", c="3")).manager.graph_transform(TRANSFORM, relint)
    assert seen == ["1", "12"]
    assert caught.value.remedy == "The plugin 'b' made this of the graph. Add one."


def test_diagnostics_of_all_plugins_are_collected_from_generators_too() -> None:
    one, two, three = Diagnostic("error", "1"), Diagnostic("info", "2"), Diagnostic("warning", "3")

    def generate(request: GraphCheckRequest) -> Iterator[Diagnostic]:
        yield one
        yield two

    host = Host(a=plugin("headrace_graph_check", generate), b=plugin("headrace_graph_check", lambda request: [three]))
    assert host.manager.graph_check(CHECK) == [one, two, three]


def test_packaged_files_are_merged_and_a_path_from_two_is_an_error() -> None:
    one = plugin("headrace_package_files", lambda request: {"acme/A": b"1"})
    two = plugin("headrace_package_files", lambda request: {"acme/B": b"2"})
    assert Host(a=one, b=two).manager.package_files(FILES) == {"acme/A": b"1", "acme/B": b"2"}
    with pytest.raises(PluginError) as caught:
        Host(a=one, b=plugin("headrace_package_files", lambda request: {"acme/A": b"1"})).manager.package_files(FILES)
    assert caught.value.message == "The plugins 'a' and 'b' both set the packaged file 'acme/A'."


@pytest.mark.parametrize(
    ("hook", "answer"),
    [
        ("headrace_task_environment", {"WORKERS": 3}),
        ("headrace_task_environment", {3: "x"}),
        ("headrace_package_files", {"a": "text"}),
        ("headrace_package_files", {"a": 3}),
        ("headrace_config_defaults", {3: {}}),
    ],
)
def test_an_answer_with_values_of_the_wrong_type_is_the_plugins_failure(hook: str, answer: Any) -> None:
    with pytest.raises(PluginError) as caught:
        CALLS[hook](Host(bad=plugin(hook, lambda request: answer)).manager)
    assert caught.value.message.startswith(f"The plugin 'bad' failed in {hook}: TypeError: it answered ")


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", "", "a//b", "a\\b", "./a"])
def test_a_packaged_path_stays_inside_the_package(path: str) -> None:
    with pytest.raises(PluginError) as caught:
        Host(a=plugin("headrace_package_files", lambda request: {path: b""})).manager.package_files(FILES)
    assert "'a'" in caught.value.message


def test_task_environments_are_merged_and_only_different_values_conflict() -> None:
    one = plugin("headrace_task_environment", lambda request: {"TEAM": "ml", "FLOW": request.flow})
    same = plugin("headrace_task_environment", lambda request: {"TEAM": "ml", "STEP": request.step})
    other = plugin("headrace_task_environment", lambda request: {"TEAM": "data"})
    assert Host(a=one, b=same).manager.task_environment(ENVIRONMENT) == {"TEAM": "ml", "FLOW": "F", "STEP": "start"}
    with pytest.raises(PluginError) as caught:
        Host(a=one, b=same, c=other).manager.task_environment(ENVIRONMENT)
    assert caught.value.message == "The plugins 'b' and 'c' both set the environment variable 'TEAM'."
