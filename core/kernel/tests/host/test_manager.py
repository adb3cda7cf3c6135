from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from distributions import install

from headrace.host.index import Index, read_index
from headrace.host.manager import PluginManager
from headrace.host.registry import Registry
from headrace.plan.config import Config
from headrace_hookspecs import (
    ConfigDefaultsRequest,
    Diagnostic,
    DoctorRequest,
    Event,
    ExecuteRequest,
    FlowGraph,
    GraphCheckRequest,
    GraphError,
    GraphTransformRequest,
    Outcome,
    PackageFilesRequest,
    PluginError,
    StepNode,
    TaskEnvironmentRequest,
    hookimpl,
)
from headrace_hookspecs import hooks as hookspecs

HOOKS = "headrace.hooks"
GRAPH = FlowGraph("F", {"start": StepNode("start", "linear", next=("end",)), "end": StepNode("end", "end")}, "start", "end")
TRANSFORM = GraphTransformRequest(GRAPH, False, {})
CHECK = GraphCheckRequest(GRAPH, "fork", False, {})
DOCTOR = DoctorRequest("/p", {}, False)
DEFAULTS = ConfigDefaultsRequest("/p", None, {})
FILES = PackageFilesRequest(GRAPH, "/p")
ENVIRONMENT = TaskEnvironmentRequest("F", "1", "start", GRAPH)
EXECUTE = ExecuteRequest(None)  # type: ignore[arg-type]


def config(**plugins: Any) -> Config:
    return Config({"plugins": {"required": [], "order": [], **plugins}}, "/p")


class Host:
    """A manager over plugins that are registered in this process, and what it said."""

    def __init__(self, process: Any = "author", environ: dict[str, str] | None = None, index: Index | None = None, **plugins: Any) -> None:
        settings = {name: plugins.pop(name) for name in ("required", "order") if name in plugins}
        disabled = plugins.pop("disable", [])
        self.said: list[str] = []
        registry = Registry(index or Index(()), disabled)
        for name, plugin in plugins.items():
            registry.register(HOOKS, name, plugin)
        self.manager = PluginManager(registry, config(**settings), process, say=self.said.append, environ=environ or {})


def plugin(hook: str, function: Callable[..., Any], *, processes: Any = None, **options: Any) -> Any:
    """An object with one hook. `function` gets the request (or event)."""
    if hook == "headrace_on_event":

        def method(self: Any, event: Any) -> Any:
            return function(event)
    else:

        def method(self: Any, request: Any) -> Any:  # type: ignore[misc]
            return function(request)

    if options.get("wrapper"):

        def method(self: Any, request: Any) -> Any:  # type: ignore[misc]
            return (yield from function(request))

    body: dict[str, Any] = {hook: hookimpl(method, **options)}
    if processes is not None:
        body["headrace_processes"] = processes
    return type("Plugin", (), body)()


def mark(label: str) -> Callable[[GraphTransformRequest], FlowGraph]:
    """A transformation that adds `label` to what the first step's doc says."""

    def transform(request: GraphTransformRequest) -> FlowGraph:
        return attrs.evolve(request.graph, doc=request.graph.doc + label)

    return transform


def transforms(**labels: str) -> dict[str, Any]:
    return {name: plugin("headrace_graph_transform", mark(label)) for name, label in labels.items()}


# ---- loading, order, processes


def test_plugins_are_called_by_name_whatever_the_order_of_registration() -> None:
    assert Host(**transforms(c="3", a="1", b="2")).manager.graph_transform(TRANSFORM, bool).doc == "123"


def test_the_configured_order_comes_first() -> None:
    host = Host(order=["c", "absent", "b"], **transforms(a="1", b="2", c="3"))
    assert host.manager.graph_transform(TRANSFORM, bool).doc == "321"


@pytest.mark.parametrize(
    ("says", "process", "called"),
    [
        (None, "author", True),
        (None, "scheduler", True),
        (None, "task", False),
        ({"task"}, "author", False),
        ({"task"}, "task", True),
        ({"scheduler"}, ("author", "scheduler"), True),
    ],
)
def test_a_plugin_is_called_where_it_says_that_it_lives(says: Any, process: Any, called: bool) -> None:
    host = Host(process, a=plugin("headrace_graph_transform", mark("x"), processes=says))
    assert host.manager.implements("headrace_graph_transform") is called
    assert host.manager.graph_transform(TRANSFORM, bool).doc == ("x" if called else "")


