"""A Ceph RADOS gateway: one monitor, one object store in memory, one gateway. The reference of what an S3 service does.

Needs the programs ceph-mon, ceph-osd, radosgw and radosgw-admin (Debian: ceph-mon ceph-osd radosgw); takes about ten seconds and, with
`size` bytes of data at most, as much memory as that and half a gigabyte.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import struct
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from . import S3Server, ServerError
from .running import await_port, await_true, free_ports, running

PROGRAMS: Final = ("ceph", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin")

_CONFIGURATION: Final = """
[global]
fsid = {fsid}
mon host = v1:127.0.0.1:{mon}
public addr = 127.0.0.1
ms bind msgr2 = false
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
auth allow insecure global id reclaim = false
keyring = {folder}/keyring
admin socket = {folder}/$name.asok
run dir = {folder}
crash dir = {folder}
log file = {folder}/$name.log
log to stderr = false
mon cluster log file = {folder}/cluster.log
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
mon data avail warn = 0
mon data avail crit = 0
[mon]
mon data = {folder}/mon
[osd]
osd data = {folder}/osd
osd objectstore = memstore
memstore device bytes = {size}
osd op threads = 2
[client.gateway]
rgw frontends = beast endpoint=127.0.0.1:{port} tcp_nodelay=1
rgw thread pool size = 32
rgw enable usage log = false
rgw enable ops log = false
rgw run sync thread = false
rgw dns name =
"""

_RIGHTS: Final = {
    "mon.": '\tcaps mon = "allow *"\n',
    "client.admin": '\tcaps mon = "allow *"\n\tcaps osd = "allow *"\n\tcaps mgr = "allow *"\n\tcaps mds = "allow *"\n',
    "osd.0": '\tcaps mon = "allow profile osd"\n\tcaps osd = "allow *"\n',
    "client.gateway": '\tcaps mon = "allow rwx"\n\tcaps osd = "allow rwx"\n',
}


def absence() -> str | None:
    """Why it cannot be started on this machine, or None if it can."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    return f"no {', no '.join(missing)} on PATH" if missing else None


@contextmanager
def rados(size: int = 2 << 30, *, access_key: str = "rados-user", secret_key: str = "rados-secret") -> Iterator[S3Server]:
    """A gateway with one user, empty. Raises ServerError."""
    with ExitStack() as stack:
        # a short path: the name of a socket has at most 107 bytes
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rados-", dir="/tmp", ignore_cleanup_errors=True)))
        mon, port = free_ports(2)
        fsid = str(uuid.uuid4())
        conf = folder / "ceph.conf"
        conf.write_text(_CONFIGURATION.format(fsid=fsid, mon=mon, port=port, folder=folder, size=size))
        (folder / "keyring").write_text("".join(f"[{name}]\n\tkey = {_key()}\n{caps}" for name, caps in _RIGHTS.items()))

        def run(program: str, *words: str | Path) -> str:
            done = subprocess.run([program, "-c", conf, *words], capture_output=True, text=True, timeout=60, check=False)
            if done.returncode:
                raise ServerError(f"{program} {' '.join(map(str, words))} ended with status {done.returncode}:\n{done.stderr}")
            return done.stdout

        run("monmaptool", "--create", "--addv", "a", f"[v1:127.0.0.1:{mon}]", "--fsid", fsid, folder / "monmap")
        run("ceph-mon", "--mkfs", "-i", "a", "--monmap", folder / "monmap", "--keyring", folder / "keyring")
        log = folder / "output.log"
        monitor = stack.enter_context(running(("ceph-mon", "-f", "-c", conf, "-i", "a"), log))
        await_port(mon, monitor, log)

        osd = str(uuid.uuid4())
        run("ceph", "osd", "new", osd)
        (folder / "osd").mkdir()
        run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd)
        store = stack.enter_context(running(("ceph-osd", "-f", "-c", conf, "-i", "0"), log))
        await_true(lambda: json.loads(run("ceph", "osd", "stat", "-f", "json"))["num_up_osds"] == 1, store, log)

        user = ("--uid", "tests", "--display-name", "tests", "--access-key", access_key, "--secret-key", secret_key)
        run("radosgw-admin", "-n", "client.gateway", "user", "create", *user)
        gateway = stack.enter_context(running(("radosgw", "-f", "-c", conf, "-n", "client.gateway"), log))
        await_port(port, gateway, log, 120)
        yield S3Server("rados", f"http://127.0.0.1:{port}", access_key, secret_key)


def _key() -> str:
    """A new key as cephx keeps it: type, time of creation, length, bytes."""
    return base64.b64encode(struct.pack("<HIIH", 1, int(time.time()), 0, 16) + os.urandom(16)).decode()
