"""Parameters: what may be declared, and which value a run gets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flowfiles import line_of
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace import FlowSpec, JSONType, Parameter, ParameterContext
from headrace.dsl.declarations import parameter_specs
from headrace.dsl.parameters import parameter_values, resolve_parameters
from headrace_hookspecs import ParameterSpec, Source
from headrace_hookspecs.errors import FlowDefinitionError, ParameterError

Make = Callable[[str], type[FlowSpec]]


def specs(cls: type) -> dict[str, ParameterSpec]:
    return {spec.attribute: spec for spec in parameter_specs(cls)}


class Types(FlowSpec):
    text = Parameter("text", default="x")
    whole = Parameter("whole", default=3)
    ratio = Parameter("ratio", default=0.5)
    switch = Parameter("switch", default=True)
    flag = Parameter("flag", is_flag=True)
    data = Parameter("data", type=JSONType, default='{"a": [1]}')
    items = Parameter("items", default=[1, {"b": None}])
    typed = Parameter("typed", type=float, default=1)
    bare = Parameter("bare")
    several = Parameter("several", type=int, multiple=True)
    numbers = Parameter("numbers", default=[1, 2], multiple=True)
    names = Parameter("names", default="a,b", separator=",")
    none = Parameter("none", separator=",")
    dashed = Parameter("with-dash", type=int, help="dashed", hidden=True)


def test_the_type_is_the_declared_one_or_that_of_the_default() -> None:
    assert {name: (spec.type, spec.default) for name, spec in specs(Types).items()} == {
        "text": ("str", "x"),
        "whole": ("int", 3),
        "ratio": ("float", 0.5),
        "switch": ("bool", True),
        "flag": ("bool", False),
        "data": ("json", {"a": [1]}),
        "items": ("json", [1, {"b": None}]),
        "typed": ("float", 1.0),
        "bare": ("str", None),
        "several": ("int", None),
        "numbers": ("int", [1, 2]),
        "names": ("str", "a,b"),
        "none": ("str", None),
        "dashed": ("int", None),
    }


def test_a_spec_says_everything_that_was_declared(flow: Make, folder: Path) -> None:
    cls = flow("""
def late(context): return 3
class F(FlowSpec):
    a = Parameter("b-c", default=late, type=int, help="what", required=True, hidden=True)
    d = Parameter("d", required=True, type=JSONType)
    e = Parameter("e", required=True, default=1)
""")
    file, path = str(folder / "flow.py"), folder / "flow.py"
    assert parameter_specs(cls) == (
        ParameterSpec(
            "b-c",
            "a",
            type="int",
            has_default=True,
            callable_default=True,
            help="what",
            hidden=True,
            source=Source(file, line_of(path, "a = ")),
        ),
        ParameterSpec("d", "d", kind="json", type="json", required=True, source=Source(file, line_of(path, "d = "))),
        ParameterSpec("e", "e", type="int", default=1, has_default=True, source=Source(file, line_of(path, "e = "))),
    )


@pytest.mark.parametrize(
    ("declaration", "word"),
    [
        ('Parameter("a b")', "name"),
        ('Parameter("1a")', "name"),
        ('Parameter("ä")', "name"),
        ("Parameter(3)", "name"),
        ('Parameter("tag")', "reserved"),
        ('Parameter("max_workers")', "reserved"),
        ('Parameter("Run-Id")', "reserved"),
        ('Parameter("x", type=list)', "type"),
        ('Parameter("x", type=dict)', "type"),
        ('Parameter("x", type="int")', "type"),
        ('Parameter("x", type=int, is_flag=True)', "type"),
        ('Parameter("x", default=object())', "default"),
        ('Parameter("x", default=b"x")', "default"),
        ('Parameter("x", default=1.5, type=int)', "default"),
        ('Parameter("x", default=True, type=int)', "default"),
        ('Parameter("x", default=3, type=str)', "default"),
        ('Parameter("x", default="maybe", type=bool)', "default"),
        ('Parameter("x", default="{", type=JSONType)', "default"),
        ('Parameter("x", default={"a": {1}})', "default"),
        ('Parameter("x", default=3, multiple=True)', "default"),
        ('Parameter("x", nargs=2)', "option"),
        ('Parameter("x", multipel=True)', "option"),
        ('Parameter("x", multiple=1)', "option"),
        ('Parameter("x", required=lambda c: True)', "option"),
        ('Parameter("x", show_default=lambda c: True)', "option"),
        ('Parameter("x", separator=lambda c: ",")', "option"),
        ('Parameter("x", separator="")', "option"),
        ('Parameter("x", separator=",", type=int)', "option"),
        ('Parameter("x", separator=",", multiple=True)', "option"),
        ('Parameter("x", is_flag=True, multiple=True)', "option"),
        ('Parameter("x", help=3)', "option"),
        ('Parameter("x-y"); other = Parameter("X_Y")', "duplicate"),
        ('Parameter("x"); other = x', "shared"),
    ],
)
def test_a_wrong_declaration_is_refused_where_it_stands(declaration: str, word: str, flow: Make, folder: Path) -> None:
    cls = flow(f"""
