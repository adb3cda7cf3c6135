from pathlib import Path

import pytest

from headrace_client import Runner
from headrace_hookspecs.errors import FlowFileError, GraphError, HeadraceError, ParameterError, UsageError


def test_a_run_is_handed_back_with_what_its_tasks_printed(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with Runner(shop / "shop.py").run(items=["salt"]) as result:
        assert (result.status, result.returncode, result.failed_task) == ("successful", 0, None)
        assert result.stdout.splitlines()[0] == "opening"
        assert "pricing salt\n" in result.stderr
        shown = capfd.readouterr()
        assert (shown.out, shown.err) == (result.stdout, result.stderr)
        assert result.run["price"].task is not None
        assert result.run["price"].task.data.cost == 4.0


def test_a_run_that_fails_is_a_result(shop: Path) -> None:
    with Runner(shop / "shop.py", show_output=False).run(break_at=0) as result:
        assert (result.status, result.returncode, result.state) == ("failed", 1, "failed")
        assert result.failed_task == f"{result.run.pathspec}/price/0"
    assert "ValueError: no price for tea" in result.stderr


def test_a_run_that_cannot_start_is_the_error_that_it_is(shop: Path, tmp_path: Path) -> None:
    runner = Runner(shop / "shop.py", show_output=False)

    with pytest.raises(ParameterError) as unknown:
        runner.run(itmes=[])
    assert (unknown.value.code, unknown.value.remedy) == ("parameter-unknown", "Did you mean items?")

    with pytest.raises(FlowFileError) as missing:
        Runner(tmp_path / "none.py").run()
    assert missing.value.code == "flow-file-missing"

    (shop / "broken.py").write_text((shop / "shop.py").read_text().replace("self.next(self.end)", "self.next(self.nowhere)"))
    with pytest.raises(GraphError) as invalid:
        Runner(shop / "broken.py").run()
    assert invalid.value.code.startswith("lint-")
    assert (invalid.value.file, invalid.value.step) == (str(shop / "broken.py"), "close")

    with pytest.raises(UsageError) as text:
        runner.run(tags="nightly")
    assert text.value.code == "runner-argument"


def test_a_process_that_dies_is_reported_with_what_it_said(tmp_path: Path) -> None:
    (tmp_path / "dying.py").write_text("import os, sys\nsys.stderr.write('last words\\n')\nsys.stderr.flush()\nos._exit(7)\n")

    with pytest.raises(HeadraceError) as caught:
        Runner(tmp_path / "dying.py", show_output=False).run()
    assert caught.value.code == "runner-died"
    assert "status 7" in caught.value.message
    assert "last words" in caught.value.message


def test_folder_environment_and_configuration_are_the_callers_to_choose(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "where.py").write_text(
        "import os\nfrom headrace import FlowSpec, step\n"
        "class WhereFlow(FlowSpec):\n"
        "    @step\n    def start(self):\n        self.cwd = os.getcwd()\n        self.mood = os.environ['MOOD']\n        self.next(self.end)\n"
        "    @step\n    def end(self):\n        pass\n"
    )
    for name in ("store", "work"):
        (tmp_path / name).mkdir()
    runner = Runner(
        tmp_path / "where.py",
        show_output=False,
        directory=tmp_path / "store",
        cwd=tmp_path / "work",
        env={"MOOD": "good"},
        options=["launcher.name=spawn"],
    )

    with runner.run() as result:
        assert result.run.data is not None
        assert (result.run.data.cwd, result.run.data.mood) == (str(tmp_path / "work"), "good")
        assert result.run.record["config"]["launcher"]["name"] == "spawn"
    assert (tmp_path / "store" / ".headrace").is_dir()
    assert not (tmp_path / ".headrace").exists()


def test_a_module_is_run_by_its_name(shop: Path) -> None:
    result = Runner("shop:ShopFlow", module=True, show_output=False, cwd=shop).run()

    assert result.status == "successful"
