import json

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace_hookspecs import Compute, ConfigError, FlowDefinitionError, MissingCapabilityError, Resources, Source, StepNode
from headrace_kubernetes.render import _cpu
from headrace_kubernetes.settings import KubernetesSettings

TRAIN = StepNode("train", "linear", source=Source("flow.py", 12))


def test_a_step_that_asks_for_nothing_gets_what_the_section_says(pod):
    expected = {
        "name": "main",
        "resources": {"requests": {"cpu": "1", "memory": "4096Mi", "ephemeral-storage": "10240Mi"}},
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }
    assert pod() == {"spec": {"restartPolicy": "Never", "containers": [expected]}}
    own = pod(section={"cpu": 0.25, "memory": "1G", "disk": 0})["spec"]["containers"][0]["resources"]
    assert own == {"requests": {"cpu": "250m", "memory": "1024Mi"}}


def test_everything_at_once(pod):
    step = attrs.evolve(
        TRAIN,
        env={"MODE": "fast", "TMPDIR": "/mine"},
        labels={"team": "ml", "stage": "step"},
        annotations={"why": "step"},
        resources=Resources(cpu=2.0, memory=8192, gpu=2, shared_memory=64, extended={"acme.com/tpu": "1"}),
    )
    body = pod(
        step,
        {
            "labels": {"owner": "ops", "team": "ops"},
            "secrets": ["all"],
            "persistent_volume_claims": {"models": "/models"},
            "registry": "reg.io/",
        },
        image="ml/train:7",
        image_pull_policy="IfNotPresent",
        image_pull_secrets=["registry"],
        namespace="ml",
        service_account="flows",
        secrets=["warehouse", "all"],
        node_selector={"disk": "ssd"},
        tolerations=[{"key": "gpu", "effect": "NoExecute", "toleration_seconds": 30}],
        labels={"stage": "settings"},
        annotations={"how": "well"},
        persistent_volume_claims={"data.set": "/data"},
        use_tmpfs=True,
        port=8080,
        security_context={"run_as_user": 1000},
        gpu_vendor="gpu.intel.com/i915",
    )
    assert body == {
        "metadata": {
            "namespace": "ml",
            "labels": {"owner": "ops", "team": "ml", "stage": "settings"},
            "annotations": {"why": "step", "how": "well"},
        },
        "spec": {
            "restartPolicy": "Never",
            "serviceAccountName": "flows",
            "imagePullSecrets": [{"name": "registry"}],
            "nodeSelector": {"disk": "ssd"},
            "tolerations": [{"key": "gpu", "effect": "NoExecute", "tolerationSeconds": 30}],
            "containers": [
                {
                    "name": "main",
                    "image": "reg.io/ml/train:7",
                    "imagePullPolicy": "IfNotPresent",
                    "ports": [{"containerPort": 8080}],
                    "envFrom": [{"secretRef": {"name": "all"}}, {"secretRef": {"name": "warehouse"}}],
                    "env": [{"name": "TMPDIR", "value": "/mine"}, {"name": "MODE", "value": "fast"}],
                    "resources": {
                        "requests": {"cpu": "2", "memory": "8192Mi", "ephemeral-storage": "10240Mi", "acme.com/tpu": "1"},
                        "limits": {"acme.com/tpu": "1", "gpu.intel.com/i915": "2"},
                    },
                    "volumeMounts": [
                        {"name": "shared-memory", "mountPath": "/dev/shm"},
                        {"name": "tmpfs", "mountPath": "/headrace_temp"},
                        {"name": "claim-models", "mountPath": "/models"},
                        {"name": body["spec"]["volumes"][3]["name"], "mountPath": "/data"},
                    ],
                    "securityContext": {"runAsUser": 1000},
                    "terminationMessagePolicy": "FallbackToLogsOnError",
                }
            ],
            "volumes": [
                {"name": "shared-memory", "emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}},
                {"name": "tmpfs", "emptyDir": {"medium": "Memory", "sizeLimit": "4096Mi"}},
                {"name": "claim-models", "persistentVolumeClaim": {"claimName": "models"}},
                {"name": body["spec"]["volumes"][3]["name"], "persistentVolumeClaim": {"claimName": "data.set"}},
            ],
        },
    }
    assert body["spec"]["volumes"][3]["name"].startswith("claim-data-set-")


@pytest.mark.parametrize(
    ("settings", "step", "section", "expected"),
    [
        ("own:1", "step:1", "section:1", "own:1"),
        (None, "step:1", "section:1", "step:1"),
        (None, None, "section:1", "section:1"),
        (None, None, "", None),
    ],
)
def test_the_image_is_the_decorators_the_steps_the_sections_or_left_to_the_engine(pod, settings, step, section, expected):
    body = pod(attrs.evolve(TRAIN, image=step), {"image": section}, image=settings)
    assert body["spec"]["containers"][0].get("image") == expected


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("train", "reg.io/train"),
        ("ml/train:7", "reg.io/ml/train:7"),
        ("ghcr.io/ml/train", "ghcr.io/ml/train"),
        ("localhost/train", "localhost/train"),
        ("host:5000/train@sha256:00", "host:5000/train@sha256:00"),
    ],
)
def test_a_registry_stands_before_images_that_name_none(pod, image, expected):
    assert pod(section={"registry": "reg.io"}, image=image)["spec"]["containers"][0]["image"] == expected