class F(FlowSpec):
    x = {declaration}
    @step
    def start(self):
        pass
""")
    with pytest.raises(FlowDefinitionError) as raised:
        parameter_specs(cls)
    error = raised.value
    assert (error.code, error.file, error.line) == (f"flow-parameter-{word}", str(folder / "flow.py"), line_of(folder / "flow.py", "x = "))
    assert error.remedy


def test_a_misspelt_option_is_answered_with_the_nearest(flow: Make) -> None:
    with pytest.raises(FlowDefinitionError) as raised:
        parameter_specs(flow('class F(FlowSpec):\n    x = Parameter("x", defualt=3)\n'))
    assert raised.value.remedy == "Did you mean default?"


def test_an_inherited_parameter_can_be_taken_away(flow: Make) -> None:
    cls = flow("""
class Base(FlowSpec):
    a = Parameter("a")
    b = Parameter("b")
class F(Base):
    a = None
    @step
    def start(self): pass
""")
    assert list(specs(cls)) == ["b"]


def test_without_values_a_run_has_the_defaults() -> None:
    assert resolve_parameters(Types, {}, {}) == {
        "text": "x",
        "whole": 3,
        "ratio": 0.5,
        "switch": True,
        "flag": False,
        "data": {"a": [1]},
        "items": [1, {"b": None}],
        "typed": 1.0,
        "bare": None,
        "several": [],
        "numbers": [1, 2],
        "names": ["a", "b"],
        "none": None,
        "dashed": None,
    }


@pytest.mark.parametrize(
    ("name", "given_value", "attribute", "value"),
    [
        ("text", "", "text", ""),
        ("whole", "-12", "whole", -12),
        ("whole", 12, "whole", 12),
        ("ratio", "1e3", "ratio", 1000.0),
        ("ratio", 2, "ratio", 2.0),
        ("switch", "no", "switch", False),
        ("switch", "Yes", "switch", True),
        ("switch", "0", "switch", False),
        ("switch", False, "switch", False),
        ("flag", "true", "flag", True),
        ("data", "[1, null]", "data", [1, None]),
        ("data", (1, {"x": 2}), "data", [1, {"x": 2}]),
        ("data", None, "data", None),
        ("bare", None, "bare", None),
        ("several", ("1", "2"), "several", [1, 2]),
        ("several", [3, "4"], "several", [3, 4]),
        ("names", "x,y,,z", "names", ["x", "y", "", "z"]),
        ("names", "", "names", []),
        ("names", ["p", "q"], "names", ["p", "q"]),
        ("with-dash", "1", "dashed", 1),
        ("with_dash", "1", "dashed", 1),
        ("dashed", "1", "dashed", 1),
    ],
)
def test_a_given_value_is_converted(name: str, given_value: object, attribute: str, value: object) -> None:
    found = resolve_parameters(Types, {name: given_value}, {})[attribute]
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize(
    ("name", "given_value"),
    [
        ("whole", "1.5"),
        ("whole", 1.0),
        ("whole", True),
        ("whole", None),
        ("ratio", "many"),
        ("ratio", False),
        ("switch", "maybe"),
        ("switch", 1),
        ("text", 3),
        ("data", "{"),
        ("data", {1, 2}),
        ("several", "12"),
        ("several", ["1", "x"]),
        ("names", 3),
        ("names", ["x", 3]),
    ],
)
def test_a_value_that_the_type_refuses_is_an_error(name: str, given_value: object) -> None:
    with pytest.raises(ParameterError) as raised:
        resolve_parameters(Types, {name: given_value}, {})
    error = raised.value
    assert (error.code, error.exit_status) == ("parameter-invalid", 2)
    assert repr(name) in error.message


def test_an_unknown_parameter_is_answered_with_the_nearest() -> None:
    with pytest.raises(ParameterError) as raised:
        resolve_parameters(Types, {"ration": 1}, {})
    assert (raised.value.code, raised.value.remedy) == ("parameter-unknown", "Did you mean ratio?")


def test_a_parameter_given_by_name_and_attribute_is_given_twice() -> None:
    with pytest.raises(ParameterError) as raised:
        resolve_parameters(Types, {"with-dash": 1, "dashed": 2}, {})
    assert raised.value.code == "parameter-twice"


def test_a_name_goes_before_an_attribute_of_the_same_spelling() -> None:
    class Crossed(FlowSpec):
        a = Parameter("b")
        b = Parameter("a")

    assert resolve_parameters(Crossed, {"a": "named a"}, {}) == {"a": None, "b": "named a"}


class Wanted(FlowSpec):
    must = Parameter("must-have", type=int, required=True, envvar="MUST")
    tags_ = Parameter("labels", multiple=True)


def test_a_required_parameter_needs_a_value() -> None:
    with pytest.raises(ParameterError) as raised:
        resolve_parameters(Wanted, {}, {})
    assert raised.value.code == "parameter-missing"
    assert raised.value.remedy is not None
    assert "HEADRACE_PARAM_MUST_HAVE" in raised.value.remedy


def test_what_is_given_goes_before_the_environment_and_that_before_the_default() -> None:
    assert resolve_parameters(Types, {}, {"HEADRACE_PARAM_WHOLE": "7"})["whole"] == 7
    assert resolve_parameters(Types, {"whole": 8}, {"HEADRACE_PARAM_WHOLE": "7"})["whole"] == 8
    assert resolve_parameters(Wanted, {}, {"MUST": "5", "HEADRACE_PARAM_LABELS": "a b"}) == {"must": 5, "tags_": ["a", "b"]}
    assert resolve_parameters(Wanted, {}, {"MUST": "5", "HEADRACE_PARAM_MUST_HAVE": "6"})["must"] == 6


def test_a_wrong_value_in_the_environment_names_the_variable() -> None:
    with pytest.raises(ParameterError) as raised:
        resolve_parameters(Types, {}, {"HEADRACE_PARAM_WHOLE": "x"})
    assert "HEADRACE_PARAM_WHOLE" in raised.value.message


def test_a_computed_default_is_computed_once_and_only_where_it_is_needed() -> None:
    seen: list[tuple[str, str, str]] = []

    def late(context: ParameterContext) -> int:
        seen.append((context.flow_name, context.parameter_name, context.user_name))
        return 42

    class Late(FlowSpec):
        answer = Parameter("the-answer", default=late, type=int)

    assert resolve_parameters(Late, {}, {"USER": "ada"}) == {"answer": 42}
    assert resolve_parameters(Late, {"answer": 1}, {"USER": "ada"}) == {"answer": 1}
    assert seen == [("Late", "the-answer", "ada")]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("return {}['missing']", "KeyError: 'missing'"),
        ("raise TypeError('late() takes 2')", "TypeError: late() takes 2"),
        ("return 'text'", "'text'"),
        ("return 1.5", "1.5"),
        ("return None", "None"),
    ],
)
def test_a_default_that_cannot_be_computed_shows_the_users_own_error(body: str, words: str, flow: Make, folder: Path) -> None:
    cls = flow(f"""
