"""The fields of a WorkflowTemplate that the interpreter knows, as data: what they hold, and which of Argo's others are refused with a reason.

Fields of Kubernetes that only a cluster reads (affinity, tolerations) are accepted as they are.
"""

from __future__ import annotations

from .shapes import boolean, fields, integer, integer_or_text, list_of, map_of, one_of, opaque, refused, text

_metadata = fields({}, {"labels": map_of(text), "annotations": map_of(text)})

_value = {"value": text}
_argument = fields({"name": text, **_value}, {})
_arguments = fields({}, {"parameters": list_of(_argument), "artifacts": refused("data travels through the datastore")})

_workflow_parameter = fields(
    {"name": text},
    {
        **_value,
        "description": text,
        "enum": list_of(text, least=1),
        "valueFrom": refused("a value is typed or a default"),
        "default": refused("`value` is the default of a workflow's parameter"),
    },
)
_input = fields({"name": text}, {**_value, "description": text, "enum": list_of(text, least=1)})
_inputs = fields({}, {"parameters": list_of(_input), "artifacts": refused("data travels through the datastore")})
_output = fields(
    {"name": text, "valueFrom": fields({}, {"path": text, "parameter": text, "expression": text, "default": text})},
    {"description": text, "globalName": refused("outputs are read from the task they belong to")},
)
_outputs = fields({}, {"parameters": list_of(_output), "artifacts": refused("data travels through the datastore")})

_variable = fields({"name": text}, {"value": text, "valueFrom": map_of(opaque)})
_resources = fields({}, {"requests": map_of(integer_or_text), "limits": map_of(integer_or_text), "claims": opaque})
_mount = fields(
    {"name": text, "mountPath": text},
    {"readOnly": boolean, "subPath": text, "subPathExpr": text, "mountPropagation": text, "recursiveReadOnly": text},
)
_container = fields(
    {"image": text, "command": list_of(text, least=1)},
    {
        "name": one_of("main"),
        "args": list_of(text),
        "env": list_of(_variable),
        "envFrom": list_of(
            fields({"secretRef": fields({"name": text}, {})}, {"prefix": refused("variables are called what the secret calls them")})
        ),
        "imagePullPolicy": one_of("Always", "IfNotPresent", "Never"),
        "terminationMessagePath": text,
        "terminationMessagePolicy": one_of("File", "FallbackToLogsOnError"),
        "resources": _resources,
        "securityContext": map_of(opaque),
        "volumeMounts": list_of(_mount),
    },
)

_sequence = fields({}, {"count": integer_or_text, "start": integer_or_text, "end": integer_or_text, "format": text})
_task = fields(
    {"name": text, "template": text},
    {
        "arguments": _arguments,
        "depends": text,
        "dependencies": list_of(text, least=1),
        "when": text,
        "withItems": list_of(opaque),
        "withParam": text,
        "withSequence": _sequence,
        "continueOn": refused("`depends` says which results let a task run"),
        "hooks": refused("a task's end is seen by the tasks that depend on it"),
        "onExit": refused("a task's end is seen by the tasks that depend on it"),
        "inline": refused("templates have names"),
        "templateRef": refused("a manifest is complete in itself"),
    },
)
_dag = fields({"tasks": list_of(_task, least=1)}, {"failFast": boolean, "target": refused("all tasks without dependants are targets")})

_backoff = fields({"duration": integer_or_text}, {"factor": integer_or_text, "maxDuration": text, "cap": text})
_retry = fields(
    {"limit": integer_or_text},
    {
        "retryPolicy": one_of("Always", "OnFailure", "OnError", "OnTransientError"),
        "backoff": _backoff,
        "expression": text,
        "affinity": refused("a retry may run on any node"),
    },
)

_OTHER_KINDS = ("steps", "script", "resource", "suspend", "http", "plugin", "data", "containerSet")
_template = fields(
    {"name": text},
    {
        "inputs": _inputs,
        "outputs": _outputs,
        "metadata": _metadata,
        "dag": _dag,
        "container": _container,
        "retryStrategy": _retry,
        "activeDeadlineSeconds": integer_or_text,
        "timeout": text,
        "affinity": map_of(opaque),
        "hostAliases": list_of(opaque),
        "nodeSelector": map_of(text),
        "priorityClassName": text,
        "schedulerName": text,
        "securityContext": map_of(opaque),
        "serviceAccountName": text,
        "tolerations": list_of(map_of(opaque)),
        "volumes": list_of(map_of(opaque)),
        **{kind: refused("templates are containers or DAGs") for kind in _OTHER_KINDS},
        "initContainers": refused("a task is one container"),
        "sidecars": refused("a task is one container"),
        "daemon": refused("every task ends"),
        "memoize": refused("what a run may reuse is decided by the task"),
        "metrics": refused("no metrics are kept"),
        "parallelism": refused("only the whole workflow has a limit"),
        "failFast": refused("`dag.failFast` says it"),
        "podSpecPatch": refused("what a pod needs is in the template"),
        "synchronization": refused("no locks are held"),
        "executor": refused("the executor is the cluster's affair"),
        "archiveLocation": refused("data travels through the datastore"),
    },
)

_ttl = fields({}, dict.fromkeys(("secondsAfterCompletion", "secondsAfterSuccess", "secondsAfterFailure"), integer))
_pod_gc = fields(
    {},
    {
        "strategy": one_of("OnPodCompletion", "OnPodSuccess", "OnWorkflowCompletion", "OnWorkflowSuccess"),
        "deleteDelayDuration": text,
        "labelSelector": map_of(opaque),
    },
)
_spec = fields(
    {"entrypoint": text, "templates": list_of(_template, least=1)},
    {
        "arguments": fields({}, {"parameters": list_of(_workflow_parameter), "artifacts": refused("data travels through the datastore")}),
        "activeDeadlineSeconds": integer,
        "imagePullSecrets": list_of(fields({"name": text}, {})),
        "onExit": text,
        "parallelism": integer,
        "podGC": _pod_gc,
        "podMetadata": _metadata,
        "priority": integer,
        "serviceAccountName": text,
        "ttlStrategy": _ttl,
        "workflowMetadata": _metadata,
        "templateDefaults": refused("every template is complete in itself"),
        "hooks": refused("`onExit` is the one hook"),
        "synchronization": refused("no locks are held"),
        "volumeClaimTemplates": refused("data travels through the datastore"),
        "volumes": refused("volumes belong to templates"),
        "podSpecPatch": refused("what a pod needs is in its template"),
        "workflowTemplateRef": refused("a manifest is complete in itself"),
    },
)

workflow_template = fields(
    {
        "apiVersion": one_of("argoproj.io/v1alpha1"),
        "kind": one_of("WorkflowTemplate"),
        "metadata": fields({"name": text}, {"namespace": text, "labels": map_of(text), "annotations": map_of(text)}),
        "spec": _spec,
    },
    {},
)
"""The shape of the whole manifest; what the values mean is checked by `validate`."""
