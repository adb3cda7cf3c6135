import pytest
from argo.kubelet import Command, command, expand
from argo.problems import RunnerError
from argo.runner import Pod


def pod(**more):
    given = {"env": [], "args": [], "container": {}, "spec": {}, **more}
    return Pod("p-1", "p", "t", "image", ("run", "$(A)"), given["args"], given["env"], {}, {}, {}, given["container"], given["spec"])


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("$(A)", "one"),
        ("a$(A)b$(A)", "aonebone"),
        ("$(B)", "$(B)"),
        ("$$(A)", "$(A)"),
        ("$$", "$"),
        ("$$$$(A)$", "$$(A)$"),
        ("$(A", "$(A"),
        ("$A ${A} $", "$A ${A} $"),
        ("", ""),
    ],
)
def test_references_to_variables_are_replaced_as_kubernetes_does(text, expanded):
    assert expand(text, {"A": "one"}) == expanded


def test_a_command_knows_the_variables_before_it_and_a_variable_those_above_it():
    env = [
        {"name": "A", "value": "1$(C)"},
        {"name": "B", "value": "$(A)2"},
        {"name": "EMPTY"},
        {"name": "C", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "c"}}},
        {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    ]
    made = command(pod(env=env, args=("$(B)$(PATH)",)), {"PATH": "/bin"}, {"keys": {"c": "$(A)"}})
    assert made == Command(
        ["run", "1$(C)", "1$(C)2/bin"],
        {"PATH": "/bin", "A": "1$(C)", "B": "1$(C)2", "EMPTY": "", "C": "$(A)", "NAME": "p-1"},
        {},
    )


def test_an_empty_volume_has_a_path_and_perhaps_a_size():
    spec = {"volumes": [{"name": "a", "emptyDir": {}}, {"name": "b", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}]}
    container = {"volumeMounts": [{"name": "a", "mountPath": "/a"}, {"name": "b", "mountPath": "/b"}]}
    assert command(pod(spec=spec, container=container), {}, {}).empty == {"/a": None, "/b": 1048576}


@pytest.mark.parametrize(
    "wrong",
    [
        {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "no"}}}]},
        {"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "keys", "key": "c"}}}]},
        {"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}]},
        {"container": {"securityContext": {"runAsUser": 1}}},
        {"spec": {"hostAliases": [{}]}},
        {"spec": {"volumes": [{"name": "a", "secret": {}}]}, "container": {"volumeMounts": [{"name": "a", "mountPath": "/a"}]}},
    ],
)
def test_what_the_runner_cannot_honour_is_refused(wrong):
    with pytest.raises(RunnerError, match="p-1"):
        command(pod(**wrong), {}, {"keys": {"c": "v"}})