def late(context):
    {body}
class F(FlowSpec):
    x = Parameter("x", default=late, type=int)
""")
    with pytest.raises(ParameterError) as raised:
        resolve_parameters(cls, {}, {})
    error = raised.value
    assert (error.code, error.file, error.line) == ("parameter-default", str(folder / "flow.py"), line_of(folder / "flow.py", "x = "))
    assert words in error.message
    assert "dsl/parameters.py" not in error.message


def test_steps_see_tuples_where_a_parameter_may_be_repeated() -> None:
    values = parameter_values(parameter_specs(Types), resolve_parameters(Types, {"several": [1]}, {}))
    assert (values["several"], values["numbers"], values["names"], values["whole"]) == ((1,), (1, 2), ["a", "b"], 3)


def test_a_parameter_that_an_older_run_does_not_know_is_none() -> None:
    assert parameter_values(parameter_specs(Wanted), {}) == {"must": None, "tags_": ()}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@settings(deadline=None)
@given(JSON)
def test_json_values_arrive_as_they_are_or_as_text(value: Any) -> None:
    import json

    assert resolve_parameters(Types, {"data": json.dumps(value)}, {})["data"] == value
    if not isinstance(value, str):
        assert resolve_parameters(Types, {"data": value}, {})["data"] == value


@settings(deadline=None)
@given(st.integers(), st.floats(allow_nan=False), st.booleans(), st.text())
def test_values_survive_their_own_text(whole: int, ratio: float, switch: bool, text: str) -> None:
    given_values = {"whole": whole, "ratio": ratio, "switch": switch, "text": text}
    resolved = resolve_parameters(Types, {name: str(value) for name, value in given_values.items()}, {})
    assert {name: resolved[name] for name in given_values} == given_values
