"""The configuration: layers of files, variables and options merged into one table in which each value keeps its origin.

Lowest first: kernel defaults, `headrace_config_defaults`, the user's file, the project's file, the chosen profile, variables
`HEADRACE_DATASTORE__S3__ROOT`, options `-o datastore.s3.root=…`. Tables are merged, everything else is replaced. Knows no plugin: the section
of one is checked when that plugin is used.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from headrace_hookspecs.errors import ConfigError

from .files import is_json, project_file, read, typed, user_file
from .schema import KEYS, SECTIONS

if TYPE_CHECKING:
    from .structure import Problem

T = TypeVar("T")
Path = tuple[str, ...]

_NO_CONFIG: Final = "HEADRACE_PARAM_"


class Config:
    """The merged configuration. `project` is the absolute folder that relative paths start from, `profile` the chosen one."""

    __slots__ = ("_origins", "_texts", "data", "profile", "project")

    def __init__(
        self,
        data: Mapping[str, Any],
        project: str,
        *,
        profile: str | None = None,
        origins: Mapping[Path, str] | None = None,
        texts: Mapping[Path, str] | None = None,
    ) -> None:
        self.data: Final = dict(data)
        self.project: Final = project
        self.profile: Final = profile
        self._origins: Final = dict(origins or {})
        self._texts: Final = dict(texts or {})

    def get(self, key: str, default: Any = None) -> Any:
        """The value of `datastore.name`, or `default`."""
        value: Any = self.data
        for word in key.split("."):
            if not isinstance(value, Mapping) or word not in value:
                return default
            value = value[word]
        return value

    def section(self, key: str) -> dict[str, Any]:
        """A copy of the table at `key`; empty where there is none."""
        value = self.get(key, {})
        return dict(value) if isinstance(value, Mapping) else {}

    def origin(self, key: str) -> str:
        """Who said so: a file, a variable, an option, a plugin, or `default`."""
        return self._origins.get(tuple(key.split(".")), "default")

    def items(self) -> Iterator[tuple[str, Any, str]]:
        """Key, value and origin of everything that is set, sorted by key."""
        for path, value in sorted(_leaves(self.data)):
            yield ".".join(path), value, self._origins.get(path, "default")

    def structure(self, cls: type[T], key: str) -> T:
        """The section at `key` as an instance of the attrs class `cls`. Raises ConfigError with everything that is wrong there."""
        if not self.section(key):
            try:
                return cls()
            except TypeError:  # a setting without a default: say which
                pass
        from .structure import structure

        above = tuple(key.split("."))
        texts = {path[len(above) :]: text for path, text in self._texts.items() if path[: len(above)] == above}
        instance, problems = structure(cls, self.section(key), texts)
        if problems:
            raise _refusal([problem._replace(path=above + problem.path) for problem in problems], self._origins)
        for path, text in texts.items():
            # text it is, now that the owner of the section has said so: it travels to tasks that way
            if path and _reach(instance, path) == text:
                cast("dict[str, Any]", self.get(".".join((*above, *path[:-1]))))[path[-1]] = text
        return cast(T, instance)


def load_config(
    *,
    project: str | None,
    options: Sequence[str] = (),
    profile: str | None = None,
    environ: Mapping[str, str] = os.environ,
    defaults: Mapping[str, Mapping[str, Any]] | None = None,
) -> Config:
    """Read all layers. `project` is the project folder (None: no project, paths start here), `defaults` the plugins' by plugin name.

    Raises ConfigError that lists all problems: unreadable files, unknown keys with the nearest name, values of a wrong type.
    """
    profile = profile or environ.get("HEADRACE_PROFILE") or None
    folder = os.path.abspath(project or ".")
    files = [(file, read(file)) for file in (user_file(environ), project_file(folder) if project else "") if file]
    profiles = [(file, tables.pop("profile", {})) for file, tables in files]
    if profile is not None and not any(profile in tables for _, tables in profiles):
        raise _no_profile(profile, sorted({name for _, tables in profiles for name in tables}), files)

    merged: dict[Path, Any] = {tuple(name.split(".")): copy(key.default) for name, key in KEYS.items()}
    origins: dict[Path, str] = {}
    texts: dict[Path, str] = {}
    problems: list[Problem] = []

    def lay(tree: Mapping[str, Any], origin: str, text: str | None = None) -> None:
        for path, value in _leaves(tree):
            if value == {} and any(known[: len(path)] == path for known in merged):
                continue
            for known in [known for known in merged if known[: len(path)] == path[: len(known)]]:
                for table in (merged, origins, texts):
                    table.pop(known, None)
            merged[path], origins[path] = value, origin
            if text is not None:
                texts[path] = text

    for name, tree in sorted((defaults or {}).items()):
        _check_defaults(name, tree)
        lay(tree, f"plugin {name}")
    for file, tree in files:
        lay(tree, file)
    for file, tables in profiles:
        lay(tables.get(profile, {}), f"{file} [profile.{profile}]")
    for variable in sorted(environ):
        if variable.startswith("HEADRACE_") and "__" in variable and not variable.startswith(_NO_CONFIG):
            words = variable[len("HEADRACE_") :].lower().split("__")
            lay(_nest([(tuple(words), typed(environ[variable]))]), variable, environ[variable])
    for option in options:
        key, equals, text = option.partition("=")
        if not equals or not key.strip():
            raise ConfigError(f"-o {option}: write -o KEY=VALUE.", code="config-option")
        lay(_nest([(tuple(key.strip().split(".")), typed(text))]), f"-o {key.strip()}", text)

    for path in origins:
        problems += _check(path, merged, texts)
    if problems:
        raise _refusal(problems, origins)
    return Config(_nest(merged.items()), folder, profile=profile, origins=origins, texts=texts)


def _leaves(tree: Mapping[str, Any], above: Path = ()) -> Iterator[tuple[Path, Any]]:
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, (*above, key))
        else:
            yield (*above, key), value


def _reach(value: Any, path: Path) -> Any:
    """What is at a path of fields and keys below a structured value."""
    for word in path:
        value = value.get(word) if isinstance(value, Mapping) else getattr(value, word, None)
    return value


def _nest(items: Any) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path, value in items:
        table = tree
        for word in path[:-1]:
            table = table.setdefault(word, {})
        table[path[-1]] = value
    return tree


def _check(path: Path, merged: dict[Path, Any], texts: Mapping[Path, str]) -> list[Problem]:
    """What is wrong with one value that somebody set; a kernel key is brought to its type on the way."""
    from .structure import Problem, fit, unknown

    value, name = merged[path], ".".join(path)
    if not is_json(value):
        return [Problem(path, f"has to be text, a number, a truth value, a list or a table, not {value!r}", "Put it in quotes.")]
    key = KEYS.get(name)
    if key is not None:
        text = texts.get(path)
        merged[path], problems = fit(value, key.type, {} if text is None else {(): text})
        if not problems and key.minimum is not None and value < key.minimum:
            problems = [Problem((), f"has to be at least {key.minimum}, not {value!r}")]
        return [problem._replace(path=path) for problem in problems]
    if path[:2] == ("plugins", "prefer") and len(path) == 4:
        return [problem._replace(path=path) for problem in fit(value, str)[1]]
    if path[0] in SECTIONS and (len(path) > 2 or value == {}):
        return []
    beside = [known for known in KEYS if known.startswith(f"{path[0]}.")]
    tables = {*SECTIONS, *(known.partition(".")[0] for known in KEYS)}
    found = unknown((name,), beside) if beside else unknown(path[:1], tables)
    hint = f" A plugin's own keys go below its name: [{path[0]}.NAME]." if path[0] in SECTIONS else ""
    return [found._replace(path=path, remedy=found.remedy + hint)]


def _check_defaults(plugin: str, tree: Mapping[str, Any]) -> None:
    if "plugins" in tree or "profile" in tree:
        raise ConfigError(
            f"The plugin {plugin!r} sets defaults for [plugins] or [profile], which decide what is loaded before it is asked.",
            remedy="Set them in headrace.toml or in the user's file.",
        )


def _no_profile(profile: str, names: list[str], files: list[tuple[str, Any]]) -> ConfigError:
    from .structure import unknown

    where = ", ".join(file for file, _ in files) or "no configuration file"
    return ConfigError(f"There is no profile {profile!r} (read: {where}).", code="config-profile", remedy=unknown((profile,), names).remedy)


def _refusal(problems: Sequence[Problem], origins: Mapping[Path, str]) -> ConfigError:
    lines = []
    for problem in problems:
        origin = next((origins[problem.path[:n]] for n in range(len(problem.path), 0, -1) if problem.path[:n] in origins), "")
        said = f" ({origin})" if origin else ""
        lines.append(f"{'.'.join(problem.path)} {problem.message}{said}. {problem.remedy}".rstrip())
    if len(lines) == 1:
        return ConfigError(f"Configuration: {lines[0]}")
    return ConfigError("\n".join([f"The configuration has {len(lines)} problems:", *(f"  - {line}" for line in lines)]))
