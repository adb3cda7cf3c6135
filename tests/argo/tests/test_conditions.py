import pytest
from argo import conditions
from argo.problems import TemplateError
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("a == a", True),
        ("heads == tails", False),
        ("'a b' == \"a b\"", True),
        (r"'it\'s' == \"it's\"".replace('\\"', '"'), True),
        ("3 == 3.0", True),
        ("'3' == 3", False),
        ("'3' != 3", True),
        ("3 < 10", True),
        ("'3' < '10'", False),
        ("3 >= 3 && 3 <= 3 && !(3 > 3)", True),
        ("true", True),
        ("!true", False),
        ("false || a == a && b == c", False),
        ("(false || a == a) && b != c", True),
        ("a==a||a==b", True),
    ],
)
def test_conditions(when, expected):
    assert conditions.holds(when) is expected


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ("a", "it is no condition"),
        ("", "a value is missing"),
        ("a ==", "a value is missing"),
        ("(a == b", "a parenthesis is not closed"),
        ("a == b c", "it is no condition"),
        ("step-a == step-a", "cannot read 'step-a == step-a'; values other than plain words and numbers need quotes"),
        ("a.b == a.b", "cannot read 'a.b == a.b'; values other than plain words and numbers need quotes"),
        ("1.2.3 == 1", "cannot read '1.2.3 == 1'; values other than plain words and numbers need quotes"),
        ("'it's' == a", "cannot read \"'it's' == a\""),
        ("{{x}} == a", "cannot read '{{x}} == a'; values other than plain words and numbers need quotes"),
        ("a && b == c", "'a' is neither true nor false"),
        ("1 < a", "1.0 and 'a' have no order"),
    ],
)
def test_what_is_no_condition_is_an_error(when, message):
    with pytest.raises(TemplateError) as caught:
        conditions.holds(when)
    assert str(caught.value).startswith(f"invalid 'when' expression {when!r}: ")
    assert message in str(caught.value) or "is no condition" in str(caught.value) or "cannot read" in str(caught.value)


@given(
    st.text(alphabet=st.characters(codec="utf-8", exclude_characters="'\\")),
    st.text(alphabet=st.characters(codec="utf-8", exclude_characters="'\\")),
)
def test_quoted_text_is_compared_as_it_is(one, other):
    assert conditions.holds(f"'{one}' == '{other}'") is (one == other)
