"""Conformance of what launchers do at plan time: `RenderContract`. A launcher that runs tasks too is held to it by `LauncherContract`.

Renderings are pure: plain data in a public format, the same each time, of a step that is left as it was.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any, ClassVar

import attrs
import pytest

from headrace_hookspecs import Capability, Launcher, MissingCapabilityError, Resources, StepNode

from .capabilities import assert_tested, requires


class RenderContract:
    """Subclass it, override `make_launcher` and name the launcher's `capabilities`."""

    capabilities: ClassVar[frozenset[Capability]] = frozenset()

    @pytest.fixture
    def make_launcher(self) -> Callable[[], Launcher]:
        """A new launcher, made but not prepared."""
        raise NotImplementedError

    @pytest.fixture
    def launcher(self, make_launcher: Callable[[], Launcher]) -> Launcher:
        return make_launcher()

    def test_it_says_what_it_can(self, launcher: Launcher) -> None:
        assert isinstance(launcher.capabilities, frozenset)
        assert all(isinstance(capability, Capability) for capability in launcher.capabilities)
        assert isinstance(launcher.echoes, bool)
        assert_tested(type(self), launcher.capabilities)

    def test_it_renders_a_bare_step_as_json_and_always_the_same(self, launcher: Launcher, make_launcher: Callable[[], Launcher]) -> None:
        step = StepNode("train", "linear")
        first, second = launcher.render(step), launcher.render(step)
        assert first == second == make_launcher().render(step)
        assert first.format
        assert json.loads(json.dumps(dict(first.body))) == dict(first.body)

    def test_rendering_leaves_the_step_alone_and_shares_nothing_with_it(self, launcher: Launcher) -> None:
        step = StepNode("train", "linear", doc="Fit.", env={"MODE": "fast"} if Capability.ENVIRONMENT in self.capabilities else {})
        before = copy.deepcopy(step)
        body = launcher.render(step).body
        assert step == before
        again: dict[str, Any] = json.loads(json.dumps(dict(body)))
        assert isinstance(step.env, dict)
        step.env["LATER"] = "yes"
        assert body == again

    @pytest.mark.parametrize(
        ("capability", "step"),
        [
            (Capability.GANG, StepNode("train", "linear", gang=True)),
            (Capability.ENVIRONMENT, StepNode("train", "linear", env={"MODE": "fast"})),
        ],
        ids=lambda value: str(value) if isinstance(value, Capability) else "",
    )
    def test_it_refuses_what_it_does_not_declare(self, launcher: Launcher, capability: Capability, step: StepNode) -> None:
        if capability in launcher.capabilities:
            launcher.render(step)
        else:
            with pytest.raises(MissingCapabilityError) as refused:
                launcher.render(step)
            assert refused.value.step == "train"

    @requires(Capability.ENVIRONMENT)
    def test_variables_of_the_step_are_in_the_rendering(self, launcher: Launcher) -> None:
        body = json.dumps(dict(launcher.render(StepNode("train", "linear", env={"MODE_OF_IT": "quite-fast"})).body))
        assert "MODE_OF_IT" in body
        assert "quite-fast" in body

    @requires(Capability.RESOURCES)
    @pytest.mark.parametrize("resource", ["cpu", "memory", "disk", "gpu", "shared_memory", "extended"])
    def test_every_resource_that_is_asked_for_changes_the_rendering(self, launcher: Launcher, resource: str) -> None:
        step = StepNode("train", "linear", resources=Resources(cpu=3.0, memory=3000, disk=30000, gpu=1, shared_memory=300))
        assert step.resources is not None
        more: Any = {"acme.com/tpu": "2"} if resource == "extended" else getattr(step.resources, resource) + 1
        asked = attrs.evolve(step, resources=attrs.evolve(step.resources, **{resource: more}))
        assert launcher.render(asked) != launcher.render(step)
