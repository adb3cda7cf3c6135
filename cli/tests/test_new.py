import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from headrace_cli.commands.new import command, names
from headrace_cli.session import CliSession
from headrace_hookspecs.errors import UsageError


@pytest.mark.parametrize(
    ("given", "module", "cls"),
    [
        ("churn", "churn", "ChurnFlow"),
        ("churn-model", "churn_model", "ChurnModelFlow"),
        ("ChurnFlow", "churn_flow", "ChurnFlow"),
        ("churn_model.py", "churn_model", "ChurnModelFlow"),
        ("HTTPLoad", "http_load", "HTTPLoadFlow"),
    ],
)
def test_a_name_becomes_a_module_and_a_class(given: str, module: str, cls: str) -> None:
    assert names(given) == (module, cls)


@pytest.mark.parametrize("given", ["", "2fast", "a/b", "class", "../up", "a$b"])
def test_a_name_that_can_be_neither_is_refused(given: str) -> None:
    with pytest.raises(UsageError) as caught:
        names(given)
    assert caught.value.code == "name-invalid"


def test_the_new_flow_runs_and_its_test_passes(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, ["my-churn", "--folder", str(tmp_path / "a folder")], obj=CliSession(), catch_exceptions=False)

    assert result.exit_code == 0
    assert sorted(path.name for path in (tmp_path / "a folder").iterdir()) == ["my_churn.py", "test_my_churn.py"]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tmp_path / "a folder")],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_nothing_is_overwritten_and_nothing_half_written(tmp_path: Path) -> None:
    (tmp_path / "test_churn.py").write_text("mine")

    result = CliRunner().invoke(command, ["churn", "--folder", str(tmp_path)], obj=CliSession())

    assert isinstance(result.exception, UsageError)
    assert result.exception.code == "file-exists"
    assert [path.name for path in tmp_path.iterdir()] == ["test_churn.py"]
    assert (tmp_path / "test_churn.py").read_text() == "mine"
