"""Runs pods as real processes of this machine, each in namespaces of its own: Linux, as root. Knows no manifest.

A pod sees the machine's programs read-only, the virtual environment that its image stands for, and else an empty file system in memory: its home,
its temporary and its working folder are its own, and nothing of the author's is there. Of the network it has its own loopback interface, on which
the listed ports lead to the same ports of this machine. Resource requests are not enforced. The pods end with the runner, however it ends.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from . import kubelet
from .problems import RunnerError
from .runner import Ended, Handle, Lost, Pod

_TESTS = Path(__file__).parents[1]
HOME = "/home/pod"
FOLDER = "/pod"
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SYSTEM = tuple(Path(each) for each in ("/bin", "/etc", "/lib", "/lib64", "/opt", "/sbin", "/usr"))


class NamespaceRunner:
    """Runs pods while the `with` block lasts.

    `images` is the name of an image to the folder of its virtual environment; `ports` are the ports of 127.0.0.1 that pods reach; `hide` are
    folders below the machine's programs that pods must not see; `secrets` are what `secretKeyRef` finds; `grace` are the seconds between asking
    a pod to end and killing it.
    """

    def __init__(
        self,
        images: Mapping[str, Path],
        *,
        ports: Sequence[int] = (),
        hide: Sequence[Path] = (),
        secrets: kubelet.Secrets | None = None,
        grace: float = 5.0,
    ) -> None:
        self.images = {name: Path(folder).absolute() for name, folder in images.items()}
        self.ports = list(ports)
        self.hide = [str(Path(each).absolute()) for each in hide]
        self.secrets = secrets or {}
        self.grace = grace
        self.state = Path(tempfile.mkdtemp(prefix="pods-"))
        (self.state / "root").mkdir()
        self.handles: dict[str, ProcessHandle] = {}

    def __enter__(self) -> NamespaceRunner:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def start(self, pod: Pod) -> Handle:
        """Start the pod's process."""
        if pod.image not in self.images:
            raise RunnerError(f"{pod.name}: there is no image {pod.image!r}; there are {', '.join(self.images)}")
        if pod.name in self.handles:
            raise RunnerError(f"two pods are called {pod.name!r}")
        image = self.images[pod.image]
        bring = {"PATH": f"{image / 'bin'}:{SYSTEM_PATH}", "HOME": HOME, "HOSTNAME": pod.name[:63]}
        command = kubelet.command(pod, bring, self.secrets)
        spec = {
            "argv": command.argv,
            "environment": command.environment,
            "empty": command.empty,
            "outputs": dict(pod.outputs),
            "hostname": pod.name,
            "home": HOME,
            "folder": FOLDER,
            "bind": [str(each) for each in needed(image)],
            "hide": self.hide,
            "ports": self.ports,
            "root": str(self.state / "root"),
            "parent": os.getpid(),
        }
        handle = ProcessHandle(pod.name, spec, self.state, self.grace)
        self.handles[pod.name] = handle
        return handle

    def log(self, name: str) -> str:
        """What a pod has printed so far."""
        return self.handles[name].printed()

    def delete(self, name: str) -> None:
        """Take a running pod away, as the loss of its machine does: nobody learns how it ended."""
        self.handles[name].lose()

    def close(self) -> None:
        """End what runs and remove every trace; can be called twice."""
        for each in self.handles.values():
            each.kill()
        shutil.rmtree(self.state, ignore_errors=True)


class ProcessHandle:
    """A pod's process, and the files with its log and its result."""

    def __init__(self, name: str, spec: Mapping[str, object], state: Path, grace: float) -> None:
        self.grace = grace
        self.log = state / f"{name}.log"
        self.result = state / f"{name}.result"
        self.ended: Ended | Lost | None = None
        self.lost = False
        self.due: float | None = None
        self.kill_at: float | None = None
        given = state / f"{name}.json"
        given.write_text(json.dumps(spec), encoding="utf-8")
        with given.open("rb") as stdin, self.log.open("wb") as log, self.result.open("wb") as result:
            self.process = subprocess.Popen(
                [sys.executable, "-s", "-S", "-m", "argo.sandbox", str(result.fileno())],
                stdin=stdin,
                stdout=log,
                stderr=log,
                env={},
                cwd=_TESTS,
                pass_fds=[result.fileno()],
                start_new_session=True,
            )

    def poll(self) -> Ended | Lost | None:
        """How it ended."""
        if self.ended is None:
            if self.kill_at is not None and time.monotonic() >= self.kill_at:
                self.process.kill()
            code = self.process.poll()
            if code is not None:
                self.ended = self._read(code)
        return self.ended

    def _read(self, code: int) -> Ended | Lost:
        if self.lost:
            return Lost()
        text = self.result.read_text(encoding="utf-8")
        if not text and code == 125:
            raise RunnerError(f"the pod could not be set up:\n{self.printed()}")
        if not text:
            return Ended(128 - code if code < 0 else code, {}, self.printed())
        told = json.loads(text)
        return Ended(told["exit_code"], told["outputs"], self.printed())

    def stop(self) -> None:
        """Ask the command to end, and kill everything once the time of grace is over."""
        if self.process.poll() is None and self.kill_at is None:
            self.process.send_signal(signal.SIGTERM)
            self.kill_at = time.monotonic() + self.grace

    def lose(self) -> None:
        """Kill it; the end is unknown."""
        self.lost = self.ended is None
        self.kill()

    def kill(self) -> None:
        """Kill everything, and wait for the end."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def printed(self) -> str:
        """What it printed."""
        return self.log.read_text(encoding="utf-8", errors="replace")


def needed(image: Path) -> list[Path]:
    """The folders that make a virtual environment run: itself, and the installations of Python it stands on."""
    if not (image / "bin").is_dir():
        raise RunnerError(f"{image} is no virtual environment: it has no bin")
    found = [image]
    config = image / "pyvenv.cfg"
    if config.is_file():
        lines = dict(line.split(" = ", 1) for line in config.read_text(encoding="utf-8").splitlines() if " = " in line)
        homes = [Path(lines["home"]), Path(os.path.realpath(image / "bin" / "python")).parent]
        found += [each.parent for each in homes]
    outside = [each for each in dict.fromkeys(found) if not any(each.is_relative_to(system) for system in _SYSTEM)]
    return [each for each in outside if not any(each != other and each.is_relative_to(other) for other in outside)]
