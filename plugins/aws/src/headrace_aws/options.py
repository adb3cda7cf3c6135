"""How to reach an AWS service, as people write it in their configuration. Data and checks; imports no SDK and reads no environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

SECRETS: Final = frozenset({"aws_access_key_id", "aws_secret_access_key", "aws_session_token"})
REFERENCE: Final = "env:"


def _no_secrets(instance: object, field: attrs.Attribute[Any], values: Mapping[str, Any]) -> None:
    for name in sorted(SECRETS & values.keys()):
        if not (isinstance(values[name], str) and values[name].startswith(REFERENCE)):
            # the configuration is shown, kept in run records and sent to tasks
            raise ValueError(f"{field.name}.{name} may not stand in a configuration: name a variable ({REFERENCE}NAME), or use a profile")


def _a_url(instance: object, field: attrs.Attribute[Any], value: str) -> None:
    scheme, _, rest = value.partition("://")
    host = rest.partition("/")[0]
    if value and (scheme not in ("http", "https") or not host):
        raise ValueError(f"{field.name} has to be a URL such as https://s3.example.org:9000")
    if "@" in host:
        raise ValueError(f"{field.name} may not hold a user or a password")


def _an_arn(instance: object, field: attrs.Attribute[Any], value: str) -> None:
    if value and not value.startswith("arn:"):
        raise ValueError(f"{field.name} has to be an ARN such as arn:aws:iam::123456789012:role/flows, not {value!r}")


@attrs.frozen
class ClientOptions:
    """Which credentials to use, and where the service is. All empty: what the AWS tools would use in this environment.

    `profile`: a profile of the AWS configuration files.
    `role`: the ARN of a role that is assumed with these credentials, and again whenever that has expired.
    `role_session`: the name of its sessions, for audit logs.
    `external_id`: what the role asks for where it belongs to somebody else.
    `role_endpoint`: the URL of the security token service where it is not AWS's own.
    `endpoint`: the URL of the service where it is not AWS's own.
    `region`: the region of the service.
    `session`: keyword arguments of `boto3.Session`; a value `env:NAME` is that of the variable NAME. Keys and tokens have to be written so.
    `parameters`: keyword arguments of the client, such as `verify`, in the same way.
    `config`: those of `botocore.config.Config`, such as `read_timeout`, `proxies`, or the tables `retries` and `s3`.
    """

    profile: str = ""
    role: str = attrs.field(default="", validator=_an_arn)
    role_session: str = "headrace"
    external_id: str = ""
    role_endpoint: str = attrs.field(default="", validator=_a_url)
    endpoint: str = attrs.field(default="", validator=_a_url)
    region: str = ""
    session: Mapping[str, Any] = attrs.field(factory=dict, validator=_no_secrets)
    parameters: Mapping[str, Any] = attrs.field(factory=dict, validator=_no_secrets)
    config: Mapping[str, Any] = attrs.field(factory=dict)
