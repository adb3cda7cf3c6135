"""What the engine refuses, what it reports, and its section of the configuration."""

import attrs
import pytest

import headrace_argo
from headrace_argo.config import ArgoConfig
from headrace_hookspecs import (
    ConfigError,
    HeadraceError,
    MissingCapabilityError,
    Outcome,
    ProviderContext,
    Report,
    Source,
    StepNode,
    TaskTemplate,
)
from headrace_testkit.decorators import linear_graph
from headrace_testkit.deployments import deployment_of

SMALL = """
class SmallFlow(FlowSpec):
    @step
    def start(self):
        self.next(self.{first}, self.right)

    {decorator}
    @step
    def {first}(self):
        self.next(self.join)

    @step
    def right(self):
        self.next(self.join)

    @step
    def join(self, inputs):
        self.next(self.end)

    @step
    def end(self):
        pass
"""


def engine(**section):
    return headrace_argo.plugin.create(ArgoConfig(**section), ProviderContext(".", "Flow", {}, print))


@pytest.mark.parametrize(
    ("kind", "outcome", "written"),
    [
        ("foreach", Outcome("succeeded", ("work",), 12), {"size": "12"}),
        ("switch", Outcome("succeeded", ("right",)), {"next": "right"}),
        ("linear", Outcome("succeeded", ("end",)), {}),
        ("end", Outcome("absorbed"), {}),
    ],
)
def test_a_report_is_a_file_with_what_argo_goes_on_by(tmp_path, kind, outcome, written):
    place = tmp_path / "place"
    for _ in range(2):  # a task that finds its commit reports again
        engine().report(Report(StepNode("work", kind), outcome, str(place)))
    assert {path.name: path.read_text() for path in place.glob("*")} == written


@pytest.mark.parametrize(
    ("call", "remedy"),
    [
        (lambda engine: engine.apply({}), "flow deploy FILE --to argo --manifest - | kubectl apply -f -"),
        (lambda engine: engine.trigger("small", {"alpha": 1}), "argo submit --from workflowtemplate/small -p alpha=VALUE"),
        (lambda engine: engine.status("small"), "kubectl get workflowtemplate small -o yaml"),
        (lambda engine: engine.status("small", "small-1"), "kubectl get workflow small-1 -o yaml"),
        (lambda engine: engine.delete("small"), "kubectl delete workflowtemplate small"),
    ],
)
def test_what_it_does_not_do_yet_it_says_with_the_command_that_does(call, remedy):
    with pytest.raises(MissingCapabilityError) as refused:
        call(engine())
    assert refused.value.remedy == f"Do it with: {remedy}"


def test_the_section_is_in_the_manifest(compiled):
    section = {
        "namespace": "ml",
        "service_account": "flows",
        "parallelism": 5,
        "timeout": 90.5,
        "priority": -1,
        "labels": {"team": "ml"},
        "annotations": {"why": "so"},
    }
    manifest = compiled(linear_graph(), section)
    spec = manifest["spec"]
    assert manifest["metadata"]["namespace"] == "ml"
    assert {name: spec[name] for name in ("serviceAccountName", "parallelism", "activeDeadlineSeconds", "priority")} == {
        "serviceAccountName": "flows",
        "parallelism": 5,
        "activeDeadlineSeconds": 91,
        "priority": -1,
    }
    for each in (manifest["metadata"], spec["workflowMetadata"], spec["podMetadata"]):
        assert each["labels"]["team"] == "ml"
        assert each["annotations"]["why"] == "so"


@pytest.mark.parametrize(
    "wrong", [{"namespace": "Upper"}, {"service_account": "a b"}, {"parallelism": 0}, {"timeout": 0.0}, {"startup": -1.0}], ids=str
)
def test_a_wrong_section_is_refused_by_the_name_of_the_setting(wrong):
    with pytest.raises(ConfigError) as refused:
        ArgoConfig(**wrong)
    assert refused.value.message.startswith(f"orchestrator.argo.{next(iter(wrong))} cannot be ")


@pytest.mark.parametrize(
    ("decorator", "what"),
    [
        ("@retry(wait=5, jitter=0.5)", "retry-jitter"),
        ("@retry(growth={'memory': 2})", "retry-growth"),
        ("@retry(times=3, wait=5, backoff=1.5)", "whole numbers only"),
        ("@kubernetes(namespace='other')", "namespace"),
        ("@environment(vars={'T': '{{ x }}'})", "spec.containers[0].env[0].value"),
    ],
)
def test_a_flow_that_argo_cannot_run_is_refused_with_step_and_line(deploy, decorator, what):
    with pytest.raises(HeadraceError) as refused:
        deploy(SMALL.format(first="left", decorator=decorator))
    assert what in str(refused.value)
    assert refused.value.step == "left"
    assert refused.value.file.endswith("flow.py")
    assert refused.value.line
    assert refused.value.remedy


def test_a_catch_on_what_fans_out_is_refused(compiled):
    from headrace_hookspecs import Absorb

    graph = linear_graph(StepNode("fan", "foreach", absorb=Absorb()))
    with pytest.raises(MissingCapabilityError, match="no telling what it fans out over") as refused:
        compiled(graph)
    assert refused.value.step == "fan"


def test_without_an_image_the_remedy_names_where_to_say_it(deploy):
    with pytest.raises(MissingCapabilityError) as refused:
        deploy(SMALL.format(first="left", decorator=""), image=None)
    assert "has no image" in refused.value.message
    assert "--image" in refused.value.remedy


@pytest.mark.parametrize(
    ("template", "what"),
    [
        (TaskTemplate(("python", "{{x}}"), {}), "would be started with {{"),
        (TaskTemplate(("python",), {"A": "{{x}}"}), "would be started with {{"),
        (TaskTemplate(("python",), {}, ("STEP",)), "takes no slot RUN"),
    ],
)
def test_a_task_that_argo_cannot_start_is_refused(template, what):
    graph = linear_graph()
    pods = {name: attrs.evolve(step, workload=headrace_workload(), source=Source("flow.py", 3)) for name, step in graph.steps.items()}
    deployment = deployment_of(attrs.evolve(graph, steps=pods))
    wrong = attrs.evolve(deployment, templates={**deployment.templates, "end": template})
    with pytest.raises(MissingCapabilityError) as refused:
        engine().compile(wrong)
    assert what in refused.value.message
    assert refused.value.step == "end"


def headrace_workload():
    from headrace_hookspecs import Workload

    return Workload("k8s/PodTemplateSpec", {"spec": {"containers": [{"name": "main"}]}})


def test_a_dollar_in_a_command_or_a_constant_is_not_for_kubernetes_to_read(compiled, by_name, env):
    graph = linear_graph()
    templates = {step: TaskTemplate(("python", "$(A)"), {"B": "$$"}) for step in graph.order}
    template = by_name(compiled(graph, templates=templates))["start"]
    assert template["container"]["command"] == ["python", "$$(A)"]
    assert env(template)["B"] == "$$$$"
