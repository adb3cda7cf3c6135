"""`flow package`: which files would leave this machine with a flow, and the archive they would travel in."""

from __future__ import annotations

from typing import Any

import click

from .. import output
from ..flowcommand import FlowCommand, flow_argument, loaded_flow
from ..options import project_options
from ..session import CliSession


@click.group("package", short_help="Show or save the files that travel with a flow.")
def command() -> None:
    """Show or save the code package of a flow: the files of its project that match package.include and that no ignore file leaves out.

    `.gitignore` is honoured, and `.headraceignore` after it.

    \b
    Examples:
      flow package list train.py
      flow package save train.py --to train.tar.gz
    """


@command.command("list", cls=FlowCommand, short_help="List the files, write nothing.")
@flow_argument
@output.json_option
@project_options
@click.pass_context
def list_files(ctx: click.Context, as_json: bool) -> int:
    """List the files that would be packaged: size and path.

    \b
    Examples:
      flow package list train.py
      flow package list train.py -o 'package.include=["*.py", "models/*.json"]'
      flow package list train.py --json
    """
    session = ctx.ensure_object(CliSession)
    files, root = _files(ctx, session)
    if as_json:
        session.emit([{"path": file.path, "size": file.size, "sha256": file.digest, "executable": file.executable} for file in files])
        return 0
    if files:
        session.echo(output.table([(output.size(file.size), file.path) for file in files], ("SIZE", "PATH")))
    session.talk(f"{output.file_count(files)}, from {root}.")
    return 0


@command.command("save", cls=FlowCommand, short_help="Write the archive.")
@flow_argument
@click.option(
    "--to", "archive_file", metavar="ARCHIVE", required=True, type=click.Path(dir_okay=False), help="The file to write, a .tar.gz."
)
@project_options
@click.pass_context
def save(ctx: click.Context, archive_file: str) -> int:
    """Write the code package: the same files give the same bytes.

    \b
    Examples:
      flow package save train.py --to train.tar.gz
    """
    from headrace.deploy import archived
    from headrace_hookspecs.errors import UsageError

    session = ctx.ensure_object(CliSession)
    files, _ = _files(ctx, session)
    data = archived(files)
    try:
        with open(archive_file, "wb") as stream:
            stream.write(data)
    except OSError as error:
        raise UsageError(f"The archive cannot be written: {error.strerror}.", file=archive_file, code="package-unwritable") from error
    session.talk(f"{archive_file}: {output.file_count(files)}; {output.size(len(data))} packed.")
    return 0


def _files(ctx: click.Context, session: CliSession) -> tuple[list[Any], str]:
    from headrace.deploy import packaged

    loaded = loaded_flow(ctx)
    return packaged(loaded, session.open(loaded))
