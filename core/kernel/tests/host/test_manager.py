from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from distributions import install
from hosting import CHECK, DOCTOR, HOOKS, TRANSFORM, Host, good_wrapper, mark, plugin, transforms

from headrace.host.index import read_index
from headrace_hookspecs import PluginError, hookimpl

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
