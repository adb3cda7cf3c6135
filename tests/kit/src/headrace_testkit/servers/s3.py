"""Buckets for tests, and an environment that knows one S3 service and nothing of the user's own. Needs boto3 beside this distribution."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from . import S3Server, ServerError

_NUMBERS: Final = itertools.count()


@contextmanager
def only(server: S3Server | None, environ: MutableMapping[str, str] = os.environ) -> Iterator[None]:
    """Within this, the AWS variables are the server's keys and region, or none; no file of the user is read, no metadata service asked."""
    before = {name: value for name, value in environ.items() if name.startswith("AWS_")}
    for name in before:
        del environ[name]
    nowhere = str(Path(os.devnull))
    environ.update(AWS_CONFIG_FILE=nowhere, AWS_SHARED_CREDENTIALS_FILE=nowhere, AWS_EC2_METADATA_DISABLED="true")
    if server is not None:
        environ.update(AWS_ACCESS_KEY_ID=server.access_key, AWS_SECRET_ACCESS_KEY=server.secret_key, AWS_DEFAULT_REGION=server.region)
    try:
        yield
    finally:
        for name in [name for name in environ if name.startswith("AWS_")]:
            del environ[name]
        environ.update(before)


def client(server: S3Server, **options: Any) -> Any:
    """A boto3 client of the server, for what a test does behind the back of what it tests."""
    try:
        import boto3  # type: ignore[import-untyped]
        from botocore.config import Config  # type: ignore[import-untyped]
    except ImportError as error:
        raise ServerError(f"{error.name} is not installed") from error

    keys = {"aws_access_key_id": server.access_key, "aws_secret_access_key": server.secret_key, "region_name": server.region}
    return boto3.client("s3", endpoint_url=server.endpoint, config=Config(s3={"addressing_style": "path"}, **options), **keys)


def new_bucket(server: S3Server) -> str:
    """The name of a new, empty bucket."""
    name = f"bucket-{os.getpid()}-{next(_NUMBERS)}"
    connected = client(server)
    connected.create_bucket(Bucket=name)
    connected.close()
    return name
