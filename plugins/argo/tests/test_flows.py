"""Real flow files: what they compile to, valid for Argo."""

import json
import os
import subprocess
import sys

import jsonschema
import pytest

LINEAR = """
class LinearFlow(FlowSpec):
    @step
    def start(self):
        self.next(self.end)

    @step
    def end(self):
        pass
"""

RICH = '''
class RichFlow(FlowSpec):
    """Counts penguins."""

    alpha = Parameter("alpha", default=0.5, help="How much.")
    place = Parameter("place", required=True)

    @step
    def start(self):
        self.items = [1, 2]
        self.next(self.fan, self.side)

    @kubernetes(image_pull_secrets="mine", node_selector="disk=ssd")
    @step
    def fan(self):
        self.next(self.work, foreach="items")

    @retry(times=2, wait=10)
    @timeout(minutes=1)
    @catch(var="failure")
    @step
    def work(self):
        self.parts = "ab"
        self.next(self.inner_fan)

    @step
    def inner_fan(self):
        self.next(self.part, foreach="parts")

    @step
    def part(self):
        self.next(self.left, self.right)

    @step
    def left(self):
        self.next(self.both)

    @step
    def right(self):
        self.next(self.both)

    @step
    def both(self, inputs):
        self.next(self.collect)

    @catch
    @step
    def collect(self, inputs):
        self.next(self.gather)

    @step
    def gather(self, inputs):
        self.next(self.join)

    @environment(vars={"MODE": "$(PATH) fast"})
    @kubernetes(memory="8G", shared_memory=64, gpu=1, image="own:2")
    @catch
    @step
    def side(self):
        self.next(self.join)

    @step
    def join(self, inputs):
        self.next(self.end)

    @retry
    @step
    def end(self):
        pass
'''

BRANCHES_IN_A_LOOP_BEFORE_ANOTHER = """
class TwoLoopsFlow(FlowSpec):
    @step
    def start(self):
        self.xs = [1]
        self.next(self.a, foreach="xs")

    @step
    def a(self):
        self.next(self.a_join)

    @step
    def a_join(self, inputs):
        self.ys = [1]
        self.next(self.again)

    @step
    def again(self):
        self.next(self.b, foreach="ys")

    @catch
    @step
    def b(self):
        self.next(self.b_join)

    @step
    def b_join(self, inputs):
        self.next(self.end)

    @step
    def end(self):
        pass
"""


def dags(manifest):
    """DAG -> task -> (template, depends, index, count)."""

    def shown(task):
        index = [each["value"] for each in task.get("arguments", {"parameters": [{"value": None}]})["parameters"]]
        return task["template"], task.get("depends", ""), index[0], task.get("withSequence", {}).get("count")

    found = [template for template in manifest["spec"]["templates"] if "dag" in template and template["name"] != "exit"]
    return {template["name"]: {task["name"]: shown(task) for task in template["dag"]["tasks"]} for template in found}


@pytest.mark.parametrize("source", [LINEAR, RICH, BRANCHES_IN_A_LOOP_BEFORE_ANOTHER], ids=["linear", "rich", "loops"])
def test_manifests_are_valid_for_argo(deploy, hera_schema, source):
    manifest = deploy(source, "orchestrator.argo.namespace=ml", "orchestrator.argo.priority=3", "orchestrator.argo.timeout=60.5").manifest
    jsonschema.Draft202012Validator(hera_schema).validate(manifest)


@pytest.mark.parametrize("source", [LINEAR, RICH, BRANCHES_IN_A_LOOP_BEFORE_ANOTHER], ids=["linear", "rich", "loops"])
def test_manifests_are_valid_after_argos_own_schema(deploy, argo_schema, source):
    manifest = deploy(source, "orchestrator.argo.parallelism=3", "orchestrator.argo.service_account=flows").manifest
    jsonschema.Draft202012Validator(argo_schema).validate(manifest)


