"""Make `.venv` from nothing but a Python with venv and pip, or leave it alone if it is what the lock file asks for.

Knows no test and no suite. Reads on any Python from 3.6, so that one too old gets a sentence and not a traceback.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OLDEST = (3, 10)
MEMBER_FOLDERS = ("", "hookspecs", "core", "cli", "serializers", "plugins", "plugins-contrib", "tests")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--others", action="store_true", help="also make .venvs/3.X for each other Python found")
    options = arguments.parse_args()
    if sys.version_info < OLDEST:
        stop(
            f"headrace needs Python 3.10 or newer; {sys.executable} is {sys.version.split()[0]}.",
            "Name another one: make PYTHON=python3.12",
        )
    environment = tool_environment()
    wanted = fingerprint()
    make_main(os.path.join(ROOT, ".venv"), wanted, environment)
    if options.others:
        sys.path.insert(0, os.path.join(ROOT, "tests"))
        from tiers import pythons

        for version, executable in pythons.others(f"{sys.version_info[0]}.{sys.version_info[1]}").items():
            make_other(os.path.join(ROOT, ".venvs", version), executable, wanted, environment)


def make_main(venv, wanted, environment):
    """`.venv`: every distribution of the workspace, editable, and all development tools."""
    if is_current(venv, wanted):
        return
    python = os.path.join(venv, "bin", "python")
    if not (read_stamp(venv).startswith(origin(venv)) and works(python)):
        create(venv, environment)
    uv = os.path.join(venv, "bin", "uv")
    if not works(uv):
        say("installing uv")
        run([python, "-m", "pip", "install", "--quiet", "uv==" + locked_version("uv")], environment)
    say("installing what uv.lock names into .venv")
    run([uv, "sync", "--frozen", "--quiet", "--all-packages", "--all-groups", "--python", python], environment)
    write_stamp(venv, wanted)


def make_other(venv, executable, wanted, environment):
    """`.venvs/3.X`: the same without the linters, on another Python."""
    if is_current(venv, wanted):
        return
    say("installing what uv.lock names into .venvs/" + os.path.basename(venv))
    if not read_stamp(venv).startswith(origin(venv)):
        shutil.rmtree(venv, ignore_errors=True)
    uv = os.path.join(ROOT, ".venv", "bin", "uv")
    sync = [uv, "sync", "--frozen", "--quiet", "--all-packages", "--all-groups", "--no-group", "lint"]
    run([*sync, "--python", executable], dict(environment, UV_PROJECT_ENVIRONMENT=venv))
    write_stamp(venv, wanted)


def create(venv, environment):
    """A new, empty virtual environment with pip at `venv`."""
    try:
        import ensurepip  # noqa: F401 - Debian packs it apart from Python
        import venv as _venv  # noqa: F401
    except ImportError:
        stop(
            f"{sys.executable} cannot make virtual environments: its modules venv and ensurepip are not installed.",
            "On Debian and Ubuntu: apt-get install python3-venv",
            "Or name another one: make PYTHON=python3.12",
        )
    say(f"making .venv with Python {sys.version.split()[0]}")
    run([sys.executable, "-m", "venv", "--clear", venv], environment)


def tool_environment():
    """The environment for pip and uv: nothing of a virtual environment that happens to be active."""
    foreign = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "UV_PROJECT_ENVIRONMENT")
    environment = {name: value for name, value in os.environ.items() if name not in foreign}
    environment.update(UV_PYTHON_DOWNLOADS="never", PIP_ROOT_USER_ACTION="ignore", PIP_DISABLE_PIP_VERSION_CHECK="1")
    return environment


def fingerprint():
    """Changes when what has to be installed changes: the lock file or any project file."""
    digest = hashlib.sha256()
    for path in [os.path.join(ROOT, "uv.lock"), os.path.abspath(__file__), *project_files()]:
        with open(path, "rb") as file:
            digest.update(path[len(ROOT) :].encode() + b"\0" + file.read() + b"\0")
    return digest.hexdigest()


def project_files():
    found = []
    for top in MEMBER_FOLDERS:
        folder = os.path.join(ROOT, top)
        below = os.listdir(folder) if top and os.path.isdir(folder) else []
        for name in ["", *below]:
            path = os.path.join(folder, name, "pyproject.toml")
            if os.path.isfile(path):
                found.append(os.path.normpath(path))
    return sorted(set(found))


def locked_version(name):
    with open(os.path.join(ROOT, "uv.lock"), encoding="utf-8") as file:
        match = re.search(rf'^name = "{re.escape(name)}"\nversion = "([^"]+)"', file.read(), re.MULTILINE)
    if match is None:
        stop(f"uv.lock does not name {name}.", "Bring it up to date: uv lock")
    return match.group(1)


def is_current(venv, wanted):
    return read_stamp(venv) == origin(venv) + wanted and works(os.path.join(venv, "bin", "python"))


def stamp_path(venv):
    return os.path.join(venv, "made-from")


def read_stamp(venv):
    """The origin of the environment and what it was made from; empty if it never was finished."""
    try:
        with open(stamp_path(venv), encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""


def write_stamp(venv, wanted):
    with open(stamp_path(venv), "w", encoding="utf-8") as file:
        file.write(origin(venv) + wanted)


def origin(venv):
    """Where an environment was made (it cannot be moved), and by which Python."""
    return f"{venv}\n{sys.version_info[0]}.{sys.version_info[1]}\n"


def works(program):
    try:
        return subprocess.run([program, "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def run(command, environment):
    try:
        status = subprocess.call(command, cwd=ROOT, env=environment)
    except OSError as error:
        stop(f"{command[0]}: {error.strerror}")
    if status:
        stop(f"this command ended with status {status}: {' '.join(command)}")


def say(line):
    print("bootstrap: " + line, file=sys.stderr, flush=True)


def stop(*lines):
    for line in lines:
        say(line)
    sys.exit(1)


if __name__ == "__main__":
    main()
