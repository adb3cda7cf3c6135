"""Large objects in parts, which are sent at the same time. Nothing is visible before the last request, and nothing is left if one fails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from headrace_hookspecs.errors import StoreError, StoreUnavailableError

from .body import body_of, cut
from .bucket import Bucket
from .pool import in_order

_MOST_PARTS: Final = 10_000


def upload(bucket: Bucket, key: str, views: Sequence[memoryview], *, part_bytes: int, workers: int) -> None:
    """Write an object that consists of `views`, in parts of `part_bytes` or, where these would be too many, larger ones."""
    total = sum(map(len, views))
    parts = cut(views, max(part_bytes, -(-total // _MOST_PARTS)))
    upload_id = bucket.multipart(key, "create_multipart_upload")["UploadId"]

    def send(part: tuple[int, list[memoryview]]) -> dict[str, Any]:
        number, views = part
        answer = bucket.multipart(key, "upload_part", UploadId=upload_id, PartNumber=number, Body=body_of(views))
        return {"PartNumber": number, "ETag": answer["ETag"]}

    try:
        sent = list(in_order(send, enumerate(parts, 1), workers))
        _complete(bucket, key, upload_id, sent, total)
    except BaseException:
        try:
            bucket.multipart(key, "abort_multipart_upload", UploadId=upload_id)
        except StoreError:
            pass  # what went wrong before is what people have to know
        raise


def _complete(bucket: Bucket, key: str, upload_id: str, parts: list[dict[str, Any]], size: int) -> None:
    try:
        bucket.multipart(key, "complete_multipart_upload", UploadId=upload_id, MultipartUpload={"Parts": parts})
    except StoreUnavailableError:
        raise
    except StoreError as error:
        # sent again after an answer was lost: the first try had put the parts together, and there is no such upload any more
        answer = getattr(error.__cause__, "response", {})
        if answer.get("Error", {}).get("Code") != "NoSuchUpload" or not answer.get("ResponseMetadata", {}).get("RetryAttempts"):
            raise
        found = bucket.stat(key)
        if found is None or found.size != size:
            raise