def test_the_strict_schema_finds_an_unknown_field(deploy, hera_schema):
    manifest = json.loads(json.dumps(deploy(LINEAR).manifest))
    manifest["spec"]["templates"][1]["container"]["colour"] = "blue"
    with pytest.raises(jsonschema.ValidationError, match="colour"):
        jsonschema.Draft202012Validator(hera_schema).validate(manifest)


def test_the_whole_manifest_of_a_linear_flow(deploy):
    done = deploy(LINEAR, "orchestrator.argo.namespace=ml", tags=["nightly"])
    deployment, run = (
        done.deployment,
        (
            "{{workflow.creationTimestamp.Y}}{{workflow.creationTimestamp.m}}{{workflow.creationTimestamp.d}}-"
            "{{workflow.creationTimestamp.H}}{{workflow.creationTimestamp.M}}{{workflow.creationTimestamp.S}}000-{{workflow.name}}"
        ),
    )
    about = {"headrace.dev/flow": "LinearFlow", "headrace.dev/deployment": deployment.id}

    def labels(kind):
        return {"app.kubernetes.io/part-of": "headrace", "app.kubernetes.io/name": kind, "headrace.dev/flow": "LinearFlow"}

    def template(name, step, task, **slots):
        constant = [{"name": each, "value": value} for each, value in task.env.items()]
        own = [{"name": f"HEADRACE_{slot}", "value": value} for slot, value in slots.items()]
        return {
            "name": name,
            "metadata": {"labels": {"headrace.dev/step": step}, "annotations": {"headrace.dev/step": step}},
            "container": {
                "resources": {"requests": {"cpu": "1", "memory": "4096Mi", "ephemeral-storage": "10240Mi"}},
                "terminationMessagePolicy": "FallbackToLogsOnError",
                "image": "reg.io/flow:1",
                "command": ["python", "-m", "headrace.task"],
                "env": [*constant, *own],
            },
        }

    run_slot = f"LinearFlow/{run}"
    assert done.manifest == {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "WorkflowTemplate",
        "metadata": {
            "name": "linear-flow",
            "namespace": "ml",
            "labels": labels("headrace-flow"),
            "annotations": {
                **about,
                "workflows.argoproj.io/title": "LinearFlow",
                "headrace.dev/package": deployment.package,
                "headrace.dev/tags": '["nightly"]',
            },
        },
        "spec": {
            "entrypoint": "flow",
            "onExit": "exit",
            "workflowMetadata": {"labels": labels("headrace-run"), "annotations": about},
            "podMetadata": {"labels": labels("headrace-task"), "annotations": {**about, "headrace.dev/run": run}},
            "templates": [
                {
                    "name": "flow",
                    "dag": {
                        "tasks": [
                            {"name": "start", "template": "start"},
                            {"name": "end", "template": "end", "depends": "start.Succeeded"},
                        ]
                    },
                },
                template("start", "start", deployment.task("start"), RUN=run_slot),
                template("end", "end", deployment.task("end"), RUN=run_slot),
                {
                    "name": "exit",
                    "dag": {"tasks": [{"name": "record-end", "template": "record-end", "when": "{{workflow.status}} != Succeeded"}]},
                },
                template("record-end", "end", deployment.exit, RUN=run_slot, STATUS="{{workflow.status}}"),
            ],
        },
    }


def test_the_shape_of_a_rich_flow(deploy):
    index, item = "{{inputs.parameters.index}}", "{{item}}"
    assert dags(deploy(RICH).manifest) == {
        "flow": {
            "start": ("start", "", None, None),
            "fan": ("fan", "start.Succeeded", None, None),
            "fan-foreach": ("fan-foreach", "fan.Succeeded", item, "{{tasks.fan.outputs.parameters.size}}"),
            "gather": ("gather", "fan-foreach.Succeeded", None, None),
            "side": ("side", "start.Succeeded", None, None),
            "side-absorb": ("side-absorb", "side.Failed || side.Errored", None, None),
            "join-step": ("join", "gather.Succeeded && (side.Succeeded || side-absorb.Succeeded)", None, None),
            "end": ("end", "join-step.Succeeded", None, None),
        },
        "fan-foreach": {
            "work": ("work", "", index, None),
            "work-absorb": ("work-absorb", "work.Failed || work.Errored", index, None),
            "inner-fan": ("inner-fan", "(work.Succeeded || work-absorb.Succeeded)", index, None),
            "inner-fan-foreach": (
                "inner-fan-foreach",
                "inner-fan.Succeeded",
                f"{index}.{item}",
                "{{tasks.inner-fan.outputs.parameters.size}}",
            ),
            "collect": ("collect", "inner-fan-foreach.Succeeded", index, None),
            "collect-absorb": ("collect-absorb", "collect.Failed || collect.Errored", index, None),
        },
        "inner-fan-foreach": {
            "part": ("part", "", index, None),
            "left": ("left", "part.Succeeded", index, None),
            "right": ("right", "part.Succeeded", index, None),
            "both": ("both", "left.Succeeded && right.Succeeded", index, None),
        },
    }


