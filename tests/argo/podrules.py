"""What Kubernetes refuses of a pod: quantities, names of variables, labels, volumes. Values with tags are checked once these are replaced."""

from __future__ import annotations

import decimal
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .problems import Problem

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?\d+)?")
_VARIABLE = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")
_KEY = re.compile(r"(?:[a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?")
_LABEL_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
_SUFFIX = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_SOURCES = ("secretKeyRef", "configMapKeyRef", "fieldRef", "resourceFieldRef")
MOST_ANNOTATIONS = 256 * 1024


def label(value: str, most: int = 63) -> bool:
    """Whether a name is one of DNS-1123."""
    return len(value) <= most and LABEL.fullmatch(value) is not None


def tagged(value: Any) -> bool:
    """Whether a value holds a tag, so that only a run knows it."""
    return isinstance(value, str) and "{{" in value


def amount(quantity: int | str) -> decimal.Decimal:
    """The number a quantity of Kubernetes stands for. Raises ValueError."""
    found = _QUANTITY.fullmatch(str(quantity))
    if found is None:
        raise ValueError(f"{quantity!r} is no quantity such as 500m, 2 or 1Gi")
    number, suffix = decimal.Decimal(found[1]), found[2] or ""
    result: decimal.Decimal
    if suffix in _BINARY:
        result = number * 2 ** _BINARY[suffix]
    elif suffix in _SUFFIX:
        result = number.scaleb(_SUFFIX[suffix])
    else:
        result = number.scaleb(int(suffix[1:]))
    if result < 0:
        raise ValueError(f"{quantity!r} is negative")
    return result


def metadata_problems(metadata: Mapping[str, Mapping[str, str]], path: str) -> Iterator[Problem]:
    """Labels and annotations."""
    for kind in ("labels", "annotations"):
        for key, value in metadata.get(kind, {}).items():
            where = f"{path}.{kind}.{key}"
            if not _KEY.fullmatch(key) or len(key.rpartition("/")[2]) > 63 or len(key.rpartition("/")[0]) > 253:
                yield Problem(where, "is no qualified name")
            if kind == "labels" and not tagged(value) and not (_LABEL_VALUE.fullmatch(value) and len(value) <= 63):
                yield Problem(where, f"{value!r} is no value of a label")
    if sum(len(key.encode()) + len(value.encode()) for key, value in metadata.get("annotations", {}).items()) > MOST_ANNOTATIONS:
        yield Problem(f"{path}.annotations", f"are more than {MOST_ANNOTATIONS} bytes")


def container_problems(container: Mapping[str, Any], path: str) -> Iterator[Problem]:
    """One container by itself."""
    if not container["image"].strip():
        yield Problem(f"{path}.image", "may not be empty")
    seen = set()
    for each in container.get("env", []):
        where = f"{path}.env[{each['name']}]"
        if not _VARIABLE.fullmatch(each["name"]):
            yield Problem(where, "is no name of an environment variable")
        if each["name"] in seen:
            yield Problem(where, "is there twice")
        seen.add(each["name"])
        if "value" in each and "valueFrom" in each:
            yield Problem(where, "has both value and valueFrom")
        if "valueFrom" in each and (len(each["valueFrom"]) != 1 or next(iter(each["valueFrom"])) not in _SOURCES):
            yield Problem(f"{where}.valueFrom", f"needs exactly one of {', '.join(_SOURCES)}")
        if "\0" in each.get("value", ""):
            yield Problem(where, "holds a NUL character")
    for index, word in enumerate([*container["command"], *container.get("args", [])]):
        if "\0" in word:
            yield Problem(f"{path}.args[{index}]", "holds a NUL character")
    yield from _resource_problems(container.get("resources", {}), f"{path}.resources")


def _resource_problems(resources: Mapping[str, Any], path: str) -> Iterator[Problem]:
    amounts: dict[str, dict[str, decimal.Decimal]] = {"requests": {}, "limits": {}}
    for kind, found in amounts.items():
        for name, quantity in resources.get(kind, {}).items():
            if tagged(quantity):
                continue
            try:
                found[name] = amount(quantity)
            except ValueError as error:
                yield Problem(f"{path}.{kind}.{name}", str(error))
                continue
            if "/" in name and found[name] != int(found[name]):
                yield Problem(f"{path}.{kind}.{name}", "an extended resource is a whole number")
    for name, wanted in amounts["requests"].items():
        most = amounts["limits"].get(name)
        if most is not None and wanted > most:
            yield Problem(f"{path}.requests.{name}", "is more than its limit")
        if "/" in name and wanted != most:
            yield Problem(f"{path}.requests.{name}", "an extended resource's request has to equal its limit")


def volume_problems(volumes: Sequence[Mapping[str, Any]], mounts: Sequence[Mapping[str, Any]], path: str) -> Iterator[Problem]:
    """Volumes of a template and where its container mounts them."""
    names = [each.get("name") for each in volumes]
    for index, name in enumerate(names):
        if not isinstance(name, str) or not label(name):
            yield Problem(f"{path}.volumes[{index}].name", f"{name!r} is no name of a volume")
        if name in names[:index]:
            yield Problem(f"{path}.volumes[{name}]", "is there twice")
        if len(volumes[index]) != 2:
            yield Problem(f"{path}.volumes[{name}]", "needs a name and exactly one source")
    places: dict[str, str] = {}
    for each in mounts:
        where = f"{path}.container.volumeMounts[{each['name']}]"
        if each["name"] not in names:
            yield Problem(where, "mounts a volume that is not there")
        if not each["mountPath"].startswith("/") or ":" in each["mountPath"]:
            yield Problem(f"{where}.mountPath", "has to be an absolute path without a colon")
        if each["mountPath"] in places:
            yield Problem(f"{where}.mountPath", f"is already mounted by {places[each['mountPath']]}")
        places[each["mountPath"]] = each["name"]
