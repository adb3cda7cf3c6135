"""Chooses by name: finds one entry point and loads exactly that one. Knows no hooks and no configuration classes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from headrace_hookspecs import API_VERSION
from headrace_hookspecs.errors import PluginError

from .index import PREFIX, EntryPoint, Index, normalise

_NOUNS: Final = {"headrace.hooks": "plugin", "headrace.front_end": "front end", "headrace.secrets": "secrets backend"}
_SHARED: Final = {
    **dict.fromkeys((("headrace.launcher", name) for name in ("fork", "spawn", "inline")), "processes"),
    **dict.fromkeys((("headrace.decorator", name) for name in ("retry", "catch", "timeout")), "resilience"),
    **dict.fromkeys((("headrace.decorator", name) for name in ("environment", "resources")), "resources"),
}
"""Where to find the names of ours that share a distribution, for the message that one is missing."""


class Registry:
    """The installed plugins, less those that are disabled.

    `disabled` names plugins (`s3`), single entry points (`datastore.s3`) or distributions; what it names is never imported. `prefer`
    decides between distributions that claim the same name: `{"datastore": {"s3": "acme-s3"}}`.
    """

    def __init__(self, index: Index, disabled: Collection[str] = (), prefer: Mapping[str, Mapping[str, str]] | None = None) -> None:
        self.index: Final = index
        self._disabled: Final = {*disabled, *map(normalise, disabled)}
        self._prefer: Final = prefer or {}
        self._own: Final[dict[tuple[str, str], Any]] = {}
        self._loaded: Final[dict[tuple[str, str], Any]] = {}

    def register(self, group: str, name: str, value: object) -> None:
        """Add `value` in this process only, above everything that is installed."""
        self._own[group, name] = self._loaded[group, name] = value

    def names(self, group: str) -> list[str]:
        """The names that may be chosen, sorted."""
        installed = {entry.name for entry in self.index.entries if entry.group == group and not self._is_disabled(entry)}
        return sorted(installed | {name for kind, name in self._own if kind == group})

    def entry(self, group: str, name: str) -> EntryPoint:
        """The one entry point of that name. Raises PluginError where there is none or more than one."""
        if (group, name) in self._own:
            return EntryPoint(group, name, "", "this process", "")
        found = {entry for entry in self.index.entries if (entry.group, entry.name) == (group, name)}
        allowed = sorted(entry for entry in found if not self._is_disabled(entry))
        if not allowed:
            raise self._disabled_error(group, name) if found else self._unknown(group, name)
        if len(allowed) > 1:
            wanted = normalise(self._prefer.get(group[len(PREFIX) :], {}).get(name, ""))
            chosen = [entry for entry in allowed if normalise(entry.distribution) == wanted]
            if len(chosen) != 1:
                raise self._conflict(group, name, allowed)
            allowed = chosen
        return allowed[0]

    def load(self, group: str, name: str) -> Any:
        """Import what the name stands for. Raises PluginError, naming the distribution, if it cannot be or speaks another API."""
        if (group, name) not in self._loaded:
            entry = self.entry(group, name)
            value = self._import(entry)
            self._check_api(entry, value)
            self._loaded[group, name] = value
        return self._loaded[group, name]

    def _is_disabled(self, entry: EntryPoint) -> bool:
        if not self._disabled:
            return False
        names = {entry.name, f"{entry.group[len(PREFIX) :]}.{entry.name}", normalise(entry.distribution)}
        return not self._disabled.isdisjoint(names)

    def _import(self, entry: EntryPoint) -> Any:
        from importlib import import_module

        module, _, path = entry.target.partition(":")
        try:
            value: Any = import_module(module)
            for attribute in filter(None, path.split(".")):
                value = getattr(value, attribute)
        except (Exception, SystemExit) as error:
            raise PluginError(
                f"The {describe(entry.group, entry.name)} cannot be imported from {_origin(entry)}: {type(error).__name__}: {error}",
                code="plugin-import",
                remedy=f"Install {entry.distribution} anew, or leave it out: -o 'plugins.disable=[\"{entry.name}\"]'",
            ) from error
        return value

    def _check_api(self, entry: EntryPoint, value: Any) -> None:
        api = getattr(value, "api", API_VERSION)
        if str(api).partition(".")[0] != API_VERSION.partition(".")[0]:
            raise PluginError(
                f"The {describe(entry.group, entry.name)} from {_origin(entry)} is written for plugin API {api}, this is {API_VERSION}.",
                code="plugin-api",
                remedy=f"Install a version of {entry.distribution} for this headrace.",
            )

    def _unknown(self, group: str, name: str) -> PluginError:
        from difflib import get_close_matches

        names = self.names(group)
        near = get_close_matches(name, names, 3, 0.5)
        advice = [f"Did you mean {' or '.join(map(repr, near))}?"] if near else []
        advice.append(f"Installed: {', '.join(names) or 'none'}.")
        if self.index.lock:
            advice.append(f"Only what {self.index.lock} names may be used; `flow plugins lock` writes it anew.")
        else:
            family = "serializer" if group == "headrace.serializer" else "plugin"
            advice.append(f"Or: pip install headrace-{family}-{_SHARED.get((group, name), name)}")
        return PluginError(f"There is no {describe(group, name)}.", code="plugin-unknown", remedy=" ".join(advice))

    def _disabled_error(self, group: str, name: str) -> PluginError:
        return PluginError(
            f"The {describe(group, name)} is disabled.",
            code="plugin-disabled",
            remedy="Choose another, or take it out of `plugins.disable`.",
        )

    def _conflict(self, group: str, name: str, entries: list[EntryPoint]) -> PluginError:
        kind = group[len(PREFIX) :]
        return PluginError(
            f"The {describe(group, name)} is claimed by {' and '.join(map(_origin, entries))}.",
            code="plugin-conflict",
            remedy=f"Uninstall one, or choose: -o plugins.prefer.{kind}.{name}={entries[0].distribution}",
        )


def describe(group: str, name: str) -> str:
    """For messages: `datastore 's3'`."""
    return f"{_NOUNS.get(group, group[len(PREFIX) :].replace('_', ' '))} {name!r}"


def _origin(entry: EntryPoint) -> str:
    return f"{entry.distribution} {entry.version}".rstrip()
