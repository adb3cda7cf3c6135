from pathlib import Path

import click
import pytest

from headrace_cli.target import Target, find_target, static_parameters

OPTIONS = [
    click.Option(["--tag"], multiple=True),
    click.Option(["--json"], is_flag=True),
    click.Option(["-o", "--option"]),
    click.Option(["-q", "--quiet"], is_flag=True),
]


@pytest.mark.parametrize(
    ("args", "target"),
    [
        ("f.py", Target("f.py")),
        ("f.py:Train --alpha 1", Target("f.py:Train")),
        ("--tag a f.py", Target("f.py")),
        ("--tag=a --json f.py --alpha x.py", Target("f.py")),
        ("-o k=v f.py", Target("f.py")),
        ("-ok=v f.py", Target("f.py")),
        ("-q f.py", Target("f.py")),
        ("--alpha 0.5 f.py", Target("f.py")),
        ("--alpha=0.5 f.py", Target("f.py")),
        ("--flag f.py", Target("f.py")),
        ("--help f.py", Target("f.py")),
        ("-m pkg.flows:Train --alpha 1", Target("pkg.flows:Train", module=True)),
        ("--tag a -mpkg.flows", Target("pkg.flows", module=True)),
        ("-- f.py", Target("f.py")),
        ("--json", None),
        ("--tag", None),
        ("-m", None),
        ("--", None),
        ("", None),
    ],
)
def test_the_flow_is_found_wherever_it_stands(args: str, target: Target | None) -> None:
    assert find_target(OPTIONS, args.split()) == target


def test_names_of_parameters_are_read_without_running_the_file(tmp_path: Path) -> None:
    file = tmp_path / "f.py"
    file.write_text(
        "from headrace import FlowSpec, Parameter\nimport headrace\n"
        "raise SystemExit('ran')\n"
        "class F(FlowSpec):\n"
        "    a = Parameter('alpha', default=1)\n"
        "    b = headrace.Parameter('be-ta')\n"
        "    c = Parameter(name)\n"
        "    d = dict('delta')\n"
    )

    assert static_parameters(Target(str(file))) == ["alpha", "be-ta"]
    assert static_parameters(Target(f"{file}:F")) == ["alpha", "be-ta"]
    assert static_parameters(Target(str(tmp_path / "missing.py"))) == []
    assert static_parameters(Target("pkg", module=True)) == []