def test_a_plugin_from_a_distribution_is_called(site: Path) -> None:
    code = """
        from attrs import evolve
        from headrace_hookspecs import hookimpl

        @hookimpl
        def headrace_graph_transform(request):
            return evolve(request.graph, doc="from a module")
    """
    install(site, "acme-policy", {HOOKS: {"policy": "acme_policy"}}, module="acme_policy", code=code)
    host = Host(index=read_index([str(site)]))
    assert host.manager.graph_transform(TRANSFORM, bool).doc == "from a module"


def test_a_disabled_plugin_is_not_called(site: Path) -> None:
    install(site, "acme", {HOOKS: {"policy": "acme_policy"}}, module="acme_policy", code="raise SystemExit")
    host = Host(index=read_index([str(site)]), disable=["policy"])
    assert not host.manager.implements("headrace_graph_transform")
    assert host.said == []


BROKEN = {
    "raise ImportError('no boto')": "The plugin 'policy' cannot be imported from acme 1.0: ImportError: no boto",
    "api = '2.0'": "The plugin 'policy' from acme 1.0 is written for plugin API 2.0, this is 1.0.",
    "from headrace_hookspecs import hookimpl\n@hookimpl\ndef headrace_graph_chek(request): ...": (
        "The plugin 'policy' is refused: unknown hook 'headrace_graph_chek' in plugin <module 'acme_policy' from "
    ),
}


@pytest.mark.parametrize("code", BROKEN)
def test_a_plugin_that_cannot_be_used_is_named_and_left_out(site: Path, code: str) -> None:
    install(site, "acme", {HOOKS: {"policy": "acme_policy"}}, module="acme_policy", code=code)
    host = Host(index=read_index([str(site)]), **transforms(good="+"))
    assert host.manager.graph_transform(TRANSFORM, bool).doc == "+"
    assert len(host.said) == 1
    assert host.said[0].startswith(f"The plugin 'policy' is left out. {BROKEN[code]}")
    host.manager.graph_check(CHECK)
    assert len(host.said) == 1


@pytest.mark.parametrize("code", BROKEN)
def test_a_required_plugin_that_cannot_be_used_stops(site: Path, code: str) -> None:
    install(site, "acme", {HOOKS: {"policy": "acme_policy"}}, module="acme_policy", code=code)
    host = Host(index=read_index([str(site)]), required=["policy"])
    for _ in range(2):
        with pytest.raises(PluginError) as caught:
            host.manager.implements("headrace_on_event")
        assert caught.value.message.startswith(BROKEN[code])
        assert caught.value.remedy is not None
        assert caught.value.remedy.startswith("`plugins.required` names it.")


def test_a_required_plugin_that_is_missing_or_disabled_stops(site: Path) -> None:
    install(site, "acme", {HOOKS: {"policy": "acme_policy"}}, module="acme_policy", code="")
    for host, code in [
        (Host(required=["policy"]), "plugin-unknown"),
        (Host(index=read_index([str(site)]), required=["policy"], disable=["policy"]), "plugin-disabled"),
    ]:
        with pytest.raises(PluginError) as caught:
            host.manager.observes  # noqa: B018
        assert caught.value.code == code


# ---- rules that are checked when a plugin is registered


def good_wrapper(request: Any) -> Iterator[None]:
    return (yield)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (plugin("headrace_task_execute", lambda request: None), "headrace_task_execute has to be a hookimpl(wrapper=True)"),
        (plugin("headrace_graph_check", good_wrapper, wrapper=True), "headrace_graph_check must not be a hookimpl(wrapper=True)"),
        (plugin("headrace_graph_check", lambda request: None, tryfirst=True), "tryfirst and trylast are not for plugins"),
        (plugin("headrace_graph_check", lambda request: None, trylast=True), "tryfirst and trylast are not for plugins"),
        (plugin("headrace_unheard_of", lambda request: None), "unknown hook 'headrace_unheard_of'"),
        (type("P", (), {"headrace_doctor": hookimpl(lambda self, request, more: None)})(), "Argument(s) {'more'}"),
    ],
)
def test_a_plugin_that_breaks_a_rule_is_refused(bad: Any, reason: str) -> None:
    host = Host("task")
    bad.headrace_processes = {"task"}
    host.manager.observes  # noqa: B018 - what is registered late is refused at once
    with pytest.raises(PluginError) as caught:
        host.manager.register(bad, "bad")
    assert caught.value.code == "plugin-refused"
    assert caught.value.message.startswith("The plugin 'bad' is refused: ")
    assert reason in caught.value.message


def test_a_provider_with_hooks_takes_part_and_one_without_does_not() -> None:
    host = Host(**transforms(z="z"))
    host.manager.register(plugin("headrace_graph_transform", mark("store")), "datastore.acme")
    host.manager.register(object(), "launcher.fork")
    assert host.manager.graph_transform(TRANSFORM, bool).doc == "storez"