def test_one_loop_after_another_and_one_that_ends_in_a_catch(deploy):
    found = dags(deploy(BRANCHES_IN_A_LOOP_BEFORE_ANOTHER).manifest)
    assert found["flow"] == {
        "start": ("start", "", None, None),
        "start-foreach": ("start-foreach", "start.Succeeded", "{{item}}", "{{tasks.start.outputs.parameters.size}}"),
        "a-join": ("a-join", "start-foreach.Succeeded", None, None),
        "again": ("again", "a-join.Succeeded", None, None),
        "again-foreach": ("again-foreach", "again.Succeeded", "{{item}}", "{{tasks.again.outputs.parameters.size}}"),
        "b-join": ("b-join", "again-foreach.Succeeded", None, None),
        "end": ("end", "b-join.Succeeded", None, None),
    }
    assert list(found["again-foreach"]) == ["b", "b-absorb"]


def test_only_those_slots_have_values_that_mean_something_to_the_step(deploy, by_name, env):
    templates = by_name(deploy(RICH).manifest)
    constant = {"HEADRACE_DEPLOYMENT", "HEADRACE_PROJECT", "HEADRACE_MAX_SPLITS", "HEADRACE_STEP"}
    slots = {name: sorted(set(env(each)) - constant) for name, each in templates.items() if "container" in each}
    assert slots == {
        "start": ["HEADRACE_PARAMETERS", "HEADRACE_RUN"],
        "fan": ["HEADRACE_REPORT", "HEADRACE_RUN"],
        "work": ["HEADRACE_ATTEMPT", "HEADRACE_INDEX", "HEADRACE_RUN"],
        "work-absorb": ["HEADRACE_ATTEMPT", "HEADRACE_INDEX", "HEADRACE_MODE", "HEADRACE_RUN"],
        "inner-fan": ["HEADRACE_INDEX", "HEADRACE_REPORT", "HEADRACE_RUN"],
        "part": ["HEADRACE_INDEX", "HEADRACE_RUN"],
        "left": ["HEADRACE_INDEX", "HEADRACE_RUN"],
        "right": ["HEADRACE_INDEX", "HEADRACE_RUN"],
        "both": ["HEADRACE_INDEX", "HEADRACE_RUN"],
        "collect": ["HEADRACE_INDEX", "HEADRACE_RUN"],
        "collect-absorb": ["HEADRACE_ATTEMPT", "HEADRACE_INDEX", "HEADRACE_MODE", "HEADRACE_RUN"],
        "gather": ["HEADRACE_RUN"],
        "side": ["HEADRACE_RUN", "MODE"],
        "side-absorb": ["HEADRACE_ATTEMPT", "HEADRACE_MODE", "HEADRACE_RUN", "MODE"],
        "join": ["HEADRACE_RUN"],
        "end": ["HEADRACE_ATTEMPT", "HEADRACE_RUN"],
        "record-end": ["HEADRACE_MODE", "HEADRACE_RUN", "HEADRACE_STATUS"],
    }
    absorbing = env(templates["work-absorb"])
    assert (absorbing["HEADRACE_MODE"], absorbing["HEADRACE_ATTEMPT"]) == ("absorb", "4")
    assert env(templates["end"])["HEADRACE_ATTEMPT"] == "{{retries}}"
    assert env(templates["work"])["HEADRACE_INDEX"] == "{{inputs.parameters.index}}"
    assert env(templates["fan"])["HEADRACE_REPORT"] == "/tmp/headrace-report"
    assert templates["fan"]["outputs"] == {"parameters": [{"name": "size", "valueFrom": {"path": "/tmp/headrace-report/size"}}]}


