"""What botocore's exceptions mean, in words that a person can act on. Knows no service, and puts no credential into what it says."""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

Kind = Literal["credentials", "denied", "options", "region", "unavailable", "other"]

_CREDENTIALS: Final = {
    *("ExpiredToken", "ExpiredTokenException", "InvalidAccessKeyId", "InvalidClientTokenId", "InvalidSecurity", "InvalidToken"),
    *("MissingAuthenticationToken", "RequestTimeTooSkewed", "SignatureDoesNotMatch", "TokenRefreshRequired", "UnrecognizedClientException"),
}
_DENIED: Final = {"403", "AccessDenied", "AccessDeniedException", "AllAccessDisabled", "Forbidden", "UnauthorizedOperation"}
_ELSEWHERE: Final = {
    "301",
    "307",
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
    "PermanentRedirect",
    "TemporaryRedirect",
}
_BUSY: Final = {"InternalError", "OperationAborted", "RequestTimeout", "ServiceUnavailable", "SlowDown", "TooManyRequestsException"}
_OF_ROLES: Final = {"AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "GetRoleCredentials", "GetSessionToken"}

_GIVE_CREDENTIALS: Final = (
    "Set AWS_PROFILE, or `profile` in the client's options, or check the keys; `aws sts get-caller-identity` shows who you are."
)


class Diagnosis(NamedTuple):
    """What went wrong: a kind, a stable error code, the reason as the end of a sentence (no full stop), and what to do, if that is known.

    kind: `credentials` (none, or refused), `denied` (known, but without the right), `options` (cannot be used as written), `region` (the
    service is in another one), `unavailable` (trying again later may help), `other`. `answer` is the service's own word for it, or empty.
    """

    kind: Kind
    code: str
    reason: str
    remedy: str | None = None
    answer: str = ""


def diagnose(error: Exception) -> Diagnosis:
    """The meaning of an exception of boto3, botocore, or of calling them with options that they do not take."""
    from botocore import exceptions as boto  # type: ignore[import-untyped]

    if isinstance(error, boto.ClientError):
        return _of_answer(error.response, error.operation_name)
    text = _sentence(error)
    if isinstance(error, boto.ProfileNotFound):
        return Diagnosis(kind="options", code="aws-profile", reason=text, remedy="`aws configure list-profiles` shows which there are.")
    if isinstance(error, (boto.NoRegionError, boto.InvalidRegionError, boto.UnknownRegionError)):
        return Diagnosis(
            kind="region", code="aws-region", reason=text, remedy="Set `region` in the client's options, or AWS_DEFAULT_REGION."
        )
    if isinstance(error, _credential_errors()):
        return Diagnosis(kind="credentials", code="aws-credentials", reason=text, remedy=_GIVE_CREDENTIALS)
    if isinstance(error, boto.SSLError):
        remedy = 'Name the file of the authority that signed it: verify = "/path/ca.pem" in the client\'s `parameters`.'
        return Diagnosis(kind="options", code="aws-tls", reason=text, remedy=remedy)
    if isinstance(error, (boto.ConnectionError, boto.HTTPClientError, boto.IncompleteReadError, boto.ResponseStreamingError)):
        return Diagnosis(kind="unavailable", code="aws-unavailable", reason=text)
    if isinstance(error, (boto.BotoCoreError, TypeError, ValueError)):
        return Diagnosis(kind="options", code="aws-option", reason=text, remedy="Correct the client's options.")
    return Diagnosis(kind="other", code="aws", reason=f"{type(error).__name__}: {text}")


def _of_answer(response: dict[str, Any], operation: str) -> Diagnosis:
    """The meaning of an error that the service itself has answered."""
    said, meta = response.get("Error", {}), response.get("ResponseMetadata", {})
    answer, status = str(said.get("Code") or ""), int(meta.get("HTTPStatusCode") or 0)
    message = " ".join(str(said.get("Message") or "").split()).rstrip(".")
    reason = f"{answer}: {message}" if message and message != answer else answer or f"status {status}"
    if status == 429 or (status >= 500 and status not in (501, 505)) or answer in _BUSY or "Throttl" in answer:
        return Diagnosis(kind="unavailable", code="aws-unavailable", reason=reason, answer=answer)
    if operation in _OF_ROLES:
        remedy = (
            "Check `role` and `external_id`, and that the role's trust policy names you; `aws sts get-caller-identity` shows who you are."
        )
        return Diagnosis(kind="credentials", code="aws-role", reason=f"the role cannot be assumed ({reason})", remedy=remedy, answer=answer)
    region = said.get("Region") or meta.get("HTTPHeaders", {}).get("x-amz-bucket-region")
    # the answer to a HEAD has no body that says what is wrong, and every answer may name the region
    if answer in _ELSEWHERE or (region and answer == "400"):
        place = f"region {region}" if region else "another region"
        known = f'Set region = "{region}" in the client\'s options.' if region else "Set the right `region` in the client's options."
        return Diagnosis(kind="region", code="aws-region", reason=f"it is in {place} ({reason})", remedy=known, answer=answer)
    if answer in _CREDENTIALS:
        return Diagnosis(kind="credentials", code="aws-credentials", reason=reason, remedy=_GIVE_CREDENTIALS, answer=answer)
    if answer in _DENIED or status == 403:
        return Diagnosis(kind="denied", code="aws-denied", reason=reason, answer=answer)
    return Diagnosis(kind="other", code="aws", reason=reason, answer=answer)


def _credential_errors() -> tuple[type[Exception], ...]:
    from botocore import exceptions as boto

    return (
        boto.NoCredentialsError,
        boto.PartialCredentialsError,
        boto.CredentialRetrievalError,
        boto.MetadataRetrievalError,
        boto.RefreshWithMFAUnsupportedError,
        boto.SSOError,
        boto.TokenRetrievalError,
    )


def _sentence(error: Exception) -> str:
    """The exception's text as the end of a sentence: one line, no full stop."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
