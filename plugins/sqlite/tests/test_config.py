from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from headrace_hookspecs import ConfigError, ProviderContext
from headrace_sqlite import plugin
from headrace_sqlite.network import network_file_system


def location(project: str, **config: Any) -> str:
    return plugin.create(plugin.config_class()(**config), ProviderContext(project, "", {}, print)).location


def test_the_path_starts_from_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert location("/project") == "/project/.headrace/metadata.sqlite"
    assert location("/project", path="../x.sqlite") == "/x.sqlite"
    assert location("/project", path="~/x.sqlite") == "/home/ada/x.sqlite"


@pytest.mark.parametrize("timeout", [-1.0, float("nan")])
def test_a_timeout_that_is_no_time_is_refused(timeout: float) -> None:
    with pytest.raises(ConfigError, match="busy_timeout"):
        location("/project", busy_timeout=timeout)


MOUNTS = r"""proc /proc proc rw 0 0
/dev/vda / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
/dev/vdb /home/local ext4 rw 0 0
ada@server:/x /mnt/with\040space fuse.sshfs rw 0 0
//server/share /mnt/share cifs rw 0 0
/dev/vdc /mnt/share xfs rw 0 0
/dev/fuse /media/usb fuseblk rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/project", None),
        ("/home/ada/project", "nfs4"),
        ("/home", "nfs4"),
        ("/homework", None),
        ("/home/local/x", None),
        ("/mnt/with space/x", "fuse.sshfs"),
        ("/mnt/share/x", None),
        ("/media/usb/x", None),
    ],
)
def test_network_file_systems_are_told_by_the_mount_that_is_seen(tmp_path: Path, path: str, kind: str | None) -> None:
    (tmp_path / "mounts").write_text(MOUNTS)
    assert network_file_system(path, f"{tmp_path}/mounts") == kind


def test_where_the_mounts_cannot_be_read_none_is_assumed(tmp_path: Path) -> None:
    assert network_file_system("/home", f"{tmp_path}/none") is None
