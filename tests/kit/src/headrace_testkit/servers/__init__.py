"""Real servers for tests: started on free loopback ports, ended with the test run, nothing left behind. Each has its own module.

A starter is a context manager that yields an `S3Server` (or what its docstring says) and raises `ServerError`, with the end of the server's
log, where it does not come up. Every server runs in a process group of its own that dies with the process that started it.
"""

from __future__ import annotations

from typing import NamedTuple


class ServerError(Exception):
    """A server did not come up; the message has the end of its log."""


class S3Server(NamedTuple):
    """An S3 service: its URL, the key and secret that it takes, and a name for the ids of tests. Buckets are made by `new_bucket`."""

    name: str
    endpoint: str
    access_key: str
    secret_key: str
    region: str = "us-east-1"
