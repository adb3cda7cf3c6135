"""What a command may do: the project that it is called in, opened on first use, and ways to print. Third-party commands get it as `ctx.obj`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from . import output

if TYPE_CHECKING:
    from headrace.dsl.load import LoadedFlow
    from headrace.project import Project
    from headrace_client import Task
    from headrace_hookspecs import BlobStore, Fact, MetadataStore


class CliSession:
    """Implements `headrace_hookspecs.Session`.

    `directory`, `options` and `profile` are what the command line says about the project; `flow` is the flow of `python FILE`, else None.
    """

    def __init__(self, flow: LoadedFlow | None = None) -> None:
        self.flow = flow
        self.directory: str | None = None
        self.options: tuple[str, ...] = ()
        self.profile: str | None = None
        self.quiet = False
        self._project: Project | None = None

    @property
    def project(self) -> Project:
        """The project, opened now if it was not yet: that of the flow file where there is one, else of the current folder."""
        if self._project is None:
            self._project = self.open(None if self.flow is None else self.flow)
        return self._project

    def open(self, flow: LoadedFlow | None = None) -> Project:
        """The project of `flow`, or of the folder that the command line names, or of the current folder."""
        from headrace.project import open_project

        start, name = self.directory, ""
        if flow is not None:
            name = flow.cls.__name__
            if start is None and flow.file is not None:
                start = os.path.dirname(os.path.abspath(flow.file))
        self._project = open_project(start, options=self.options, profile=self.profile, flow=name)
        return self._project

    def close(self) -> None:
        """Let go of the project."""
        if self._project is not None:
            self._project.close()
            self._project = None

    @property
    def config(self) -> Mapping[str, Any]:
        """The resolved configuration, without secrets."""
        data: Mapping[str, Any] = self.project.config.data
        return data

    @property
    def blobs(self) -> BlobStore:
        """The project's datastore."""
        return self.project.blobs

    @property
    def metadata(self) -> MetadataStore:
        """The project's index of facts and leases."""
        return self.project.metadata

    def references(self, flow: str, run: str) -> Iterator[str]:
        """The keys of everything that a run can reach in the datastore."""
        from headrace.store.reach import references

        return references(self.project.run_store(flow, run))

    def runs(self, flow: str) -> Iterator[Fact]:
        """The run facts of a flow, newest first."""
        from headrace_client import Flow

        return (run.fact for run in Flow(flow, project=self.project))

    def tasks(self, flow: str, run: str, step: str | None = None) -> Iterator[Task]:
        """The tasks of a run, in graph order."""
        from headrace_client import Run

        for each in Run(f"{flow}/{run}", project=self.project).steps():
            if step in (None, each.id):
                yield from each.tasks()

    def task(self, pathspec: str) -> Task:
        """One task by `Flow/run/step/task-id`. Raises NotFoundError."""
        from headrace_client import Task

        return Task(pathspec, project=self.project)

    def facts(self, flow: str, run: str) -> Iterator[Fact]:
        """Everything that is known of a run, oldest first."""
        from headrace_client import Run

        return iter(Run(f"{flow}/{run}", project=self.project).facts())

    def echo(self, text: str = "", *, err: bool = False) -> None:
        """Print a line."""
        click.echo(text, err=err)

    def talk(self, text: str) -> None:
        """Print a line of information on standard error, unless the user wants none."""
        if not self.quiet:
            click.echo(text, err=True)

    def emit(self, data: Any) -> None:
        """Print JSON, for `--json`."""
        output.emit(data)