def test_decorators_reach_the_templates(deploy, by_name, env):
    manifest = deploy(RICH).manifest
    templates = by_name(manifest)
    work, side = templates["work"], templates["side"]
    assert work["retryStrategy"] == {
        "limit": "2",
        "retryPolicy": "Always",
        "expression": "lastRetry.exitCode != '202'",
        "backoff": {"duration": "10s"},
    }
    assert work["activeDeadlineSeconds"] == templates["work-absorb"]["activeDeadlineSeconds"] == 60 + 5 + 600
    assert "retryStrategy" not in templates["work-absorb"]
    assert templates["end"]["retryStrategy"] == {"limit": "3", "retryPolicy": "Always", "expression": "lastRetry.exitCode != '202'"}
    assert side["container"]["image"] == "own:2"
    assert side["container"]["resources"] == {
        "requests": {"cpu": "1", "memory": "8192Mi", "ephemeral-storage": "10240Mi"},
        "limits": {"nvidia.com/gpu": "1"},
    }
    assert side["volumes"] == [{"name": "shared-memory", "emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}}]
    assert side["container"]["volumeMounts"] == [{"name": "shared-memory", "mountPath": "/dev/shm"}]
    assert env(side)["MODE"] == "$$(PATH) fast"
    assert templates["fan"]["nodeSelector"] == {"disk": "ssd"}
    assert manifest["spec"]["imagePullSecrets"] == [{"name": "mine"}]
    assert manifest["metadata"]["annotations"]["workflows.argoproj.io/description"] == "Counts penguins."


_COMPILE = """
import json, sys
from headrace.deploy import deploy
from headrace.dsl.load import load_flow
from headrace.project import open_project

folder = sys.argv[1]
loaded = load_flow(folder + "/flow.py")
project = open_project(folder, options=["datastore.name=shared"], environ={})
print(json.dumps(deploy(loaded, project, to="argo", image="reg.io/flow:1", upload=False).manifest))
"""


def test_every_process_in_every_folder_gives_the_same_bytes(deploy, tmp_path):
    found = set()
    for folder, seed in (("one", "1"), ("another", "2")):
        deploy(RICH, folder=folder)
        environ = {**os.environ, "PYTHONPATH": str(tmp_path / "site"), "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", _COMPILE, str(tmp_path / folder)]
        found.add(subprocess.run(command, env=environ, capture_output=True, text=True, check=True, timeout=120).stdout)
    (text,) = found
    assert str(tmp_path) not in text
    assert json.loads(text)["metadata"]["name"] == "rich-flow"


def test_the_command_line_prints_the_manifest_and_writes_nothing(deploy, tmp_path):
    manifest = deploy(LINEAR).manifest
    folder = tmp_path / "project"
    before = sorted(path.name for path in folder.iterdir())
    command = [sys.executable, "-m", "headrace_cli", "deploy", "flow.py", "--to", "argo", "--dry-run", "--image", "reg.io/flow:1"]
    environ = {**os.environ, "PYTHONPATH": str(tmp_path / "site"), "HOME": str(tmp_path)}
    done = subprocess.run(
        [*command, "-o", "datastore.name=shared"], cwd=folder, env=environ, capture_output=True, text=True, check=True, timeout=120
    )
    printed = json.loads(done.stdout)
    assert printed["spec"].keys() == manifest["spec"].keys()
    assert [each["name"] for each in printed["spec"]["templates"]] == ["flow", "start", "end", "exit", "record-end"]
    assert sorted(path.name for path in folder.iterdir() if path.name != "__pycache__") == [
        name for name in before if name != "__pycache__"
    ]
