"""A project: its configuration, its plugins, and the stores that these two name, each opened on first use. Knows no flow class."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from .host.index import Index, freeze, open_index
from .host.manager import GROUP as HOOKS
from .host.manager import PluginManager, say_on_stderr
from .host.registry import Registry
from .plan.config import Config, load_config
from .plan.files import find_project

if TYPE_CHECKING:
    from headrace_hookspecs.datastore import BlobStore
    from headrace_hookspecs.environments import Environment
    from headrace_hookspecs.launcher import Launcher
    from headrace_hookspecs.metadata import MetadataStore
    from headrace_hookspecs.orchestrator import Orchestrator

    from .store.facts import RunStore
    from .store.leases import ObjectLeases
    from .store.serializers import SerializerSet


def open_project(
    start: str | None,
    *,
    options: Sequence[str] = (),
    profile: str | None = None,
    environ: Mapping[str, str] | None = None,
    flow: str = "",
) -> Project:
    """The project that the folder `start` (default: the current one) belongs to. Opens no store.

    `options` are `KEY=VALUE` as after `-o`, `flow` names the flow that is worked with, `environ` stands for `os.environ`. Raises ConfigError
    and, for a required plugin that is missing or broken, PluginError.
    """
    env = os.environ if environ is None else environ
    folder = find_project(start or os.getcwd())
    config = load_config(project=folder, options=options, profile=profile, environ=env)
    project = Project(config, open_index(folder, env.get("HEADRACE_PLUGIN_LOCK") or config.get("plugins.lock")), flow=flow, environ=env)
    if project.registry.names(HOOKS) or config.get("plugins.required"):
        manager = PluginManager(project.registry, config, ("author", "scheduler"), say=project.say, environ=env)
        if manager.implements("headrace_config_defaults"):
            from headrace_hookspecs.hooks import ConfigDefaultsRequest

            defaults = manager.config_defaults(ConfigDefaultsRequest(folder, config.profile, env))
            project.config = load_config(project=folder, options=options, profile=profile, environ=env, defaults=defaults)
    return project


def restore_project(
    portable: Mapping[str, Any], *, environ: Mapping[str, str] | None = None, flow: str = "", blobs: BlobStore | None = None
) -> Project:
    """The project as another process resolved it (`Project.portable`): no file, variable or option is read again.

    `blobs` is its datastore, where that is open already.
    """
    config = Config(portable["config"], portable["project"])
    project = Project(
        config, open_index(config.project, portable.get("lock")), flow=flow, environ=os.environ if environ is None else environ
    )
    project.probed, project._blobs = portable.get("probed"), blobs
    return project


class Project:
    """What commands, runs and tasks work with. Stores are opened once; `close` lets go of them."""

    def __init__(self, config: Config, index: Index, *, flow: str = "", environ: Mapping[str, str] = os.environ) -> None:
        self.config = config
        self.registry: Final = Registry(index, config.get("plugins.disable", ()), config.get("plugins.prefer"))
        self._flow: Final = flow
        self._environ: Final = environ
        self._said: Final[set[str]] = set()
        self._managers: Final[dict[tuple[str, ...], PluginManager]] = {}
        self.probed: Mapping[str, Any] | None = None
        """What the datastore's `probe` found out, here or in the process that this one was started by."""
        self._blobs: BlobStore | None = None
        self._metadata: MetadataStore | None = None
        self._serializers: SerializerSet | None = None

    def say(self, line: str) -> None:
        """Tell the user something, once."""
        if line not in self._said:
            self._said.add(line)
            say_on_stderr(line)

    def manager(self, process: str | Collection[str]) -> PluginManager:
        """The hooks of all plugins that live in `process` (`author`, `scheduler`, `task`), the chosen providers' included."""
        key = (process,) if isinstance(process, str) else tuple(sorted(process))
        if key not in self._managers:
            manager = PluginManager(self.registry, self.config, key, say=self.say, environ=self._environ)
            for kind in ("datastore",) if key == ("task",) else ("datastore", "metadata", "launcher"):
                name = str(self.config.get(f"{kind}.name"))
                manager.register(self.registry.load(f"headrace.{kind}", name), f"{kind}.{name}")
            self._managers[key] = manager
        return self._managers[key]

    @property
    def blobs(self) -> BlobStore:
        """The datastore that the configuration names."""
        if self._blobs is None:
            self._blobs = self._create("datastore", str(self.config.get("datastore.name")))
            if self.probed is not None:
                self.probe(self.probed)
        return self._blobs

    def probe(self, known: Mapping[str, Any] | None = None) -> None:
        """Make the datastore's capabilities final: ask the service, unless `known` says what it answered somewhere else."""
        from headrace_hookspecs.capabilities import Capability

        ask = getattr(self.blobs, "probe", None)
        self.probed = {} if ask is None else ask(known)
        if known is None and Capability.CONDITIONAL_PUT not in self.blobs.capabilities:
            self.say(f"datastore: {self.blobs.location} ignores conditional writes, so the scheduler alone writes what tasks commit")

    @property
    def metadata(self) -> MetadataStore:
        """The metadata store that the configuration names."""
        if self._metadata is None:
            self._metadata = self._create("metadata", str(self.config.get("metadata.name")))
        return self._metadata

    @property
    def leases(self) -> MetadataStore | ObjectLeases:
        """Who keeps the leases of runs: whatever all contenders see, which is the datastore where only that is shared."""
        from headrace_hookspecs.capabilities import Capability

        # without conditional writes it is a weak one, yet everybody sees it
        if Capability.SHARED in self.blobs.capabilities and not {Capability.SHARED, Capability.LEASES} <= self.metadata.capabilities:
            from .store.leases import ObjectLeases

            return ObjectLeases(self.blobs)
        return self.metadata

    @property
    def serializers(self) -> SerializerSet:
        """All serializers that may be used."""
        if self._serializers is None:
            from .store.serializers import SerializerSet

            self._serializers = SerializerSet(self.registry, self.config)
        return self._serializers

    def launcher(self, name: str) -> Launcher:
        """A new launcher, for one run."""
        launcher: Launcher = self._create("launcher", name)
        return launcher

    def orchestrator(self, name: str) -> Orchestrator:
        """The provider of that name."""
        engine: Orchestrator = self._create("orchestrator", name)
        return engine

    def environment(self, name: str) -> Environment:
        """The provider of that name."""
        environment: Environment = self._create("environment", name)
        return environment

    def run_store(self, flow: str, run: str, *, reuse: Any = None) -> RunStore:
        """The part of the datastore that belongs to one run."""
        from .store.facts import RunStore

        return RunStore(self.blobs, flow, run, reuse=reuse)

    def latest_run(self, flow: str) -> str | None:
        """The id of the flow's newest run: what the index says, else what the datastore holds; None if it never ran."""
        from headrace_hookspecs.ids import check_id
        from headrace_hookspecs.metadata import Query

        from .store.facts import runs

        facts = self.metadata.find(Query(kind="run", flow=check_id("flow", flow)), limit=1).facts
        if facts:
            return facts[0].run
        return next(iter(runs(self.blobs, flow)), None)

    def plugin_lock(self) -> list[dict[str, str]]:
        """What is installed, as a run record keeps it: group, name, target, distribution and version of each entry point."""
        lock: list[dict[str, str]] = freeze(self.registry.index)["plugins"]
        return lock

    def portable(self) -> dict[str, Any]:
        """The project as JSON for another process: resolved configuration, without secrets."""
        return {"project": self.config.project, "config": self.config.data, "lock": self.registry.index.lock or None, "probed": self.probed}

    def close(self) -> None:
        """Close the stores that were opened and let the observers finish."""
        for manager in self._managers.values():
            manager.close()
        for store in (self._metadata, self._blobs):
            if store is not None:
                store.close()
        self._managers.clear()
        self._blobs = self._metadata = None

    def _create(self, kind: str, name: str) -> Any:
        from .store.open import create

        return create(f"headrace.{kind}", name, f"{kind}.{name}", self.registry, self.config, flow=self._flow, say=self.say)
