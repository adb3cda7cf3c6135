"""Moto's server: many AWS services in memory, quickly. It knows conditional writes and roles, but checks no signature.

Needs the distribution `moto[server]` beside this one.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import S3Server
from .running import await_port, free_ports, running


def absence() -> str | None:
    """Why it cannot be started on this machine, or None if it can."""
    missing = [name for name in ("flask", "moto") if importlib.util.find_spec(name) is None]
    return "moto[server] is not installed" if missing else None


@contextmanager
def moto() -> Iterator[S3Server]:
    """A server with nothing in it. Raises ServerError."""
    (port,) = free_ports()
    with tempfile.TemporaryDirectory(prefix="moto-") as folder:
        log = Path(folder, "log")
        # what of the caller's own AWS environment it would read, it shall not
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MOTO_"))}
        environ["HOME"] = folder
        with running((sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)), log, environ) as process:
            await_port(port, process, log)
            yield S3Server("moto", f"http://127.0.0.1:{port}", "moto-user", "moto-secret")
