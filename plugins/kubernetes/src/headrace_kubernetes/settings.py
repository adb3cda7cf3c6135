"""What can be said of a step's pod: the keyword arguments of `@kubernetes`, and the JSON of a `Compute("kubernetes", …)`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from attrs import field, frozen

from headrace_hookspecs import Resources

from . import api, values

VENDOR: Final = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(/[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?\Z")
RESOURCES: Final = ("cpu", "memory", "disk", "gpu", "shared_memory", "extended_resources")


def _said(read: values.Read) -> Any:
    """A setting that may be left out and is read by `read`."""
    return field(default=None, converter=read)


@frozen(kw_only=True)
class KubernetesSettings:
    """What a step's pod is like; None leaves it to `[launcher.kubernetes]`, else to the cluster.

    Resources: `cpu` in cores; `memory`, `disk` (ephemeral storage) and `shared_memory` (at /dev/shm) in MiB, or text with a unit; `gpu`, a
    count of devices of `gpu_vendor`: `nvidia`, `amd` or the whole name of a resource; `extended_resources`, name -> count. `qos`:
    `burstable` (what is asked for is reserved, and more may be used) or `guaranteed` (it is also the limit).

    Container: `image`, `image_pull_policy`, `image_pull_secrets`, `port`, `security_context` (`run_as_user`, `privileged`, …), `secrets`:
    names of Kubernetes secrets whose keys become environment variables.

    Pod: `namespace`, `service_account`, `node_selector`, `tolerations`, `labels`, `annotations`, `persistent_volume_claims` (claim ->
    path). `use_tmpfs`: a file system in memory, of `tmpfs_size` MiB (half the memory), at `tmpfs_path` (/headrace_temp), and with
    `tmpfs_tempdir` (true) the place of temporary files.

    `compute_pool`, `executable` and `hostname_resolution_timeout` are known and refused.
    """

    cpu: float | None = _said(values.cores("cpu"))
    memory: int | None = _said(values.size("memory"))
    disk: int | None = _said(values.size("disk"))
    gpu: int | None = _said(values.whole("gpu", 0, 1024))
    gpu_vendor: str | None = _said(values.text("gpu_vendor", "vendor or resource", VENDOR))
    shared_memory: int | None = _said(values.size("shared_memory"))
    extended_resources: Mapping[str, str] | None = _said(values.amounts("extended_resources"))
    qos: str | None = _said(values.word("qos", "burstable", "guaranteed"))
    image: str | None = _said(values.text("image", "image"))
    image_pull_policy: str | None = _said(values.word("image_pull_policy", "Always", "IfNotPresent", "Never"))
    image_pull_secrets: Sequence[str] | None = _said(values.object_names("image_pull_secrets", "secret"))
    namespace: str | None = _said(values.object_name("namespace", "namespace"))
    service_account: str | None = _said(values.object_name("service_account", "service account"))
    secrets: Sequence[str] | None = _said(values.object_names("secrets", "secret"))
    node_selector: Mapping[str, str] | None = _said(values.labels("node_selector"))
    tolerations: Sequence[Mapping[str, Any]] | None = _said(api.tolerations)
    labels: Mapping[str, str] | None = _said(values.labels("labels"))
    annotations: Mapping[str, str] | None = _said(values.texts("annotations"))
    persistent_volume_claims: Mapping[str, str] | None = _said(values.claims("persistent_volume_claims"))
    use_tmpfs: bool | None = _said(values.switch("use_tmpfs"))
    tmpfs_size: int | None = _said(values.size("tmpfs_size"))
    tmpfs_path: str | None = _said(values.path("tmpfs_path"))
    tmpfs_tempdir: bool | None = _said(values.switch("tmpfs_tempdir"))
    port: int | None = _said(values.whole("port", 1, 65535))
    security_context: Mapping[str, Any] | None = _said(api.security_context)
    compute_pool: None = _said(values.refused("compute_pool", "clusters know no pools", 'Choose nodes: node_selector={"LABEL": "VALUE"}.'))
    executable: None = _said(values.refused("executable", "every task is started as `python`", "Put that Python on the image's PATH."))
    hostname_resolution_timeout: None = _said(
        values.refused("hostname_resolution_timeout", "no nodes of one step run together here", "Leave it out.")
    )

    def __attrs_post_init__(self) -> None:
        if self.use_tmpfs is False and self.tmpfs_size is not None:
            raise values.refuse("tmpfs_size is the size of what use_tmpfs=False does not want.", "Leave one of the two out.")
        if not self.tmpfs and (self.tmpfs_path is not None or self.tmpfs_tempdir is not None):
            raise values.refuse("tmpfs_path and tmpfs_tempdir describe a tmpfs, and there is none.", "Add use_tmpfs=True.")

    @property
    def tmpfs(self) -> bool:
        """Whether a file system in memory is wanted; its size alone says so too."""
        return bool(self.use_tmpfs) or self.tmpfs_size is not None

    @property
    def resources(self) -> Resources:
        """The part that any launcher would understand."""
        return Resources(
            cpu=self.cpu,
            memory=self.memory,
            disk=self.disk,
            gpu=self.gpu,
            shared_memory=self.shared_memory,
            extended=self.extended_resources or {},
        )
