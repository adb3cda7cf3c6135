import json
from pathlib import Path

from click.testing import CliRunner, Result

from headrace_cli.commands.tutorials import command
from headrace_cli.session import CliSession
from headrace_cli.tutorials import find_tutorials
from headrace_hookspecs.errors import NotFoundError, UsageError


def invoke(*args: str) -> Result:
    return CliRunner().invoke(command, args, obj=CliSession())


def test_the_three_tutorials_are_found() -> None:
    assert [tutorial.name for tutorial in find_tutorials()] == ["00-hello", "01-penguins", "02-parameters"]


def test_list_names_them_as_text_and_as_json() -> None:
    assert [line.split()[0] for line in invoke("list").output.splitlines()] == ["TUTORIAL", "00-hello", "01-penguins", "02-parameters"]
    assert [each["name"] for each in json.loads(invoke("list", "--json").output)] == ["00-hello", "01-penguins", "02-parameters"]
    assert invoke().output == invoke("list").output


def test_pull_copies_one_by_a_part_of_its_name_or_all(tmp_path: Path) -> None:
    assert invoke("pull", "hello", "--to", str(tmp_path / "one")).exit_code == 0
    assert (tmp_path / "one" / "00-hello" / "hello.py").is_file()

    assert invoke("pull", "--to", str(tmp_path / "all")).exit_code == 0
    assert sorted(path.name for path in (tmp_path / "all").iterdir()) == ["00-hello", "01-penguins", "02-parameters"]


def test_pull_never_overwrites(tmp_path: Path) -> None:
    (tmp_path / "01-penguins").mkdir()

    result = invoke("pull", "--to", str(tmp_path))

    assert isinstance(result.exception, UsageError)
    assert result.exception.code == "file-exists"
    assert [path.name for path in tmp_path.iterdir()] == ["01-penguins"]


def test_an_unknown_tutorial_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    result = invoke("pull", "titanic", "--to", str(tmp_path))

    assert isinstance(result.exception, NotFoundError)
    assert result.exception.code == "tutorial-unknown"
    assert "01-penguins" in str(result.exception.remedy)
