"""Conformance of orchestrators: `OrchestratorContract`. Compilation is pure and complete: nothing of a flow is ignored without a word.

Knows no engine: manifests are compared, never read.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

import attrs
import pytest

from headrace_hookspecs import (
    Absorb,
    Capability,
    Compute,
    Deployment,
    ExitHook,
    FlowGraph,
    HeadraceError,
    MissingCapabilityError,
    Notification,
    Orchestrator,
    Outcome,
    Report,
    RetryPolicy,
    Schedule,
    StepNode,
    Switch,
    Timeout,
    Trigger,
    Workload,
)

from .capabilities import assert_tested
from .deployments import changes, deployment_of, rich_graph

_WAITING: Final = RetryPolicy(times=1, wait=5.0)

_STEP_NEEDS: Final[tuple[tuple[Capability, str, Mapping[str, Any]], ...]] = (
    (Capability.ABSORB, "end", {"absorb": Absorb("failure")}),
    (Capability.HARD_TIMEOUT, "end", {"timeout": Timeout(30.0)}),
    (Capability.RETRY_WAIT, "end", {"retry": _WAITING}),
    (Capability.RETRY_JITTER, "end", {"retry": attrs.evolve(_WAITING, jitter=0.5)}),
    (Capability.RETRY_GROWTH, "end", {"retry": attrs.evolve(_WAITING, growth={"memory": 2.0})}),
    (Capability.SECRETS, "end", {"secrets": ({"name": "warehouse"},)}),
    (Capability.GANG, "right", {"gang": True, "num_parallel": True}),
    (Capability.RECURSION, "right", {"recursive": True}),
    (Capability.SWITCH, "join", {"kind": "switch", "switch": Switch("mood", (("good", "end"), ("bad", "end")))}),
)
_FLOW_NEEDS: Final[tuple[tuple[Capability, Mapping[str, Any]], ...]] = (
    (Capability.SCHEDULE, {"schedule": Schedule("0 4 * * *")}),
    (Capability.TRIGGER, {"triggers": (Trigger("event", "arrived"),)}),
    (Capability.EXIT_HOOK, {"exit_hooks": (ExitHook("flow:tell", "failure"),)}),
    (Capability.EXIT_HOOK, {"notifications": (Notification("mail", "failure"),)}),
)


class OrchestratorContract:
    """Subclass it, override `make_engine` and `workload`, and name the orchestrator's `capabilities`.

    `meaningless` lists the fields (`StepNode.doc`) that say nothing to this engine, each with the reason: a change of any other field has
    to change the manifest or to be refused, and a change of these must not.
    """

    capabilities: ClassVar[frozenset[Capability]] = frozenset()
    meaningless: ClassVar[Mapping[str, str]] = {}

    @pytest.fixture
    def make_engine(self) -> Callable[[], Orchestrator]:
        """A new orchestrator."""
        raise NotImplementedError

    def workload(self, step: StepNode) -> Workload:
        """A small valid workload for the step, in a format that the engine takes; different steps may have different ones."""
        raise NotImplementedError

    @pytest.fixture
    def engine(self, make_engine: Callable[[], Orchestrator]) -> Orchestrator:
        return make_engine()

    @pytest.fixture
    def deployment(self) -> Deployment:
        """A flow with everything that the engine declares."""
        return deployment_of(rich_graph(self.capabilities, self.workload))

    @pytest.fixture
    def bare(self) -> Deployment:
        """A flow that needs nothing in particular."""
        return deployment_of(rich_graph((), self.workload))

    def test_it_says_what_it_can(self, engine: Orchestrator) -> None:
        assert isinstance(engine.capabilities, frozenset)
        assert all(isinstance(capability, Capability) for capability in engine.capabilities)
        assert engine.formats
        assert all(isinstance(name, str) for name in engine.formats)
        assert isinstance(engine.default_compute, Compute)
        assert_tested(type(self), engine.capabilities)

    # compile

    def test_the_manifest_is_plain_data(self, engine: Orchestrator, deployment: Deployment) -> None:
        manifest = engine.compile(deployment)
        assert json.loads(json.dumps(manifest, allow_nan=False)) == manifest

    def test_the_same_flow_gives_the_same_bytes(self, make_engine: Callable[[], Orchestrator], deployment: Deployment) -> None:
        engine = make_engine()
        texts = [json.dumps(each) for each in (engine.compile(deployment), engine.compile(deployment))]
        texts.append(json.dumps(make_engine().compile(copy.deepcopy(deployment))))
        assert len(set(texts)) == 1

    def test_compiling_leaves_the_deployment_alone_and_shares_nothing_with_it(self, engine: Orchestrator, deployment: Deployment) -> None:
        before = copy.deepcopy(deployment)
        manifest = engine.compile(deployment)
        assert deployment == before
        _spoil(manifest)
        assert deployment == before

    def test_every_step_is_started_as_its_template_says(self, engine: Orchestrator, deployment: Deployment) -> None:
        text = json.dumps(engine.compile(deployment))
        missing = [step for step in (*deployment.graph.order, "exit") if f"mark-of-{step}" not in text]
        assert missing == []
        assert all(word in text for word in deployment.exit.argv)

    def test_the_manifest_knows_no_path_of_this_machine(self, engine: Orchestrator, deployment: Deployment) -> None:
        assert str(Path.cwd()) not in json.dumps(engine.compile(deployment))

    @pytest.mark.parametrize(("capability", "name", "change"), _STEP_NEEDS, ids=[str(need[0]) for need in _STEP_NEEDS])
    def test_what_a_step_needs_is_in_the_manifest_or_refused(
        self, engine: Orchestrator, bare: Deployment, capability: Capability, name: str, change: Mapping[str, Any]
    ) -> None:
        changed = _with_step(bare, name, change)
        if capability in engine.capabilities:
            assert engine.compile(changed) != engine.compile(bare)
        else:
            with pytest.raises(MissingCapabilityError) as refused:
                engine.compile(changed)
            assert (refused.value.step, refused.value.file) == (name, "flow.py")
            assert refused.value.line
            assert refused.value.remedy

    @pytest.mark.parametrize(("capability", "change"), _FLOW_NEEDS, ids=[next(iter(need[1])) for need in _FLOW_NEEDS])
    def test_what_a_flow_needs_is_in_the_manifest_or_refused(
        self, engine: Orchestrator, bare: Deployment, capability: Capability, change: Mapping[str, Any]
    ) -> None:
        changed = attrs.evolve(bare, graph=attrs.evolve(bare.graph, **change))
        if capability in engine.capabilities:
            assert engine.compile(changed) != engine.compile(bare)
        else:
            with pytest.raises(MissingCapabilityError) as refused:
                engine.compile(changed)
            assert refused.value.remedy

    @pytest.mark.parametrize("capability", [Capability.FOREACH, Capability.NESTED_FOREACH])
    def test_fan_outs_are_in_the_manifest_or_refused(self, engine: Orchestrator, bare: Deployment, capability: Capability) -> None:
        fanning = deployment_of(rich_graph({Capability.FOREACH, capability}, self.workload))
        if capability in engine.capabilities:
            assert engine.compile(fanning) != engine.compile(bare)
        else:
            with pytest.raises(MissingCapabilityError) as refused:
                engine.compile(fanning)
            assert refused.value.step in ("left", "work")

    def test_workloads_of_other_formats_are_refused_with_step_and_line(self, engine: Orchestrator, bare: Deployment) -> None:
        for workload in (Workload("acme/Widget", {}), None):
            with pytest.raises(MissingCapabilityError) as refused:
                engine.compile(_with_step(bare, "right", {"workload": workload}))
            assert (refused.value.step, refused.value.file) == ("right", "flow.py")
            assert refused.value.line

    def test_no_field_is_ignored_without_a_word(self, engine: Orchestrator, deployment: Deployment) -> None:
        """Each change shows in the manifest, or is refused, or is one of the `meaningless`; and those are meaningless indeed."""
        before = json.dumps(engine.compile(deployment))
        ignored, meaning, seen = [], [], set()
        for field, where, changed in changes(deployment, self.meaningless):
            seen.add(field)
            try:
                shows = json.dumps(engine.compile(changed)) != before
            except HeadraceError:
                shows = True
            if field in self.meaningless:
                meaning += [where] if shows else []
            else:
                ignored += [] if shows else [where]
        assert ignored == [], "changed without effect, and not listed in `meaningless`"
        assert meaning == [], "listed in `meaningless`, but it changes the manifest"
        assert set(self.meaningless) - seen == set(), "listed in `meaningless`, and there is no such field"

    # report

    @pytest.mark.parametrize(
        ("kind", "outcome"),
        [
            ("linear", Outcome("succeeded", ("end",))),
            ("foreach", Outcome("succeeded", ("work",), 3)),
            ("switch", Outcome("succeeded", ("end",))),
            ("split", Outcome("succeeded", ("left", "right"))),
            ("join", Outcome("absorbed", ("end",))),
            ("end", Outcome("succeeded")),
        ],
    )
    def test_a_report_writes_only_below_its_place(
        self, engine: Orchestrator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Any, outcome: Outcome
    ) -> None:
        monkeypatch.chdir(tmp_path)
        place = tmp_path / "its" / "place"
        (tmp_path / "other").mkdir()
        engine.report(Report(StepNode("work", kind, next=outcome.next), outcome, str(place)))
        assert sorted(path.name for path in tmp_path.iterdir()) in (["other"], ["its", "other"])
        assert not any((tmp_path / "other").iterdir())
        if place.parent.exists():
            assert [path.name for path in place.parent.iterdir()] == ["place"]


def _with_step(deployment: Deployment, name: str, change: Mapping[str, Any]) -> Deployment:
    graph: FlowGraph = deployment.graph
    step = attrs.evolve(graph.steps[name], **change)
    return attrs.evolve(deployment, graph=attrs.evolve(graph, steps={**graph.steps, name: step}))


def _spoil(value: Any) -> None:
    """Change everything in plain data that can be changed."""
    if isinstance(value, dict):
        for item in value.values():
            _spoil(item)
        value["spoiled"] = True
    elif isinstance(value, list):
        for item in value:
            _spoil(item)
        value.append("spoiled")
