from collections.abc import Callable
from typing import ClassVar

import pytest

import headrace_argo
from headrace_argo.config import ArgoConfig
from headrace_argo.engine import ArgoOrchestrator
from headrace_hookspecs import Orchestrator, ProviderContext, StepNode, Workload
from headrace_testkit import OrchestratorContract, PluginPackageContract

_IN_THE_POD = "the launcher has rendered it into the workload"
_IN_THE_TASK = "the task acts on it, which reads the deployment's record"
_DERIVED = "computed from `next` and the splits"


class TestArgo(OrchestratorContract):
    capabilities = ArgoOrchestrator.capabilities
    meaningless: ClassVar[dict[str, str]] = {
        "Deployment.config": _IN_THE_TASK,
        "Deployment.plugins": _IN_THE_TASK,
        "FlowGraph.configs": _IN_THE_TASK,
        "FlowGraph.decorators": "their meaning is in other fields",
        "FlowGraph.source": "a place in the user's files, for messages",
        "FlowGraph.tags": "the deployment's tags hold them",
        "ParameterSpec.attribute": _IN_THE_TASK,
        "ParameterSpec.hidden": "Argo has no hidden arguments",
        "ParameterSpec.separator": "values are text here; the task splits it",
        "ParameterSpec.source": "a place in the user's files, for messages",
        "StepNode.annotations": _IN_THE_POD,
        "StepNode.closes": _DERIVED,
        "StepNode.compute": _IN_THE_POD,
        "StepNode.decorators": "their meaning is in other fields",
        "StepNode.doc": "Argo shows no text for a template",
        "StepNode.env": _IN_THE_POD,
        "StepNode.foreach": _IN_THE_TASK,
        "StepNode.foreach_depth": _DERIVED,
        "StepNode.image": _IN_THE_POD,
        "StepNode.labels": _IN_THE_POD,
        "StepNode.matching_join": _DERIVED,
        "StepNode.next_source": "a place in the user's files, for messages",
        "StepNode.predecessors": _DERIVED,
        "StepNode.resources": _IN_THE_POD,
        "StepNode.source": "a place in the user's files, for messages",
        "StepNode.takes_inputs": _IN_THE_TASK,
        "Absorb.artifact": _IN_THE_TASK,
        "Absorb.print_exception": _IN_THE_TASK,
    }

    @pytest.fixture
    def make_engine(self) -> Callable[[], Orchestrator]:
        return lambda: headrace_argo.plugin.create(ArgoConfig(), ProviderContext(".", "Flow", {}, print))

    def workload(self, step: StepNode) -> Workload:
        container = {"name": "main", "env": [{"name": "OF", "value": step.name}]}
        return Workload("k8s/PodTemplateSpec", {"metadata": {"labels": {"of": "it"}}, "spec": {"containers": [container]}})


class TestPackage(PluginPackageContract):
    distribution = "headrace-plugin-argo"
