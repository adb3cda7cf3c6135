"""What a test says about its S3 server: options of `flow`, the variables with the credentials, a bucket of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from headrace_testkit.servers import S3Server

FLOW = Path(sys.executable).with_name("flow")


class Store(NamedTuple):
    """A bucket: `endpoint` may be a proxy's."""

    server: S3Server
    endpoint: str
    bucket: str

    @property
    def credentials(self) -> dict[str, str]:
        """The variables that tasks, wherever they are, get from their environment."""
        return {
            "AWS_ACCESS_KEY_ID": self.server.access_key,
            "AWS_SECRET_ACCESS_KEY": self.server.secret_key,
            "AWS_DEFAULT_REGION": self.server.region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    @property
    def options(self) -> list[str]:
        """`-o …` for every command of `flow`."""
        values = {"name": "s3", "s3.root": f"s3://{self.bucket}/team", "s3.client.endpoint": self.endpoint}
        return [word for key, value in values.items() for word in ("-o", f"datastore.{key}={value}")]

    def environ(self, **more: str) -> dict[str, str]:
        """Variables for a process of the author's."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "HEADRACE_"))}
        return {**kept, **self.credentials, "HEADRACE_USER": "tester", **more}

    def flow(self, *words: str | Path, cwd: Path, status: int | None = 0) -> subprocess.CompletedProcess[str]:
        """Call `flow` with this store; its exit status has to be `status`, unless that is None."""
        done = subprocess.run(
            [FLOW, *words, *self.options], cwd=cwd, env=self.environ(), capture_output=True, encoding="utf-8", timeout=300, check=False
        )
        assert status is None or done.returncode == status, done.stdout + done.stderr
        return done

    def run(self, file: str | Path, *words: str, cwd: Path, status: int = 0) -> str:
        """`flow run`; the run's id."""
        self.flow("run", file, "--run-id-file", "run-id", *words, cwd=cwd, status=status)
        return (cwd / "run-id").read_text()

    def python(self, code: str, *words: str, cwd: Path, environ: Mapping[str, str] | None = None) -> object:
        """Run Python code with this store's options as `sys.argv[1]` (JSON) and return what it prints, parsed as JSON."""
        given = json.dumps(self.options[1::2])
        done = subprocess.run(
            [sys.executable, "-c", code, given, *words],
            cwd=cwd,
            env=self.environ(**(environ or {})),
            capture_output=True,
            encoding="utf-8",
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)


def new_store(server: S3Server, endpoint: str | None = None) -> Store:
    """A new bucket on `server`, reached through `endpoint` where that is another."""
    from headrace_testkit.servers.s3 import new_bucket

    return Store(server, endpoint or server.endpoint, new_bucket(server))
