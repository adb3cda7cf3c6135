from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from headrace_files import plugin
from headrace_hookspecs import ConfigError, ProviderContext


def location(project: str, **config: Any) -> str:
    return plugin.create(plugin.config_class()(**config), ProviderContext(project, "", {}, print)).location


def test_the_root_starts_from_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert location("/project") == "/project/.headrace"
    assert location("/project", root="../data") == "/data"
    assert location("/project", root="/abs/./x") == "/abs/x"
    assert location("/project", root="~/x") == "/home/ada/x"
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("umask", ["8", "rwx", "-7", "7777", "0x7"])
def test_a_umask_that_is_none_is_refused(umask: str) -> None:
    with pytest.raises(ConfigError, match=r"datastore\.files\.umask"):
        location("/project", umask=umask)


def test_a_umask_is_octal_digits() -> None:
    store = plugin.create(plugin.config_class()(umask="027"), ProviderContext("/project", "", {}, print))
    assert store._umask == 0o027
