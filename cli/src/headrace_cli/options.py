"""Options that several commands share, worded once. They may stand before and after the command's name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from .session import CliSession

T = TypeVar("T", bound=Callable[..., Any])


def _session(ctx: click.Context) -> CliSession | None:
    return ctx.find_object(CliSession)


def _options(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> None:
    session = _session(ctx)
    if session is not None:
        session.options += tuple(value)


def _profile(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    session = _session(ctx)
    if session is not None and value is not None:
        session.profile = value


def _directory(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    session = _session(ctx)
    if session is not None and value is not None:
        session.directory = value


def _quiet(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    session = _session(ctx)
    if session is not None and value:
        session.quiet = True


def project_options(command: T) -> T:
    """`-o KEY=VALUE`, `--profile`, `--directory` and `-q`: which project a command works in, how it is configured, how much is said.

    They end up in the session."""
    for option in (
        click.option(
            "--directory",
            metavar="DIR",
            type=click.Path(exists=True, file_okay=False),
            expose_value=False,
            callback=_directory,
            help="Look for the project from DIR instead of the current folder (or the flow file's).",
        ),
        click.option("-q", "--quiet", is_flag=True, expose_value=False, callback=_quiet, help="Say nothing on standard error but errors."),
        click.option(
            "--profile",
            metavar="NAME",
            expose_value=False,
            callback=_profile,
            help="Use the profile NAME of the project file.",
        ),
        click.option(
            "-o",
            "--option",
            metavar="KEY=VALUE",
            multiple=True,
            expose_value=False,
            callback=_options,
            help="Set one configuration value, such as -o launcher.name=inline. May be repeated.",
        ),
    ):
        command = option(command)
    return command


def run_options(command: T) -> T:
    """What `run` and `resume` have in common."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print events as JSON lines on standard output, the result as the last."),
        click.option(
            "--run-id-file", metavar="FILE", type=click.Path(dir_okay=False), help="Write the run's id to FILE as soon as it is known."
        ),
        click.option("--tag", "tags", metavar="TAG", multiple=True, help="Give the run a tag. May be repeated."),
        click.option("--max-num-splits", metavar="N", type=click.IntRange(min=1), help="Let no foreach have more than N children."),
        click.option("--max-workers", metavar="N", type=click.IntRange(min=1), help="Run at most N tasks at a time."),
        click.option(
            "--with",
            "with_specs",
            metavar="NAME:K=V,…",
            multiple=True,
            help="Attach a decorator to every step, such as --with retry:times=2.",
        ),
    ):
        command = option(command)
    return command
