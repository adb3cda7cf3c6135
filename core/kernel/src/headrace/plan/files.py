"""Finds and reads the TOML files that configuration comes from, and single values written as TOML. Knows no key."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

from headrace_hookspecs.errors import ConfigError

PROJECT_FILE: Final = "headrace.toml"


def find_project(start: str) -> str:
    """The nearest folder upwards from `start` with a `headrace.toml` or a pyproject.toml with `[tool.headrace]`; else `start` itself."""
    folder = start = os.path.abspath(start)
    while True:
        if project_file(folder):
            return folder
        above = os.path.dirname(folder)
        if above == folder:
            return start
        folder = above


def project_file(folder: str) -> str:
    """The file that makes the folder a project, or nothing. Raises ConfigError if there are two."""
    file, other = os.path.join(folder, PROJECT_FILE), os.path.join(folder, "pyproject.toml")
    in_other = False
    try:
        with open(other, "rb") as stream:
            in_other = b"tool.headrace" in stream.read() and bool(read(other))
    except OSError:
        pass  # no such file, or none of ours: reading on goes to the folder above
    if not os.path.exists(file):
        return other if in_other else ""
    if in_other:
        raise ConfigError(
            f"Both {PROJECT_FILE} and [tool.headrace] in pyproject.toml hold configuration.",
            file=file,
            remedy="Keep it in one of them.",
        )
    return file


def user_file(environ: Mapping[str, str]) -> str:
    """The user's own file, or nothing."""
    home = environ.get("HOME") or environ.get("USERPROFILE") or ""
    base = environ.get("XDG_CONFIG_HOME") or (os.path.join(home, ".config") if home else "")
    file = os.path.join(base, "headrace", "config.toml")
    return file if base and os.path.exists(file) else ""


def read(file: str) -> dict[str, Any]:
    """The tables of ours in a TOML file."""
    import re

    tomllib = _tomllib()
    try:
        with open(file, "rb") as stream:
            data: dict[str, Any] = tomllib.load(stream)
    except OSError as error:
        raise ConfigError(f"The configuration cannot be read: {error.strerror}.", file=file, code="config-unreadable")
    except ValueError as error:  # TOMLDecodeError or UnicodeDecodeError
        line = re.search(r"at line (\d+)", str(error))
        raise ConfigError(f"This is not TOML: {error}.", file=file, line=int(line[1]) if line else None, code="config-syntax")
    if os.path.basename(file) == "pyproject.toml":
        data = data.get("tool", {}).get("headrace", {})
    return data


def _tomllib() -> Any:
    return import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")


def typed(text: str) -> Any:
    """The text as a TOML value; as itself where it is none, or is one that JSON does not know."""
    try:
        data = _tomllib().loads(f"value = {text}")
    except ValueError:
        return text
    return data["value"] if len(data) == 1 and is_json(data["value"]) else text


def is_json(value: Any) -> bool:
    """Whether JSON can hold the value as it is (it knows no dates, no infinities)."""
    if isinstance(value, dict):
        return all(map(is_json, value.values()))
    if isinstance(value, list):
        return all(map(is_json, value))
    return isinstance(value, (str, int, bool)) or (isinstance(value, float) and value - value == 0)
