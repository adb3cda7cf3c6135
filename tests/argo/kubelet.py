"""What Kubernetes makes of a container before it runs: its environment, its command line, its empty volumes. Pure; starts nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .podrules import amount
from .problems import RunnerError
from .runner import Pod

Secrets = Mapping[str, Mapping[str, str]]
"""Name of a secret to its keys and values."""


class Command(NamedTuple):
    """What is executed; `empty` is the path of every empty volume to its size in bytes, None without a limit."""

    argv: list[str]
    environment: dict[str, str]
    empty: dict[str, int | None]


def expand(text: str, values: Mapping[str, str]) -> str:
    """Replace `$(NAME)` where the name is known; `$$` is one dollar. This is done to every command, argument and variable."""
    result = []
    at = 0
    while (dollar := text.find("$", at)) >= 0 and dollar + 1 < len(text):
        result.append(text[at:dollar])
        after = text[dollar + 1]
        end = text.find(")", dollar) if after == "(" else -1
        if end >= 0:
            name = text[dollar + 2 : end]
            result.append(values.get(name, f"$({name})"))
            at = end + 1
        else:
            result.append("$" if after == "$" else f"${after}")
            at = dollar + 2
    return "".join([*result, text[at:]])


def command(pod: Pod, image: Mapping[str, str], secrets: Secrets) -> Command:
    """The command of a pod; `image` is the environment that the image brings. Raises RunnerError for what cannot be honoured."""
    for field in ("securityContext", "hostAliases"):
        if pod.spec.get(field) or pod.container.get(field):
            raise RunnerError(f"{pod.name}: {field} is not honoured by this runner")
    environment = dict(image)
    for each in pod.container.get("envFrom", []):
        name = each["secretRef"]["name"]
        if name not in secrets:
            raise RunnerError(f"{pod.name}: there is no secret {name!r}")
        environment.update(secrets[name])
    for each in pod.env:
        if "value" in each:
            environment[each["name"]] = expand(each["value"], environment)
        elif "valueFrom" in each:
            environment[each["name"]] = _from(pod, each, secrets)
        else:
            environment[each["name"]] = ""
    argv = [expand(word, environment) for word in (*pod.command, *pod.args)]
    return Command(argv, environment, _volumes(pod))


def _from(pod: Pod, variable: Mapping[str, Any], secrets: Secrets) -> str:
    source = variable["valueFrom"]
    if "fieldRef" in source:
        known = {"metadata.name": pod.name, "metadata.namespace": "default"}
        value = known.get(source["fieldRef"].get("fieldPath"))
    else:
        reference = source.get("secretKeyRef", {})
        value = secrets.get(reference.get("name", ""), {}).get(reference.get("key", ""))
    if value is None:
        raise RunnerError(f"{pod.name}: nothing is known for the variable {variable['name']} from {source}")
    return value


def _volumes(pod: Pod) -> dict[str, int | None]:
    found: dict[str, int | None] = {}
    volumes = {each["name"]: each for each in pod.spec.get("volumes", [])}
    for mount in pod.container.get("volumeMounts", []):
        volume = volumes[mount["name"]]
        if set(volume) != {"name", "emptyDir"} or set(mount) != {"name", "mountPath"}:
            raise RunnerError(f"{pod.name}: only empty volumes are mounted, not {volume} by {mount}")
        size = volume["emptyDir"].get("sizeLimit")
        found[mount["mountPath"]] = None if size is None else int(amount(size))
    return found
