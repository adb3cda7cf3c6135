"""Requests for the objects of one bucket below a prefix: one method, one request. Knows no batch and no capability."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from headrace_aws import ClientOptions, ProcessClient, make_client
from headrace_hookspecs.datastore import BlobRange, BlobStat
from headrace_hookspecs.errors import StoreError

from .body import Views
from .errors import failed

T = TypeVar("T")
Body = bytes | Views

PAGE: Final = 1000
"""Keys that one request lists or deletes at most."""

TRIES: Final = 5
"""Of a request, the first one included."""

_CONFIG: Final[Mapping[str, Any]] = {
    "retries": {"mode": "standard", "total_max_attempts": TRIES},
    "connect_timeout": 5,
    "read_timeout": 60,
    "tcp_keepalive": True,
    # The SDK's own checksums add nothing: whoever reads artifacts verifies their hash, and a request's signature covers the hash of its body.
    # They do harm elsewhere: over TLS the body of a file is sent with its checksum as a trailer, which services that do not know that refuse;
    # rclone answers a range with the checksum of the whole object, so that every ranged read fails. moto and Ceph 16 work either way over HTTP.
    "request_checksum_calculation": "when_required",
    "response_checksum_validation": "when_required",
}


class Bucket:
    """The objects `prefix + key` of a bucket. Every method raises the store errors of the contract, which name the object.

    `prefix` is empty or ends in `/`; `encryption` holds the parameters of a request that writes. A client is made for each process.
    """

    def __init__(self, name: str, prefix: str, options: ClientOptions, *, connections: int = 64, encryption: Mapping[str, str]) -> None:
        self.location: Final = f"s3://{name}/{prefix}".rstrip("/")
        self.client: Final = ProcessClient(self._connect)
        self._name: Final = name
        self._prefix: Final = prefix
        self._options: Final = options
        self._connections: Final = connections
        self._encryption: Final = encryption

    def put(self, key: str, body: Body) -> None:
        """Write an object."""
        self._call(key, lambda client, at: client.put_object(**at, Body=body, **self._encryption), writing=True)

    def put_if_absent(self, key: str, body: Body) -> bool:
        """Write an object unless it exists; whether it was written. An answer that was lost on its way makes it False although it was."""

        def request(client: Any, at: dict[str, str]) -> bool:
            for wait in (*_waits(), None):
                try:
                    client.put_object(**at, Body=body, IfNoneMatch="*", **self._encryption)
                    return True
                except client.exceptions.ClientError as error:
                    if answered(error, 412):
                        return False
                    # somebody else writes it at this moment, and whether that succeeds is not known yet
                    if not answered(error, 409) or wait is None:
                        raise
                time.sleep(wait)
            raise AssertionError("the last wait is None")

        return self._call(key, request, writing=True)

    def get(self, wanted: BlobRange) -> bytes | None:
        """The bytes of a range, None where there is no object. The body is asked for again if the connection breaks."""
        key, offset, length = wanted
        if length == 0:
            found = self.stat(key)
            return None if found is None else b""
        ranged = {} if offset == 0 and length is None else {"Range": f"bytes={offset}-{'' if length is None else offset + length - 1}"}

        def request(client: Any, at: dict[str, str]) -> bytes | None:
            from botocore.exceptions import HTTPClientError, IncompleteReadError  # type: ignore[import-untyped]

            for wait in (*_waits(), None):
                try:
                    answer = client.get_object(**at, **ranged)
                except client.exceptions.NoSuchKey:
                    return None
                except client.exceptions.ClientError as error:
                    if answered(error, 416):
                        return b""  # it begins behind the end
                    raise
                try:
                    data: bytes = answer["Body"].read()
                except (HTTPClientError, IncompleteReadError):
                    if wait is None:
                        raise
                    time.sleep(wait)
                    continue
                if ranged and "ContentRange" not in answer:  # a service that knows no ranges
                    return data[offset:][:length]
                return data
            raise AssertionError("the last wait is None")

        return self._call(key, request)

    def stat(self, key: str) -> BlobStat | None:
        """The size and time of an object, None where there is none. A bucket that does not exist cannot be told from that."""

        def request(client: Any, at: dict[str, str]) -> BlobStat | None:
            try:
                answer = client.head_object(**at)
            except client.exceptions.ClientError as error:
                if answered(error, 404):
                    return None
                raise
            return BlobStat(key, answer["ContentLength"], answer["LastModified"].timestamp())

        return self._call(key, request)

    def delete(self, keys: Sequence[str]) -> None:
        """Delete at most PAGE objects. The error names the first that could not be deleted."""

        def request(client: Any, at: dict[str, str]) -> None:
            if len(keys) == 1:
                client.delete_object(**at)
                return
            objects = [{"Key": self._prefix + key} for key in keys]
            answer = client.delete_objects(Bucket=self._name, Delete={"Objects": objects, "Quiet": True})
            for problem in answer.get("Errors", ()):
                if problem.get("Code") != "NoSuchKey":
                    status = {"AccessDenied": 403, "SlowDown": 503, "InternalError": 500}.get(problem.get("Code"), 400)
                    response = {"Error": problem, "ResponseMetadata": {"HTTPStatusCode": status}}
                    error = client.exceptions.ClientError(response, "DeleteObjects")
                    raise failed(error, f"{self.location}/{problem.get('Key', '').removeprefix(self._prefix)}", writing=True)

        self._call(keys[0], request, writing=True)

    def pages(self, prefix: str, *, after: str = "", delimiter: str = "", limit: int | None = None) -> Iterator[dict[str, Any]]:
        """The answers of a listing, a request each, as the service gives them. As long as a `limit` holds, none is asked for more than is left."""
        more: dict[str, Any] = {"StartAfter": self._prefix + after} if after else {}
        if delimiter:
            more["Delimiter"] = delimiter
        left = limit or 0
        while True:
            page = {"Bucket": self._name, "Prefix": self._prefix + prefix, "MaxKeys": min(PAGE, left) if left > 0 else PAGE, **more}
            answer: dict[str, Any] = self._call(prefix, lambda client, _, page=page: client.list_objects_v2(**page))  # type: ignore[misc]
            yield answer
            if not answer.get("IsTruncated"):
                return
            left -= len(answer.get("Contents", ()))
            more["ContinuationToken"] = answer["NextContinuationToken"]

    def key(self, name: str) -> str:
        """The key of an object's name."""
        return name[len(self._prefix) :]

    def multipart(self, key: str, name: str, **parameters: Any) -> dict[str, Any]:
        """A request of an upload in parts: the client's method `name`."""
        if name == "create_multipart_upload":
            parameters = {**parameters, **self._encryption}
        answer: dict[str, Any] = self._call(key, lambda client, at: getattr(client, name)(**at, **parameters), writing=True)
        return answer

    def close(self) -> None:
        """Close this process's connections."""
        self.client.close()

    def _call(self, key: str, request: Callable[[Any, dict[str, str]], T], *, writing: bool = False) -> T:
        try:
            return request(self.client(), {"Bucket": self._name, "Key": self._prefix + key})
        except StoreError:
            raise
        except Exception as error:  # whatever the SDK raises is an error about this object
            raise failed(error, f"{self.location}/{key}".rstrip("/"), writing=writing) from error

    def _connect(self) -> Any:
        wanted: dict[str, Any] = {**_CONFIG, "max_pool_connections": self._connections}
        if self._options.endpoint:
            # a service of one's own seldom has a host name for every bucket
            wanted["s3"] = {"addressing_style": "path"}
        client = make_client("s3", self._options, section="datastore.s3.client", config=wanted)
        client.meta.events.register("before-parameter-build.s3", _stay_in_the_region)
        return client


def answered(error: Any, status: int) -> bool:
    """Whether the service answered with this HTTP status."""
    return bool(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == status)


def _stay_in_the_region(context: dict[str, Any], **_: Any) -> None:
    """A bucket in another region is an error that names it; the SDK would look for the region and try again, in every process anew."""
    if "s3_redirect" in context:
        context["s3_redirect"]["redirected"] = True


def _waits() -> list[float]:
    """Seconds to wait between the tries of a request, each with its own jitter."""
    return [random.uniform(0, 0.1 * 3**number) for number in range(TRIES - 1)]
