"""Launchers on this machine: `fork`, `spawn` and `inline`. Only the plugin objects are here; what does the work is imported by `create`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from headrace_hookspecs import Launcher, ProviderContext


class _Processes:
    """A launcher whose attempts are processes: forked from one that has imported the flow, or fresh interpreters."""

    api = "1.0"

    def __init__(self, mode: Literal["fork", "exec"]) -> None:
        self._mode = mode

    def config_class(self) -> None:
        return None

    def create(self, config: None, context: ProviderContext) -> Launcher:
        from .launcher import ProcessLauncher

        return ProcessLauncher(self._mode, context.say)


class _Inline:
    """The launcher without a process of its own."""

    api = "1.0"

    def config_class(self) -> None:
        return None

    def create(self, config: None, context: ProviderContext) -> Launcher:
        from .inprocess import InlineLauncher

        return InlineLauncher()


fork = _Processes("fork")
spawn = _Processes("exec")
inline = _Inline()
