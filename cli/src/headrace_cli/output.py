"""How data and talk are printed: colours only where somebody looks, columns, JSON, ages. Knows nothing of flows."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import IO, Any, Final, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_CODES: Final = {"bold": "1", "dim": "2", "red": "1;31", "green": "32", "yellow": "33", "cyan": "36"}


def coloured(stream: IO[str]) -> bool:
    """Whether `stream` is a terminal whose user wants colours."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, style: str, stream: IO[str]) -> str:
    """`text` in a style (bold, dim, red, green, yellow, cyan), unchanged where `stream` shows no colours."""
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if coloured(stream) else text


def silence(stream: IO[str]) -> None:
    """Whoever read `stream` has gone: what is still written to it goes nowhere from now on, and is no error."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def put(stream: IO[str], text: str) -> None:
    """Write at once. A reader that has gone does not stop what is being told."""
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        silence(stream)


def emit(data: Any) -> None:
    """Print one JSON document on standard output."""
    import json

    click.echo(json.dumps(data, indent=2, ensure_ascii=False, default=str))


def emit_line(data: Any) -> None:
    """Print one line of a JSON stream on standard output, at once."""
    import json

    click.echo(json.dumps(data, ensure_ascii=False, default=str))


def table(rows: Sequence[Sequence[str]], header: Sequence[str]) -> str:
    """`rows` under `header` in columns two spaces apart; the last column is as long as it likes."""
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in (header, *rows)]
    return "\n".join(lines)


def age(seconds: float) -> str:
    """A duration in its two largest units: `42s`, `3m 10s`, `5h 2m`, `12d 4h`."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60}s"
    if whole < 86400:
        return f"{whole // 3600}h {whole % 3600 // 60}m"
    return f"{whole // 86400}d {whole % 86400 // 3600}h"


def size(count: int) -> str:
    """Bytes for people: `812 B`, `4.2 KiB`, `1.0 GiB`."""
    value, unit = float(count), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if value < 1024:
            break
        value, unit = value / 1024, larger
    return f"{count} B" if unit == "B" else f"{value:.1f} {unit}"


def file_count(files: Sequence[Any]) -> str:
    """`3 files, 4.2 KiB`. Each has a `size` in bytes."""
    return f"{len(files)} file{'' if len(files) == 1 else 's'}, {size(sum(file.size for file in files))}"


def json_option(function: F) -> F:
    """Add `--json` to a command that prints data."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON on standard output.")(function)
