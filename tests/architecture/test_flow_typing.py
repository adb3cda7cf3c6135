"""What mypy makes of a flow file: the types of parameters and artifacts, and the mistakes that it finds before a run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FLOW = """
from __future__ import annotations

from typing import Any

from headrace import FlowSpec, Inputs, JSONType, Parameter, ParameterContext, current, step
from typing_extensions import reveal_type


def when(context: ParameterContext) -> str:
    return context.flow_name


def many(context: ParameterContext) -> int:
    return 3


class F(FlowSpec):
    alpha = Parameter("alpha", default=0.1)
    count = Parameter("count", default=3, help="how many")
    named = Parameter("named", default="x", required=True)
    switch = Parameter("switch", default=True)
    flag = Parameter("flag", is_flag=True)
    data = Parameter("data", type=JSONType, default={"a": 1})
    maybe = Parameter("maybe", type=int)
    must = Parameter("must", type=float, required=True)
    text = Parameter("text")
    must_text = Parameter("must-text", required=True, help="x")
    several = Parameter("several", type=int, multiple=True)
    several_of = Parameter("several-of", default=[1, 2], multiple=True)
    words = Parameter("words", multiple=True)
    split = Parameter("split", default="a,b", separator=",")
    split_maybe = Parameter("split-maybe", separator=",")
    stamp = Parameter("stamp", default=when)
    late = Parameter("late", default=many, type=int)
    ratio = Parameter("ratio", default=1, type=float)
    place = Parameter("place", 3, int)
    place_json = Parameter("place-json", 3, JSONType)

    @step
    def start(self) -> None:
        reveal_type(self.alpha)  # float
        reveal_type(self.count)  # int
        reveal_type(self.named)  # str
        reveal_type(self.switch)  # bool
        reveal_type(self.flag)  # bool
        reveal_type(self.data)  # Any
        reveal_type(self.maybe)  # int | None
        reveal_type(self.must)  # float
        reveal_type(self.text)  # str | None
        reveal_type(self.must_text)  # str
        reveal_type(self.several)  # tuple[int, ...]
        reveal_type(self.several_of)  # tuple[int, ...]
        reveal_type(self.words)  # tuple[str, ...]
        reveal_type(self.split)  # list[str]
        reveal_type(self.split_maybe)  # list[str] | None
        reveal_type(self.stamp)  # str
        reveal_type(self.late)  # int
        reveal_type(self.ratio)  # float
        reveal_type(self.place)  # int
        reveal_type(self.place_json)  # Any
        reveal_type(self.index)  # int | None
        reveal_type(self.input)  # Any
        reveal_type(self.from_before)  # Any
        self.items = [1, 2, 3]
        print(current.run_id)
        self.next(self.work, foreach="items")

    @step
    def work(self) -> None:
        self.out = self.input * 2 + self.anything
        self.next(self.join)

    @step
    def join(self, inputs: Inputs) -> None:
        self.total = sum(each.out for each in inputs) + inputs[0].out + inputs.work.out + len(inputs)
        self.merge_artifacts(inputs, exclude=["out"])
        self.next(self.choose)

    @step
    def choose(self) -> None:
        self.kind = "x"
        self.next({"x": self.end, "y": self.other}, condition="kind")

    @step
    def other(self) -> None:
        self.next(self.end)

    @step(end=True)
    def end(self) -> None:
        print(self.total)


if __name__ == "__main__":
    F()
"""

WRONG = """
from headrace import FlowSpec, Parameter, Paramter, step

class F(FlowSpec):
    alpha = Parameter("alpha", default=0.1)

    @step(begin=True)
    def start(self) -> None:
        self.alpha = 0.2
        self.next("end")
        self.next(self.end, each="x")
        print(self.alpha.upper())

    @step
    def end(self) -> None: ...
"""


def checked(text: str, folder: Path) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """(line, type) of what is revealed and (line, code) of the errors, as mypy --strict sees the text."""
    api = pytest.importorskip("mypy.api")
    path = folder / "flow.py"
    path.write_text(text)
    output, problems, _ = api.run(
        ["--strict", "--config-file=", "--cache-dir", str(folder / "cache"), "--follow-imports=silent", str(path)]
    )
    assert not problems
    revealed = re.findall(r'^\S+?:(\d+): note: Revealed type is "(.*)"$', output, re.MULTILINE)
    errors = re.findall(r"^\S+?:(\d+): error: .*\[(\S+)\]$", output, re.MULTILINE)
    return [(int(line), kind) for line, kind in revealed], [(int(line), code) for line, code in errors]


@pytest.mark.long
def test_parameters_have_the_type_of_their_value_and_artifacts_any(tmp_path: Path) -> None:
    revealed, errors = checked(FLOW, tmp_path)
    wanted = [(number, line.split("# ")[1]) for number, line in enumerate(FLOW.splitlines(), start=1) if "reveal_type(" in line]
    assert sorted(errors) == []
    assert revealed == wanted


@pytest.mark.long
def test_mistakes_are_found_before_a_run(tmp_path: Path) -> None:
    _, errors = checked(WRONG, tmp_path)
    assert sorted(errors) == [
        (2, "attr-defined"),
        (7, "call-overload"),
        (7, "untyped-decorator"),
        (9, "assignment"),
        (10, "arg-type"),
        (11, "call-arg"),
        (12, "attr-defined"),
    ]
