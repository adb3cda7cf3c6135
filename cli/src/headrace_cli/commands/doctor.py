"""`flow doctor`: checks that are worth a look when something does not work. Finds, does not mend."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from .. import output
from ..options import project_options
from ..session import CliSession

if TYPE_CHECKING:
    from headrace_hookspecs import Diagnostic


@click.command("doctor", short_help="Find out what is wrong with this installation.")
@click.option("--online", is_flag=True, help="Also ask remote services.")
@output.json_option
@project_options
@click.pass_obj
def command(session: CliSession, online: bool, as_json: bool) -> int:
    """Check Python, the configuration, the stores and every plugin. Exit status 1 if one of them cannot be used.

    \b
    Examples:
      flow doctor
      flow doctor --online
      flow doctor --json
    """
    found: list[Diagnostic] = []
    marks = {"error": ("x", "red"), "warning": ("!", "yellow"), "info": ("+", "green")}
    for diagnostic in _findings(session, online):
        found.append(diagnostic)
        if not as_json:
            mark, colour = marks[diagnostic.severity]
            session.echo(f"{output.paint(mark, colour, sys.stdout)} {diagnostic.message}")
            if diagnostic.remedy:
                session.echo(f"    {diagnostic.remedy}")
    if as_json:
        session.emit([{name: getattr(each, name) for name in ("severity", "code", "message", "remedy")} for each in found])
    return 1 if any(diagnostic.severity == "error" for diagnostic in found) else 0


def _findings(session: CliSession, online: bool) -> Iterator[Diagnostic]:
    from headrace_hookspecs import Diagnostic, DoctorRequest
    from headrace_hookspecs.errors import HeadraceError

    version = ".".join(map(str, sys.version_info[:3]))
    yield Diagnostic("info", f"Python {version} at {sys.executable}", code="doctor-python")
    try:
        project = session.project
    except HeadraceError as error:
        yield _problem(error)
        return
    yield Diagnostic("info", f"Project folder {project.config.project}", code="doctor-project")
    for check in (_datastore, _metadata, _plugins):
        try:
            yield from check(session)
        except HeadraceError as error:
            yield _problem(error)
    request = DoctorRequest(project.config.project, project.config.data, online)
    yield from project.manager("author").doctor(request)


def _problem(error: Exception) -> Diagnostic:
    from headrace_hookspecs import Diagnostic

    return Diagnostic(
        "error", str(getattr(error, "message", error)), code=getattr(error, "code", "error"), remedy=getattr(error, "remedy", None)
    )


def _datastore(session: CliSession) -> Iterable[Diagnostic]:
    """Write, read and delete one small blob."""
    import secrets

    from headrace_hookspecs import BlobRange, Diagnostic
    from headrace_hookspecs.errors import StoreError

    blobs, key, data = session.project.blobs, f"_doctor/{secrets.token_hex(8)}", os.urandom(32)
    blobs.put_many([(key, [data])])
    try:
        if list(blobs.get_many([BlobRange(key)])) != [data]:
            raise StoreError(f"The datastore at {blobs.location} gave back something else than was written.", code="store-inconsistent")
    finally:
        blobs.delete_many([key])
    yield Diagnostic(
        "info", f"Datastore {session.project.config.get('datastore.name')} at {blobs.location} can be written", code="doctor-datastore"
    )


def _metadata(session: CliSession) -> Iterable[Diagnostic]:
    """Take a lease and give it back."""
    import secrets
    import time

    from headrace_hookspecs import Diagnostic

    metadata = session.project.metadata
    lease = metadata.acquire(f"doctor/{secrets.token_hex(8)}", "doctor", 10.0, now=time.time())
    if lease is not None:
        metadata.release(lease)
    name = session.project.config.get("metadata.name")
    yield Diagnostic("info", f"Metadata store {name} at {metadata.location} can be written", code="doctor-metadata")


def _plugins(session: CliSession) -> Iterable[Diagnostic]:
    """Import every plugin that is not disabled."""
    from headrace_hookspecs import Diagnostic
    from headrace_hookspecs.errors import PluginError

    registry, good = session.project.registry, 0
    for group in sorted({entry.group for entry in registry.index.entries}):
        for name in registry.names(group):
            try:
                registry.load(group, name)
                good += 1
            except PluginError as error:
                yield _problem(error)
    yield Diagnostic("info", f"{good} plugins can be imported", code="doctor-plugins")
