"""What production keeps of a flow: one immutable record a deployment, which every remote task starts from. Knows no orchestrator."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from headrace_hookspecs.datastore import BlobRange, BlobStore
from headrace_hookspecs.errors import NotFoundError

from .content import get_content, put_contents
from .keys import deployment_key
from .record import FORMAT, seal, unseal


def deployment_id(data: Mapping[str, Any]) -> str:
    """The id of a deployment: 20 hex digits of the hash of its record, so that the same flow has the same id."""
    return sha256(seal({**data, "format": FORMAT})).hexdigest()[:20]


def write_deployment(blobs: BlobStore, flow: str, data: Mapping[str, Any], package: bytes) -> str:
    """Keep the code package and the record; the id. What is there already is not changed."""
    put_contents(blobs, flow, [[package]])
    id = deployment_id(data)
    blobs.put_if_absent(deployment_key(flow, id), [seal({**data, "format": FORMAT})])
    return id


def read_deployment(blobs: BlobStore, flow: str, id: str) -> dict[str, Any]:
    """The record. Raises NotFoundError."""
    key = deployment_key(flow, id)
    data = next(iter(blobs.get_many([BlobRange(key)])))
    if data is None:
        raise NotFoundError(
            f"There is no deployment {id} of flow {flow} in {blobs.location}.",
            code="deployment-not-found",
            remedy="Deploy the flow again: `flow deploy`.",
        )
    return unseal(data, key)


def read_package(blobs: BlobStore, flow: str, digest: str) -> bytes:
    """The code package of a record. Raises CorruptDataError."""
    return get_content(blobs, flow, digest)
