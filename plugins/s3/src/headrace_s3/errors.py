"""What the service says, in the words of the contract: every exception of a request becomes one clean error that names the object."""

from __future__ import annotations

from typing import Final

from headrace_aws import diagnose
from headrace_hookspecs.errors import HeadraceError, StoreError, StoreFullError, StoreReadOnlyError, StoreUnavailableError

_FULL: Final = {"InsufficientStorage", "QuotaExceeded", "XMinioStorageFull"}
_READ_ONLY: Final = {"ReadOnly", "MethodNotAllowed"}


def failed(error: Exception, place: str, *, writing: bool) -> HeadraceError:
    """The error to raise for `error`, which a request about `place` (a URL without credentials) has ended with."""
    if isinstance(error, StoreError):
        return error
    if isinstance(error, HeadraceError):  # the client could not be made
        return StoreError(f"{place}: {error.message}", code=error.code, remedy=error.remedy)
    found = diagnose(error)
    sentence = f"{place} cannot be {'written' if writing else 'read'}: {found.reason}."
    if found.answer in _FULL:
        return StoreFullError(sentence, remedy="Make room or raise the quota, then resume the run.")
    if found.kind == "unavailable":
        now = f"{place} cannot be {'written' if writing else 'read'} now: {found.reason}."
        return StoreUnavailableError(now, remedy="Try again when the service answers; check `endpoint` in [datastore.s3.client].")
    if writing and (found.kind == "denied" or found.answer in _READ_ONLY):
        return StoreReadOnlyError(
            sentence, remedy="These credentials need s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload there."
        )
    if found.kind == "denied":
        # without the right to list, what does not exist is forbidden too
        return StoreError(
            sentence, code="store-unreadable", remedy="These credentials need s3:GetObject there, and s3:ListBucket on the bucket."
        )
    if found.answer == "NoSuchBucket":
        return StoreError(
            sentence, code="store-no-bucket", remedy="Make the bucket, or correct datastore.s3.root; also check `region` and `endpoint`."
        )
    return StoreError(sentence, code="store" if found.kind == "other" else found.code, remedy=found.remedy)
