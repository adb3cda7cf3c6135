import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace_hookspecs import FlowDefinitionError
from headrace_resilience.values import duration, number, switch, whole

UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


@given(st.lists(st.tuples(st.integers(0, 10_000), st.sampled_from(sorted(UNITS))), min_size=1), st.sampled_from(["", " "]))
def test_a_duration_is_the_sum_of_its_parts(parts, space):
    text = space.join(f"{amount}{space}{unit}" for amount, unit in parts)
    assert math.isclose(duration("retry", "wait", text), sum(amount * UNITS[unit] for amount, unit in parts))


@given(st.floats(0, 1e9) | st.integers(0, 10**9))
def test_a_plain_number_is_seconds_also_as_text(value):
    assert duration("retry", "wait", value) == duration("retry", "wait", str(value)) == float(value)


@pytest.mark.parametrize("text", ["", "s", "1x", "1h 30", "-1s", "1,5s", "1e400", "inf", "nan", ".", ".s", "1.2.3s"])
def test_other_texts_are_no_durations(text):
    with pytest.raises(FlowDefinitionError) as caught:
        duration("retry", "wait", text)
    assert caught.value.message == f"@retry: wait={text!r} is no duration."


@given(st.one_of(st.none(), st.booleans(), st.binary(), st.lists(st.integers()), st.complex_numbers()))
def test_what_is_no_number_is_no_quantity(value):
    for read in (duration, number, lambda *given: whole(*given, most=9)):
        with pytest.raises(FlowDefinitionError) as caught:
            read("retry", "wait", value)
        assert (caught.value.code, caught.value.exit_status) == ("decorator-invalid", 1)


@given(st.integers(-20, 20), st.integers(-20, 20), st.integers(-20, 20))
def test_a_whole_number_lies_between_its_limits(value, least, most):
    if least <= value <= most:
        assert whole("retry", "times", str(value), least=least, most=most) == value
    else:
        with pytest.raises(FlowDefinitionError, match=f"from {least} to {most}"):
            whole("retry", "times", value, least=least, most=most)


def test_text_is_no_truth_value():
    assert [switch("catch", "print_exception", value) for value in (True, False)] == [True, False]
    with pytest.raises(FlowDefinitionError) as caught:
        switch("catch", "print_exception", "False")
    assert caught.value.remedy == "Write True or False in Python, print_exception=true or print_exception=false after --with."
