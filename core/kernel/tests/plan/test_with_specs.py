from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.plan.with_specs import parse_with
from headrace_hookspecs import DecoratorCall, UsageError


@pytest.mark.parametrize(
    ("spec", "name", "kwargs"),
    [
        ("retry", "retry", {}),
        (" retry ", "retry", {}),
        ("retry:times=3", "retry", {"times": 3}),
        ("retry:times=3,wait=2.5", "retry", {"times": 3, "wait": 2.5}),
        ("retry: times = 3 , wait = 30s ", "retry", {"times": 3, "wait": "30s"}),
        ("catch:print_exception=false,var=error", "catch", {"print_exception": False, "var": "error"}),
        ("catch:print_exception=False", "catch", {"print_exception": "False"}),
        ("x:a=true,b=null,c=none", "x", {"a": True, "b": None, "c": "none"}),
        ("x:image=repo/a,b,c=1", "x", {"image": "repo/a,b", "c": 1}),
        ("x:url=http://host:80/?q=1", "x", {"url": "http://host:80/?q=1"}),
        ('x:vars={"A": "b,c=d", "E": [1, 2]},n=1', "x", {"vars": {"A": "b,c=d", "E": [1, 2]}, "n": 1}),
        ('x:vars={\\"A\\": 1}', "x", {"vars": {"A": 1}}),
        ('x:a="quoted, b=2"', "x", {"a": "quoted, b=2"}),
        ('x:a="quoted" tail,b=2', "x", {"a": '"quoted" tail', "b": 2}),
        ("x:a=12,34", "x", {"a": "12,34"}),
        ("x:a=007,b=+5,c=.5,d=1e3", "x", {"a": 7, "b": 5, "c": 0.5, "d": 1000.0}),
        ("x:a=NaN,b=inf,c=-Infinity", "x", {"a": "NaN", "b": "inf", "c": "-Infinity"}),
        ("x:a=", "x", {"a": ""}),
        ("x:a=,b=1", "x", {"a": "", "b": 1}),
        ("acme.gpu-box:n=1", "acme.gpu-box", {"n": 1}),
    ],
)
def test_a_spec_is_read_with_the_types_of_its_values(spec: str, name: str, kwargs: dict[str, Any]) -> None:
    call = parse_with(spec)
    assert call == DecoratorCall(name, kwargs, "", 0, "--with")
    assert {key: type(value) for key, value in call.kwargs.items()} == {key: type(value) for key, value in kwargs.items()}


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("retry:3", "'3' has no `=`"),
        ("retry:times", "'times' has no `=`"),
        ("retry:", "'' has no `=`"),
        ("retry:=3", "'=3' has no `=`"),
        ("retry:times=1,times=2", "'times' is given twice"),
        ("", "'' is no name of a decorator"),
        ("3", "'3' is no name of a decorator"),
        ("times=3", "'times=3' is no name of a decorator"),
        (":a=1", "'' is no name of a decorator"),
    ],
)
def test_a_spec_that_cannot_be_read_is_a_usage_error(spec: str, reason: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_with(spec)
    assert (caught.value.code, caught.value.exit_status) == ("with-invalid", 2)
    assert caught.value.message == f"--with {spec}: {reason}."


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True), JSON, max_size=4), st.booleans())
def test_any_json_values_survive_being_written_as_a_spec(kwargs: dict[str, Any], ascii_only: bool) -> None:
    pairs = [f"{key}={json.dumps(value, ensure_ascii=ascii_only)}" for key, value in kwargs.items()]
    spec = ":".join(["name", ",".join(pairs)] if pairs else ["name"])
    found = parse_with(spec).kwargs
    assert json.dumps(found) == json.dumps(kwargs)
