"""`flow new`: a small flow that runs, and a test of it that passes."""

from __future__ import annotations

import os
import re
from typing import Final

import click

from ..session import CliSession

_FLOW: Final = '''\
"""{title}"""

from headrace import FlowSpec, Parameter, step


class {cls}(FlowSpec):
    """Greets somebody, once a word."""

    name = Parameter("name", default="world", help="Whom to greet.")

    @step
    def start(self) -> None:
        """Whatever is assigned to self is kept, and is there in the steps that follow."""
        self.words = ["hello", str(self.name)]
        self.next(self.shout, foreach="words")

    @step
    def shout(self) -> None:
        """Runs once for each word, side by side."""
        self.loud = str(self.input).upper()
        self.next(self.join)

    @step
    def join(self, inputs) -> None:  # type: ignore[no-untyped-def]
        """Brings the branches together, in their order."""
        self.greeting = ", ".join(task.loud for task in inputs) + "!"
        self.next(self.end)

    @step
    def end(self) -> None:
        """The last step."""
        print(self.greeting)


if __name__ == "__main__":
    {cls}()
'''

_TEST: Final = """\
from pathlib import Path

from headrace import Runner

FLOW = Path(__file__).with_name("{module}.py")


def test_greets_by_name(tmp_path: Path) -> None:
    with Runner(FLOW, directory=tmp_path).run(name="test") as result:
        assert result.status == "successful", result.stderr
        assert result.run.data.greeting == "HELLO, TEST!"
"""


@click.command(
    "new",
    short_help="Start a flow, with its test.",
    help="""Write NAME.py, a small flow that runs, and test_NAME.py, its test.

\b
Examples:
  flow new churn
  flow new churn --folder flows
""",
)
@click.argument("name")
@click.option("--folder", metavar="DIR", default=".", type=click.Path(file_okay=False), help="The folder to write to, made if absent.")
@click.pass_obj
def command(session: CliSession, name: str, folder: str) -> None:
    """Scaffold; never overwrites."""
    module, cls = names(name)
    files = {f"{module}.py": _FLOW, f"test_{module}.py": _TEST}
    title = f"{cls}: say here what the flow is for."
    write({os.path.join(folder, file): text.format(cls=cls, module=module, title=title) for file, text in files.items()})
    flow = os.path.join(folder, f"{module}.py")
    session.echo(f"Wrote {flow} and {os.path.join(folder, f'test_{module}.py')}.")
    session.echo(f"\n  flow run {flow}\n  python -m pytest {folder}")


def names(name: str) -> tuple[str, str]:
    """The module and the class for what the user called the flow: `churn-model` is `churn_model` and `ChurnModelFlow`.

    Raises UsageError for what can be neither.
    """
    import keyword

    from headrace_hookspecs.errors import UsageError

    words = re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", re.sub(r"\.py$", "", name))
    module = "_".join(word.lower() for word in words)
    if not module.isidentifier() or keyword.iskeyword(module) or re.search(r"[^\w. -]", name):
        raise UsageError(f"{name!r} cannot be the name of a flow.", remedy="Use letters, digits, '-' and '_'.", code="name-invalid")
    cls = "".join(word[:1].upper() + word[1:] for word in words)
    return module, cls if cls.endswith("Flow") else f"{cls}Flow"


def write(files: dict[str, str]) -> None:
    """Write all files or, if one of them is there already, none. Raises UsageError."""
    from headrace_hookspecs.errors import UsageError

    for path in files:
        if os.path.lexists(path):
            raise UsageError(f"{path} exists already.", remedy="Choose another name, or another folder with --folder.", code="file-exists")
    for path, text in files.items():
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(path, "x", encoding="utf-8") as file:
            file.write(text)
