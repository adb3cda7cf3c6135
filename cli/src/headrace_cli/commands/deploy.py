"""`flow deploy`: hand a flow to a production engine, or write what that engine would be given."""

from __future__ import annotations

import json
from typing import Any

import click

from .. import output
from ..flowcommand import FlowCommand, flow_argument, loaded_flow
from ..options import project_options
from ..parameters import CHOSEN
from ..session import CliSession


@click.command("deploy", cls=FlowCommand, takes_options=True, short_help="Hand a flow to a production engine.")
@flow_argument
@click.option("--to", "engine", metavar="ENGINE", required=True, help="The engine, such as argo.")
@click.option("--name", metavar="NAME", help="What the engine calls the flow (default: HelloFlow is hello-flow).")
@click.option("--image", metavar="IMAGE", help="Image of the tasks' containers, where a step names none (default: package.image).")
@click.option("--tag", "tags", metavar="TAG", multiple=True, help="Give every run of the deployment a tag. May be repeated.")
@click.option("--with", "with_specs", metavar="NAME:K=V,…", multiple=True, help="Attach a decorator to every step. May be repeated.")
@click.option("--dry-run", is_flag=True, help="Print the manifest and write nothing anywhere.")
@click.option(
    "--manifest",
    metavar="FILE",
    type=click.Path(dir_okay=False, allow_dash=True),
    help="Write the manifest to FILE (-: print it) and install nothing.",
)
@output.json_option
@project_options
@click.pass_context
def command(
    ctx: click.Context,
    engine: str,
    name: str | None,
    image: str | None,
    tags: tuple[str, ...],
    with_specs: tuple[str, ...],
    dry_run: bool,
    manifest: str | None,
    as_json: bool,
) -> int:
    """Compile a flow for an engine, keep its code package in the datastore, and install it.

    With --manifest everything is prepared and the manifest is yours to install; it is JSON, which kubectl reads as it reads YAML.

    \b
    Examples:
      flow deploy train.py --to argo --dry-run
      flow deploy train.py --to argo --image registry.example.com/train:7 --manifest - | kubectl apply -f -
      flow deploy train.py --to argo --manifest deploy/train.json --tag nightly
    """
    from headrace.deploy import deploy

    if dry_run and manifest is not None:
        raise click.UsageError("--dry-run writes nothing; leave out --manifest.")
    session = ctx.ensure_object(CliSession)
    loaded = loaded_flow(ctx)
    project = session.open(loaded)
    done = deploy(
        loaded,
        project,
        to=engine,
        name=name,
        image=image,
        with_specs=with_specs,
        flow_options=ctx.meta.get(CHOSEN, {}),
        tags=tags,
        upload=not dry_run,
    )
    text = json.dumps(done.manifest, indent=2, ensure_ascii=False) + "\n"
    if dry_run:
        click.echo(text, nl=False)
        return 0
    if manifest is not None:
        with click.open_file(manifest, "w", encoding="utf-8") as stream:
            stream.write(text)
        _tell(session, done, engine, "prepared" if manifest == "-" else f"manifest written to {manifest}", as_json and manifest != "-")
        return 0
    installed = project.orchestrator(engine).apply(done.manifest)
    _tell(session, done, engine, f"installed as {installed}", as_json)
    return 0


def _tell(session: CliSession, done: Any, engine: str, what: str, as_json: bool) -> None:
    deployment = done.deployment
    if as_json:
        data = {"name": deployment.name, "deployment": deployment.id, "engine": engine, "flow": deployment.graph.name}
        session.emit({**data, "package": deployment.package, "files": len(done.files), "image": deployment.image})
        return
    session.talk(f"{deployment.graph.name} for {engine}: {what}. Deployment {deployment.id}, package of {output.file_count(done.files)}.")
