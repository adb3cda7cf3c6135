"""One pod: `python -m argo.sandbox RESULT_FD`, with what to run as JSON on standard input. What the pod prints goes to standard output.

This process stays outside and carries bytes to the allowed ports; its child is process 1 of a new PID namespace, with mounts, network, IPC and
host name of its own, and a root made of this machine's programs alone, read-only. When either ends, everything in the pod ends.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import stat
import sys
from typing import Any, NoReturn

from . import relay, syscalls

PROGRAMS = ("bin", "etc", "lib", "lib32", "lib64", "libx32", "opt", "sbin", "usr")
DEVICES = ("full", "null", "random", "tty", "urandom", "zero")
FOLDERS = ("home", "mnt", "pod", "proc", "root", "run", "srv", "tmp", "var/tmp")
MOST_OUTPUT = 256 * 1024


def main() -> int:
    """Run the pod; the exit status is its exit code."""
    os.set_inheritable(int(sys.argv[1]), False)
    syscalls.die_with_parent()
    spec: dict[str, Any] = json.load(sys.stdin)
    if os.getppid() != spec["parent"]:
        return 125  # it ended before this process was tied to it
    ours, theirs = socket.socketpair()
    syscalls.unshare(syscalls.NEWPID)
    child = os.fork()
    if child == 0:
        code = 125
        try:
            ours.close()
            code = inside(spec, theirs, int(sys.argv[1]))
        except BaseException as error:  # noqa: BLE001 - it is process 1: whatever happens is told, and ends the pod
            os.write(2, f"the pod could not be set up: {error!r}\n".encode())
        finally:
            os._exit(code)
    theirs.close()
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    ended = os.pidfd_open(child)
    _, sockets, _, _ = socket.recv_fds(ours, 1, 64)
    listeners = [socket.socket(fileno=each) for each in sockets]
    if len(listeners) == len(spec["ports"]):  # else it ended before it could listen
        relay.Relay(dict(zip(spec["ports"], listeners, strict=True))).run(ended)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) % 256


def inside(spec: dict[str, Any], parent: socket.socket, result: int) -> int:
    """Process 1 of the pod."""
    syscalls.die_with_parent()
    if select.select([parent], [], [], 0)[0]:
        return 125  # the parent ended before this process was tied to it
    os.setsid()
    syscalls.unshare(syscalls.NEWNS | syscalls.NEWNET | syscalls.NEWIPC | syscalls.NEWUTS)
    syscalls.set_host_name(spec["hostname"][:63])
    syscalls.loopback_up()
    listeners = [socket.create_server(("127.0.0.1", port), backlog=128) for port in spec["ports"]]
    socket.send_fds(parent, [b"."], [each.fileno() for each in listeners])
    for each in listeners:
        each.close()
    build_root(spec)
    code = execute(spec)
    outputs = {name: text for name, path in spec["outputs"].items() if (text := content(path)) is not None}
    os.write(result, json.dumps({"exit_code": code, "outputs": outputs}).encode())
    return code


def build_root(spec: dict[str, Any]) -> None:
    """A root in memory with the machine's programs, the image, and empty folders."""
    root = spec["root"]
    syscalls.mount("none", "/", None, syscalls.REC | syscalls.PRIVATE)
    syscalls.mount("pod", root, "tmpfs", options="mode=755,size=1g")
    for name in PROGRAMS:
        path = f"/{name}"
        if os.path.islink(path):
            os.symlink(os.readlink(path), root + path)
        elif os.path.isdir(path):
            bind(path, root + path)
    hidden = [root + each for each in spec["hide"] if os.path.isdir(root + each)]
    for each in hidden:
        syscalls.mount("hidden", each, "tmpfs", options="mode=755,size=1m")
    for each in spec["bind"]:
        bind(each, root + each)
    for each in hidden:
        syscalls.mount("hidden", each, None, syscalls.REMOUNT | syscalls.BIND | syscalls.RDONLY)
    for name in FOLDERS:
        os.makedirs(f"{root}/{name}", exist_ok=True)
    for name in ("tmp", "var/tmp"):
        os.chmod(f"{root}/{name}", 0o1777)
    os.makedirs(root + spec["home"], exist_ok=True)
    os.makedirs(root + spec["folder"], exist_ok=True)
    os.mkdir(f"{root}/dev")
    os.mkdir(f"{root}/dev/shm", 0o1777)
    for name in DEVICES:
        os.close(os.open(f"{root}/dev/{name}", os.O_CREAT))
        syscalls.mount(f"/dev/{name}", f"{root}/dev/{name}", None, syscalls.BIND)
    os.symlink("/proc/self/fd", f"{root}/dev/fd")
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        os.symlink(f"/proc/self/fd/{number}", f"{root}/dev/{name}")
    syscalls.mount("proc", f"{root}/proc", "proc", syscalls.NOSUID)
    for path, size in spec["empty"].items():
        os.makedirs(root + path, exist_ok=True)
        syscalls.mount("empty", root + path, "tmpfs", options="mode=777" + ("" if size is None else f",size={size}"))
    syscalls.become_root(root)


def bind(source: str, target: str) -> None:
    """Show a folder of this machine at another path, read-only."""
    os.makedirs(target, exist_ok=True)
    syscalls.mount(source, target, None, syscalls.BIND | syscalls.REC)
    syscalls.read_only(target)


def execute(spec: dict[str, Any]) -> int:
    """Run the command, pass a request to end on to it, and return its exit code as a container's: 128 + n for signal n."""
    asked = []
    process = 0

    def forward(*_: object) -> None:
        asked.append(True)
        if process:
            os.kill(process, signal.SIGTERM)

    signal.signal(signal.SIGTERM, forward)
    forked = os.fork()
    if forked == 0:
        start(spec)
    process = forked
    if asked:
        os.kill(process, signal.SIGTERM)
    while True:
        ended, status = os.wait()
        if ended == process:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def start(spec: dict[str, Any]) -> NoReturn:
    """Become the command."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.setsid()
        os.umask(0o022)
        os.chdir(spec["folder"])
        os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
        os.execvpe(spec["argv"][0], spec["argv"], spec["environment"])
    except OSError as error:
        os.write(2, f"cannot start {spec['argv'][0]!r}: {error.strerror}\n".encode())
    finally:
        os._exit(128)


def content(path: str) -> str | None:
    """The text of an output file; None where there is none."""
    try:
        with open(path, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            data = file.read(MOST_OUTPUT + 1)
    except OSError:
        return None
    if len(data) > MOST_OUTPUT:
        os.write(2, f"the output file {path} has more than {MOST_OUTPUT} bytes\n".encode())
        return None
    return data.decode("utf-8", "replace")


if __name__ == "__main__":
    sys.exit(main())
