from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Optional, Union

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headrace.plan.structure import Problem, fit, structure


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@attrs.frozen
class Inner:
    size: int = 1


@attrs.frozen
class Settings:
    root: str
    cache: Path | None = None
    near: os.PathLike[str] | None = None
    limit: int | None = None
    rate: float = attrs.field(default=1.0)
    fast: bool = False
    names: tuple[str, ...] = ()
    pair: tuple[int, str] | None = None
    tags: frozenset[str] = frozenset()
    labels: Mapping[str, int] = attrs.field(factory=dict)
    mode: Literal["a", "b", 3] = "a"
    colour: Colour = Colour.RED
    inner: Inner = Inner()
    many: Sequence[Inner] = ()
    old: Optional[Union[int, str]] = None  # noqa: UP007, UP045 - the older spelling has to work as well
    even: int = attrs.field(default=0, converter=int)
    _hidden: int = 5
    computed: int = attrs.field(init=False, default=9)

    @rate.validator
    def _positive(self, attribute: Any, value: float) -> None:
        if value <= 0:
            raise ValueError(f"rate has to be above 0, not {value}")


def test_every_supported_type_is_built() -> None:
    values: dict[str, Any] = {
        "root": "r",
        "cache": "/tmp/x",
        "near": "/tmp/y",
        "limit": 3,
        "rate": 2,
        "fast": True,
        "names": ["a", "b"],
        "pair": [1, "x"],
        "tags": ["t", "t"],
        "labels": {"n": 1},
        "mode": 3,
        "colour": "blue",
        "inner": {"size": 4},
        "many": [{"size": 1}, {}],
        "old": "text",
        "even": "8",
        "hidden": 6,
    }
    expected = Settings(
        "r", Path("/tmp/x"), "/tmp/y", 3, 2.0, True, ("a", "b"), (1, "x"), frozenset({"t"}), {"n": 1}, 3, Colour.BLUE, Inner(4),
        [Inner(1), Inner()], "text", 8, 6,
    )  # fmt: skip
    built, problems = structure(Settings, values)
    assert (built, problems) == (expected, [])
    assert type(built.rate) is float
    assert structure(Settings, {"root": "r"}) == (Settings("r"), [])


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"limit": "3"}, Problem(("limit",), "has to be an integer, not '3'")),
        ({"limit": True}, Problem(("limit",), "has to be an integer, not True")),
        ({"limit": 3.0}, Problem(("limit",), "has to be an integer, not 3.0")),
        ({"rate": "2"}, Problem(("rate",), "has to be a number, not '2'")),
        ({"fast": "false"}, Problem(("fast",), "has to be true or false, not 'false'")),
        ({"fast": 0}, Problem(("fast",), "has to be true or false, not 0")),
        ({"root": 3}, Problem(("root",), "has to be text, not 3")),
        ({"root": None}, Problem(("root",), "has to be text, not None")),
        ({"cache": 3}, Problem(("cache",), "has to be a path, not 3")),
        ({"names": "ab"}, Problem(("names",), "has to be a list, not 'ab'")),
        ({"names": ["a", 1]}, Problem(("names", "1"), "has to be text, not 1")),
        ({"pair": [1]}, Problem(("pair",), "has to have 2 items, not 1")),
        ({"labels": {"n": "x"}}, Problem(("labels", "n"), "has to be an integer, not 'x'")),
        ({"labels": []}, Problem(("labels",), "has to be a table, not []")),
        ({"mode": "c"}, Problem(("mode",), "has to be 'a' or 'b' or 3, not 'c'")),
        ({"mode": True}, Problem(("mode",), "has to be 'a' or 'b' or 3, not True")),
        ({"colour": "green"}, Problem(("colour",), "has to be 'red' or 'blue', not 'green'")),
        ({"inner": 3}, Problem(("inner",), "has to be a table, not 3")),
        ({"inner": {"size": "x"}}, Problem(("inner", "size"), "has to be an integer, not 'x'")),
        ({"inner": {"sise": 2}}, Problem(("inner", "sise"), "is unknown", "Did you mean 'size'? Known: size.")),
        ({"many": [{}, {"size": None}]}, Problem(("many", "1", "size"), "has to be an integer, not None")),
        ({"old": 1.5}, Problem(("old",), "has to be an integer or text, not 1.5")),
        ({"even": "x"}, Problem((), "invalid literal for int() with base 10: 'x'")),
        ({"rate": -1}, Problem((), "rate has to be above 0, not -1.0")),
        ({"computed": 1}, None),
        ({"_hidden": 1}, None),
    ],
)
def test_what_does_not_fit_is_one_problem_with_its_path(values: dict[str, Any], problem: Problem | None) -> None:
    built, problems = structure(Settings, {"root": "r", **values})
    assert built is None
    if problem is None:
        assert [(found.path, found.message) for found in problems] == [((*values,), "is unknown")]
    else:
        assert problems == [problem]


def test_all_problems_come_together() -> None:
    _, problems = structure(Settings, {"rooot": 1, "limit": "x", "fast": 1})
    assert [problem.path for problem in problems] == [("rooot",), ("limit",), ("fast",), ("root",)]
    assert problems[0].remedy.startswith("Did you mean 'root'? Known: cache, colour, ")
    assert problems[-1].message == "is missing"


def test_text_that_was_typed_stays_text_where_text_is_wanted() -> None:
    values = {"root": 1e5, "limit": 12, "cache": 7, "old": 7}
    texts = {("root",): "1e5", ("limit",): "12", ("cache",): "007", ("old",): "7"}
    assert structure(Settings, values, texts) == (Settings("1e5", limit=12, cache=Path("007"), old=7), [])


@pytest.mark.parametrize(
    ("value", "kind", "result"),
    [
        (3, int | float, 3),
        (3, float | int, 3),
        (3.5, float | int, 3.5),
        ("3", int | str, "3"),
        (None, str | None, None),
        (True, int | bool, True),
    ],
)
def test_a_union_takes_the_exact_type_first(value: Any, kind: Any, result: Any) -> None:
    found, problems = fit(value, kind)
    assert (found, type(found), problems) == (result, type(result), [])


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()


@given(SCALARS, st.sampled_from([bool, int, float, str, type(None)]))
@example(2**53 + 1, float)
@example(2**1023, float)
@example(-(10**400), float)
def test_a_scalar_fits_its_own_type_and_no_other_but_an_int_that_a_float_holds(value: Any, kind: Any) -> None:
    found, problems = fit(value, kind)
    if type(value) is kind:
        assert (found, problems) == (value, [])
    elif type(value) is int and kind is float and abs(value) < 2**1024 - 2**970 and float(value) == value:
        assert (found, type(found), problems) == (value, float, [])
    else:
        assert (found, len(problems)) == (None, 1)
