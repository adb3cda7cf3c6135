"""A manifest with everything that the interpreter knows, and ways to change one part of it."""

import copy

from handmade import container, dag, files, parameters, task, workflow

EVERYTHING = workflow(
    dag(
        "main",
        task("fork", template="make"),
        task(
            "loop",
            "fork.Succeeded",
            template="inner",
            arguments=parameters(index="{{item}}"),
            withSequence={"count": "{{tasks.fork.outputs.parameters.n}}"},
        ),
        task(
            "after",
            "loop.Succeeded || loop.Skipped",
            arguments=parameters(index="{{tasks.loop.outputs.parameters.n}}"),
            when="{{tasks.fork.status}} == Succeeded",
        ),
    ),
    dag(
        "inner",
        task("single", template="make", arguments={}),
        task("many", "single", arguments=parameters(index="{{inputs.parameters.index}}.{{item.k}}"), withItems=[{"k": 1}]),
        task(
            "rest",
            "single.Failed || many.AllFailed",
            arguments=parameters(index="{{item}}"),
            withParam="{{tasks.single.outputs.parameters.n}}",
        ),
        inputs=parameters(index=None),
        outputs={"parameters": [{"name": "n", "valueFrom": {"parameter": "{{tasks.single.outputs.parameters.n}}", "default": "0"}}]},
    ),
    container(
        "make", "{{workflow.parameters.json}}", "{{workflow.creationTimestamp.s}}", outputs=files("n", m="1"), activeDeadlineSeconds="60"
    ),
    {
        "name": "work",
        "inputs": parameters(index=None),
        "metadata": {"labels": {"step": "work"}, "annotations": {"index": "{{inputs.parameters.index}}"}},
        "retryStrategy": {
            "limit": "3",
            "retryPolicy": "Always",
            "backoff": {"duration": "2m", "factor": "2", "maxDuration": "1h", "cap": "10m"},
            "expression": "asInt(lastRetry.exitCode) > 64",
        },
        "nodeSelector": {"kind": "big"},
        "tolerations": [{"key": "gpu", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "serviceAccountName": "robot",
        "priorityClassName": "high",
        "volumes": [{"name": "out", "emptyDir": {}}],
        "container": {
            "image": "registry/image:1",
            "imagePullPolicy": "IfNotPresent",
            "command": ["python"],
            "args": ["-m", "work"],
            "env": [
                {"name": "INDEX", "value": "{{inputs.parameters.index}}"},
                {"name": "ATTEMPT", "value": "{{retries}}"},
                {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "a"}}},
            ],
            "resources": {
                "requests": {"cpu": "500m", "memory": "1Gi", "nvidia.com/gpu": "1"},
                "limits": {"memory": "2Gi", "nvidia.com/gpu": "1"},
            },
            "volumeMounts": [{"name": "out", "mountPath": "/mnt/out"}],
        },
    },
    container("bye", "{{workflow.status}}", "{{=toBase64(workflow.failures)}}", timeout="5m"),
    arguments={"parameters": [{"name": "a"}, {"name": "b", "value": "x", "enum": ["x"], "description": "{{b}}"}]},
    parallelism=100,
    activeDeadlineSeconds=3600,
    onExit="bye",
    priority=1,
    serviceAccountName="robot",
    imagePullSecrets=[{"name": "pull"}],
    ttlStrategy={"secondsAfterCompletion": 60},
    podGC={"strategy": "OnPodSuccess", "deleteDelayDuration": "30s"},
    workflowMetadata={"labels": {"a/b": "c"}, "annotations": {"run": "argo-{{workflow.name}}"}},
    podMetadata={"annotations": {"run": "{{workflow.annotations.run}}"}},
)


def changed(path, value):
    manifest = copy.deepcopy(EVERYTHING)
    place = manifest
    *steps, last = path.split("/")
    for step in steps:
        if isinstance(place, list):
            place = place[int(step)] if step.isdigit() else next(each for each in place if each["name"] == step)
        else:
            place = place[step]
    if value is None:
        del place[int(last) if isinstance(place, list) else last]
    elif isinstance(place, list):
        place.append(value)
    else:
        place[last] = value
    return manifest


MAIN, INNER, MAKE, WORK = (f"spec/templates/{name}" for name in ("main", "inner", "make", "work"))
AFTER, LOOP, MANY = f"{MAIN}/dag/tasks/after", f"{MAIN}/dag/tasks/loop", f"{INNER}/dag/tasks/many"
P_MAIN, P_INNER, P_WORK = (f"spec.templates[{name}]" for name in ("main", "inner", "work"))
P_AFTER, P_LOOP = f"{P_MAIN}.dag.tasks[after]", f"{P_MAIN}.dag.tasks[loop]"