def test_a_provider_that_is_chosen_late_comes_last_and_once() -> None:
    host = Host(**transforms(z="z"))
    assert host.manager.graph_transform(TRANSFORM, bool).doc == "z"
    for _ in range(2):
        host.manager.register(plugin("headrace_graph_transform", mark("late")), "launcher.acme")
    assert host.manager.graph_transform(TRANSFORM, bool).doc == "zlate"


# ---- policy hooks


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


# ---- the wrapped hook

OUTCOME = Outcome("succeeded", ("end",))


def wrapping(function: Callable[..., Any]) -> Any:
    return plugin("headrace_task_execute", function, processes={"task"}, wrapper=True)


def test_wrappers_nest_with_the_first_plugin_outermost_and_get_the_outcome_itself() -> None:
    log: list[Any] = []

    def around(name: str) -> Callable[..., Any]:
        def wrapper(request: Any) -> Any:
            log.append(f"{name} before")
            outcome = yield
            log.append((name, outcome))
            return outcome

        return wrapper

    host = Host("task", a=wrapping(around("a")), b=wrapping(around("b")))
    assert host.manager.task_execute(EXECUTE, lambda: OUTCOME) is OUTCOME
    assert log == ["a before", "b before", ("b", OUTCOME), ("a", OUTCOME)]


def test_without_wrappers_the_kernel_is_called() -> None:
    assert Host("task").manager.task_execute(EXECUTE, lambda: OUTCOME) is OUTCOME


def boom() -> Outcome:
    raise ValueError("user code")


def test_an_exception_passes_a_wrapper() -> None:
    with pytest.raises(ValueError, match="user code"):
        Host("task", a=wrapping(good_wrapper)).manager.task_execute(EXECUTE, boom)


def test_a_wrapper_may_replace_an_exception() -> None:
    def replace(request: Any) -> Any:
        try:
            return (yield)
        except ValueError as error:
            raise KeyError("better") from error

    with pytest.raises(KeyError, match="better"):
        Host("task", a=wrapping(replace)).manager.task_execute(EXECUTE, boom)


def test_a_wrapper_that_removes_an_exception_is_an_error_naming_it() -> None:
    def swallow(request: Any) -> Any:
        try:
            return (yield)
        except ValueError:
            return OUTCOME

    host = Host("task", a=wrapping(good_wrapper), b=wrapping(swallow), c=wrapping(good_wrapper))
    with pytest.raises(PluginError) as caught:
        host.manager.task_execute(EXECUTE, boom)
    assert caught.value.code == "plugin-wrapper"
    assert caught.value.message == "The plugin 'b' removed an exception in headrace_task_execute."
    assert isinstance(caught.value.__cause__, ValueError)


@pytest.mark.parametrize("answer", [None, Outcome("succeeded", ("end",)), "done"])
def test_a_wrapper_that_answers_anything_but_the_kernels_outcome_is_an_error(answer: Any) -> None:
    def forget(request: Any) -> Any:
        yield
        return answer

    with pytest.raises(PluginError) as caught:
        Host("task", forgetful=wrapping(forget)).manager.task_execute(EXECUTE, lambda: OUTCOME)
    assert caught.value.code == "plugin-wrapper"
    assert caught.value.message.startswith("The plugin 'forgetful' answered ")


# ---- observers


def event(number: int = 0) -> Event:
    return Event("task-queued", float(number), "F", "1")


def test_events_reach_every_observer_in_order() -> None:
    got: dict[str, list[float]] = {"a": [], "b": []}
    host = Host(
        "scheduler",
        a=plugin("headrace_on_event", lambda event: got["a"].append(event.time)),
        b=plugin("headrace_on_event", lambda event: got["b"].append(event.time)),
    )
    assert host.manager.observes
    for number in range(100):
        host.manager.on_event(event(number))
    host.manager.close()
    assert got == {name: [float(number) for number in range(100)] for name in "ab"}
    assert host.said == []


def test_without_observers_there_is_no_thread() -> None:
    host = Host("scheduler", **transforms(a="1"))
    before = threading.active_count()
    host.manager.on_event(event())
    assert not host.manager.observes
    assert threading.active_count() == before


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(1), KeyboardInterrupt()])
def test_a_failing_observer_is_told_once_and_off_after_three_strikes(error: BaseException) -> None:
    got: list[float] = []

    def fail(event: Event) -> None:
        got.append(event.time)
        raise error

    host = Host("scheduler", bad=plugin("headrace_on_event", fail))
    for number in range(10):
        host.manager.on_event(event(number))
    host.manager.close()
    assert got == [0.0, 1.0, 2.0]
    assert host.said == [
        f"The plugin 'bad' failed in headrace_on_event: {type(error).__name__}: {error}. The run goes on.",
        "The plugin 'bad' failed 3 times and gets no more events.",
    ]


