from collections.abc import Callable

import pytest

import headrace_kubernetes
from headrace_hookspecs import Launcher, ProviderContext
from headrace_kubernetes.config import KubernetesConfig
from headrace_kubernetes.launcher import KubernetesLauncher
from headrace_testkit import PluginPackageContract, RenderContract, StepDecoratorContract


class TestLauncher(RenderContract):
    capabilities = KubernetesLauncher.capabilities

    @pytest.fixture
    def make_launcher(self) -> Callable[[], Launcher]:
        return lambda: headrace_kubernetes.plugin.create(KubernetesConfig(), ProviderContext(".", "Flow", {}, print))


class TestKubernetes(StepDecoratorContract):
    handle = headrace_kubernetes.kubernetes
    accepted = (
        {},
        {"cpu": "0.5", "gpu": "1", "memory": "8G", "disk": 10240, "shared_memory": "64Mi", "gpu_vendor": "amd", "qos": "Guaranteed"},
        {"image": "ml/train:7", "image_pull_policy": "always", "image_pull_secrets": ["registry"], "secrets": "warehouse, mail"},
        {"namespace": "ml", "service_account": "flows", "node_selector": "disk=ssd,zone=a", "labels": {"team": "ml"}},
        {"tolerations": [{"key": "gpu", "operator": "Equal", "value": "yes", "effect": "NoExecute", "toleration_seconds": 30}]},
        {"tolerations": [{"operator": "Exists"}], "annotations": {"acme.com/why": "any text, even = and ünicode"}},
        {"persistent_volume_claims": {"data.set": "/data"}, "port": "8080", "extended_resources": {"acme.com/tpu": 2}},
        {"use_tmpfs": True, "tmpfs_size": "1G", "tmpfs_path": "/fast", "tmpfs_tempdir": False},
        {"security_context": {"run_as_user": 1000, "runAsNonRoot": True, "privileged": False}, "gpu": 0},
    )
    refused = (
        {"cpu": 0},
        {"cpu": "many"},
        {"cpu": True},
        {"memory": "8X"},
        {"memory": 0},
        {"disk": -1},
        {"shared_memory": 0},
        {"gpu": 0.5},
        {"gpu": -1},
        {"gpu_vendor": "Nvidia!"},
        {"extended_resources": {"tpu": 1}},
        {"extended_resources": {"acme.com/tpu": 0}},
        {"extended_resources": "acme.com/tpu"},
        {"qos": "besteffort"},
        {"image": ""},
        {"image": "two words"},
        {"image_pull_policy": "Sometimes"},
        {"image_pull_secrets": {"a": "b"}},
        {"image_pull_secrets": ["Upper"]},
        {"namespace": "Upper"},
        {"service_account": 3},
        {"secrets": ["a", 3]},
        {"node_selector": "ssd"},
        {"node_selector": "a=b,a=c"},
        {"node_selector": ["a=b"]},
        {"labels": {"team": "a b"}},
        {"labels": {"team": "x" * 64}},
        {"labels": {"-team": "x"}},
        {"annotations": {"why": 3}},
        {"tolerations": {"key": "a"}},
        {"tolerations": ["a"]},
        {"tolerations": [{"keys": "a"}]},
        {"tolerations": [{"key": "a", "operator": "Is"}]},
        {"tolerations": [{"key": "a", "operator": "Exists", "value": "b"}]},
        {"tolerations": [{"key": "a", "effect": "Never"}]},
        {"tolerations": [{"value": "a"}]},
        {"tolerations": [{"key": "a", "toleration_seconds": 3}]},
        {"tolerations": [{"key": "a", "effect": "NoExecute", "toleration_seconds": "3"}]},
        {"tolerations": [{"key": "a", "effect": "NoExecute", "toleration_seconds": 3, "tolerationSeconds": 4}]},
        {"persistent_volume_claims": {"data": "relative"}},
        {"persistent_volume_claims": {"data": "/a", "more": "/a"}},
        {"use_tmpfs": "yes"},
        {"use_tmpfs": False, "tmpfs_size": 10},
        {"tmpfs_path": "/fast"},
        {"tmpfs_tempdir": True},
        {"use_tmpfs": True, "tmpfs_path": "fast"},
        {"port": 0},
        {"port": 70000},
        {"security_context": {"capabilities": {}}},
        {"security_context": {"run_as_user": "root"}},
        {"security_context": []},
        {"compute_pool": "big"},
        {"executable": "/opt/python"},
        {"hostname_resolution_timeout": 600},
    )


class TestPackage(PluginPackageContract):
    distribution = "headrace-plugin-kubernetes"
