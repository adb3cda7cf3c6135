"""The section `[datastore.s3]`."""

from __future__ import annotations

import re
from typing import Final, Literal

from attrs import field, frozen

from headrace_aws import ClientOptions
from headrace_hookspecs.errors import ConfigError

from .bucket import Bucket
from .store import S3Store

SECTION: Final = "datastore.s3"
_ROOT: Final = re.compile(r"s3://(?P<bucket>[A-Za-z0-9][A-Za-z0-9._-]+)(/(?P<prefix>.*))?\Z")
_LEAST_PART: Final = 5 << 20  # what the services take


@frozen
class S3Config:
    """`root`: where everything is, "s3://BUCKET" or "s3://BUCKET/PREFIX".

    `workers`: requests at the same time where many blobs are read or written at once.
    `conditional_writes`: whether the service can refuse to replace an object; "auto" asks it once, by writing a small object.
    `part_bytes`: a blob of more than two parts of this size is sent in parts.
    `encryption`: what the service encrypts with; empty is what the bucket says.
    `kms_key`: the key for the two that take one; empty is the account's own.
    `client`: the options that every AWS plugin takes.
    """

    root: str
    workers: int = 16
    conditional_writes: Literal["auto", "yes", "no"] = "auto"
    part_bytes: int = 16 << 20
    encryption: Literal["", "AES256", "aws:kms", "aws:kms:dsse"] = ""
    kms_key: str = ""
    client: ClientOptions = field(factory=ClientOptions)


def open_store(config: S3Config) -> S3Store:
    """The store that the configuration describes. Raises ConfigError; sends no request."""
    match = _ROOT.match(config.root)
    prefix = (match["prefix"] or "").rstrip("/") if match else ""
    if match is None or any(word in ("", ".", "..") for word in prefix.split("/") if prefix):
        raise ConfigError(f"{SECTION}.root is {config.root!r}; it has to be s3://BUCKET or s3://BUCKET/PREFIX.")
    if config.workers < 1:
        raise ConfigError(f"{SECTION}.workers is {config.workers}; it has to be at least 1.")
    if config.part_bytes < _LEAST_PART:
        raise ConfigError(f"{SECTION}.part_bytes is {config.part_bytes}; it has to be at least {_LEAST_PART}.")
    if config.kms_key and not config.encryption.startswith("aws:kms"):
        raise ConfigError(f"{SECTION}.kms_key needs {SECTION}.encryption to be 'aws:kms' or 'aws:kms:dsse'.")
    encryption = {"ServerSideEncryption": config.encryption, "SSEKMSKeyId": config.kms_key}
    bucket = Bucket(
        match["bucket"],
        f"{prefix}/" if prefix else "",
        config.client,
        connections=4 * config.workers,  # of several threads of the caller; those that are not needed are not opened
        encryption={name: value for name, value in encryption.items() if value},
    )
    return S3Store(bucket, workers=config.workers, part_bytes=config.part_bytes, conditional=config.conditional_writes)