def test_a_failing_observer_does_not_touch_another() -> None:
    got: list[float] = []

    def fail(event: Event) -> None:
        raise ValueError

    host = Host("scheduler", bad=plugin("headrace_on_event", fail), good=plugin("headrace_on_event", lambda event: got.append(event.time)))
    for number in range(5):
        host.manager.on_event(event(number))
    host.manager.close()
    assert got == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_a_hanging_observer_delays_neither_the_run_nor_another_observer() -> None:
    release, done = threading.Event(), threading.Event()

    def hang(event: Event) -> None:
        release.wait()

    host = Host("scheduler", hung=plugin("headrace_on_event", hang), good=plugin("headrace_on_event", lambda event: done.set()))
    try:
        for number in range(3):
            host.manager.on_event(event(number))
        assert done.wait(10)
        started = time.monotonic()
        host.manager.close(timeout=0.05)
        assert time.monotonic() - started < 5
        assert host.said == ["The plugin 'hung' is too slow: it did not take 3 events."]
        host.manager.on_event(event(9))
        host.manager.close(timeout=0.05)
        assert len(host.said) == 1
    finally:
        release.set()


def test_events_beyond_the_backlog_are_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headrace.host.observers.BACKLOG", 2)
    release, entered, got = threading.Event(), threading.Event(), []

    def slow(event: Event) -> None:
        entered.set()
        release.wait()
        got.append(event.time)

    host = Host("scheduler", slow=plugin("headrace_on_event", slow))
    host.manager.on_event(event(0))
    assert entered.wait(10)
    for number in range(1, 6):
        host.manager.on_event(event(number))
    release.set()
    host.manager.close()
    assert got == [0.0, 1.0]
    assert host.said == ["The plugin 'slow' is too slow: it did not take 4 events."]


def test_a_second_run_of_the_process_is_observed_too_and_strikes_remain() -> None:
    got: list[float] = []

    def fail(event: Event) -> None:
        got.append(event.time)
        if event.time != 2:
            raise ValueError

    host = Host("scheduler", bad=plugin("headrace_on_event", fail))
    for run in range(6):
        host.manager.on_event(event(run))
        host.manager.close()
    assert got == [0.0, 1.0, 2.0, 3.0]
    assert len(host.said) == 2


def test_an_observer_that_is_registered_late_gets_what_follows() -> None:
    early: list[float] = []
    late: list[float] = []
    host = Host("scheduler", early=plugin("headrace_on_event", lambda event: early.append(event.time)))
    host.manager.on_event(event(0))
    host.manager.register(plugin("headrace_on_event", lambda event: late.append(event.time)), "launcher.acme")
    host.manager.on_event(event(1))
    host.manager.close()
    assert (early, late) == ([0.0, 1.0], [1.0])


@pytest.mark.parametrize("error", [ValueError("no disk"), SystemExit("no disk")])
def test_a_doctor_that_fails_becomes_a_finding(error: BaseException) -> None:
    def fail(request: Any) -> Any:
        raise error

    fine = Diagnostic("info", "fine")
    host = Host(bad=plugin("headrace_doctor", fail), good=plugin("headrace_doctor", lambda request: [fine]))
    broken = Diagnostic("error", f"The plugin 'bad' failed in headrace_doctor: {type(error).__name__}: no disk", "plugin-failed")
    assert host.manager.doctor(DOCTOR) == [broken, fine]


# ---- tracing


def test_each_call_is_printed_with_its_time_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    def fail(request: Any) -> Any:
        raise ValueError

    host = Host(
        environ={"HEADRACE_TRACE_HOOKS": "1"}, a=plugin("headrace_graph_check", lambda request: None), b=plugin("headrace_doctor", fail)
    )
    host.manager.graph_check(CHECK)
    host.manager.doctor(DOCTOR)
    lines = [line.split() for line in capsys.readouterr().err.splitlines()]
    assert [line[:5] + line[6:] for line in lines] == [
        ["headrace", "hook", "headrace_graph_check", "a", "done", "ms"],
        ["headrace", "hook", "headrace_doctor", "b", "failed", "ms"],
    ]
    assert all(float(line[5]) >= 0 for line in lines)


def test_nothing_is_printed_otherwise(capsys: pytest.CaptureFixture[str]) -> None:
    Host(a=plugin("headrace_graph_check", lambda request: None)).manager.graph_check(CHECK)
    assert capsys.readouterr() == ("", "")