def test_guaranteed_makes_requests_the_limits_and_needs_both(pod):
    resources = pod(qos="guaranteed", gpu=1, cpu=0.5)["spec"]["containers"][0]["resources"]
    asked = {"cpu": "500m", "memory": "4096Mi", "ephemeral-storage": "10240Mi"}
    assert resources == {"requests": asked, "limits": {**asked, "nvidia.com/gpu": "1"}}
    with pytest.raises(MissingCapabilityError, match="says nothing of cpu or memory"):
        pod(section={"memory": 0}, qos="guaranteed")


def test_no_gpu_is_no_limit(pod):
    assert "limits" not in pod(gpu=0)["spec"]["containers"][0]["resources"]


@given(st.floats(0.0005, 4096))
def test_cores_are_whole_or_thousandths_and_never_less_than_asked(cores):
    text = _cpu(cores)
    amount = int(text[:-1]) / 1000 if text.endswith("m") else int(text)
    assert cores - 1e-6 <= amount < cores + 0.001001


def test_a_variable_has_its_value_whatever_it_looks_like(pod):
    env = pod(attrs.evolve(TRAIN, env={"PRICE": "5$", "REF": "$(HOME) $$"}))["spec"]["containers"][0]["env"]
    assert env == [{"name": "PRICE", "value": "5$$"}, {"name": "REF", "value": "$$(HOME) $$$$"}]


def test_a_tmpfs_is_asked_for_by_its_size_and_need_not_hold_temporary_files(pod):
    spec = pod(tmpfs_size=100, tmpfs_tempdir=False, tmpfs_path="/fast")["spec"]
    assert spec["volumes"] == [{"name": "tmpfs", "emptyDir": {"medium": "Memory", "sizeLimit": "100Mi"}}]
    assert spec["containers"][0]["volumeMounts"] == [{"name": "tmpfs", "mountPath": "/fast"}]
    assert "env" not in spec["containers"][0]


def test_what_a_step_says_replaces_the_sections_even_if_it_is_nothing(pod):
    section = {"node_selector": {"disk": "ssd"}, "tolerations": [{"operator": "Exists"}]}
    assert pod(section=section)["spec"]["nodeSelector"] == {"disk": "ssd"}
    assert not {"nodeSelector", "tolerations"} & set(pod(section=section, node_selector={}, tolerations=[])["spec"])


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"gang": True}, "runs as several nodes at once"),
        ({"environment": {"provider": "pypi"}}, "asks for packages of its own"),
        ({"secrets": ({"name": "x"},)}, "asks for secrets"),
    ],
)
def test_what_no_pod_can_be_is_refused_by_name(launcher, changes, what):
    with pytest.raises(MissingCapabilityError) as refused:
        launcher().render(attrs.evolve(TRAIN, **changes))
    assert refused.value.message.startswith(f"Step train {what}")
    assert (refused.value.step, refused.value.file, refused.value.line) == ("train", "flow.py", 12)


def test_two_volumes_at_one_place_are_refused(launcher):
    step = attrs.evolve(TRAIN, compute=Compute("kubernetes", {"shared_memory": 5, "persistent_volume_claims": {"data": "/dev/shm"}}))
    with pytest.raises(MissingCapabilityError, match="two volumes at /dev/shm"):
        launcher().render(step)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"compute": Compute("kubernetes", {"flavour": "x"})}, "flavour"),
        ({"compute": Compute("kubernetes", {"cpu": -1})}, "cpu=-1"),
        ({"labels": {"team": "a b"}}, "labels: team"),
    ],
)
def test_a_compute_or_a_label_that_came_from_elsewhere_is_checked_too(launcher, changes, problem):
    with pytest.raises(FlowDefinitionError) as refused:
        launcher().render(attrs.evolve(TRAIN, **changes))
    assert problem in refused.value.message
    assert (refused.value.step, refused.value.file, refused.value.line) == ("train", "flow.py", 12)


def test_a_section_is_checked_when_the_launcher_is_made(launcher):
    with pytest.raises(ConfigError) as refused:
        launcher(image_pull_policy="Sometimes")
    assert refused.value.message == "launcher.kubernetes: image_pull_policy='Sometimes' is not known."
    assert refused.value.remedy == "Write one of Always, IfNotPresent, Never."


RENDERED = {
    "cpu": 3,
    "memory": 5000,
    "disk": 20000,
    "gpu": 1,
    "gpu_vendor": "amd",
    "shared_memory": 64,
    "extended_resources": {"acme.com/tpu": 1},
    "qos": "guaranteed",
    "image": "a:1",
    "image_pull_policy": "Always",
    "image_pull_secrets": ["a"],
    "namespace": "a",
    "service_account": "a",
    "secrets": ["a"],
    "node_selector": {"a": "b"},
    "tolerations": [{"operator": "Exists"}],
    "labels": {"a": "b"},
    "annotations": {"a": "b"},
    "persistent_volume_claims": {"a": "/a"},
    "use_tmpfs": True,
    "tmpfs_size": 64,
    "tmpfs_path": "/a",
    "tmpfs_tempdir": False,
    "port": 80,
    "security_context": {"privileged": True},
}
REFUSED = {"compute_pool", "executable", "hostname_resolution_timeout"}
WITH = {"gpu_vendor": {"gpu": 1}, "tmpfs_path": {"use_tmpfs": True}, "tmpfs_tempdir": {"use_tmpfs": True}}


@pytest.mark.parametrize("name", [field.name for field in attrs.fields(KubernetesSettings) if field.name not in REFUSED])
def test_no_setting_is_ignored(pod, name):
    base = WITH.get(name, {})
    assert json.dumps(pod(**base, **{name: RENDERED[name]})) != json.dumps(pod(**base))
