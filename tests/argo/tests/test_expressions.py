import pytest
from argo.expressions import Unresolved, evaluate, parse, variables
from argo.functions import as_text
from argo.problems import TemplateError

VALUES = {
    "inputs.parameters.n": "3",
    "inputs.parameters.my-name": "é'",
    "tasks.a-b.outputs.parameters.x": '{"k": [1, {"z": "deep"}]}',
    "lastRetry.exitCode": "137",
    "lastRetry.status": "Failed",
}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("asInt(inputs.parameters.n) + 1", 4),
        ("asInt(inputs.parameters.n) * 2 - -1", 7),
        ("7 / 2", 3.5),
        ("7 % 4", 3),
        ("-7 % 4", -3),
        ("(1 + 2) * 3", 9),
        ("'a' + \"b\"", "ab"),
        ("inputs.parameters['my-name']", "é'"),
        ("inputs.parameters.n == '3'", True),
        ("inputs.parameters.n != '3' || 1 < 2", True),
        ("not (1 >= 2) and !false", True),
        ("lastRetry.status == 'Failed' && asInt(lastRetry.exitCode) > 128", True),
        ("false ? missing.name : 'there'", "there"),
        ("true || missing.name", True),
        ("asFloat('2.5') + 0.5", 3.0),
        ("string(12)", "12"),
        ("toJson('a<b')", '"a\\u003cb"'),
        ("jsonpath(tasks['a-b'].outputs.parameters.x, '$.k[1].z')", "deep"),
        ("toBase64('{{é')", "e3vDqQ=="),
        ("sprig.b64enc('')", ""),
        ("sprig.trim(' a ')", "a"),
        (r"'it\'s' + '\n'", "it's\n"),
    ],
)
def test_values(source, expected):
    result = evaluate(source, VALUES)
    assert (result, type(result)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("1 +", "it ends too early"),
        ("1 2", "did not expect '2'"),
        ("a ?? b", "did not expect '??'"),
        ("a?.b", "did not expect '?.'"),
        ("[1]", "did not expect '['"),
        ("a # b", "cannot read '# b'"),
        ("map(a, 1)", "the function map is not known"),
        ("asInt(1, 2)", "asInt takes 1 argument(s)"),
        ("x[0]", "did not expect '0'"),
        ("x['a.b']", "did not expect \"'a.b'\""),
        (r"'\q'", "has an escape that is not understood"),
        ("inputs.parameters.n == 3", "values of two kinds"),
        ("1 + '1'", "needs numbers"),
        ("1 && true", "&& needs a boolean, has 1"),
        ("asInt('x')", "no integer"),
        ("asFloat('')", "no number"),
        ("1 / 0", "division by zero"),
        ("1.5 % 2", "needs integers"),
        ("!1", "needs a boolean"),
        ("true < false", "booleans have no order"),
        ("jsonpath('{}', '$.a')", "nothing at $.a"),
        ("jsonpath('{}', 'a')", "needs JSON text and a path such as $.a[0]"),
        ("toBase64(1)", "needs a string"),
    ],
)
def test_what_is_not_of_the_language_is_an_error(source, message):
    with pytest.raises(TemplateError) as caught:
        evaluate(source, VALUES)
    assert message in str(caught.value)


def test_a_missing_variable_is_named():
    with pytest.raises(Unresolved) as caught:
        evaluate("inputs.parameters.n + inputs.parameters.m", VALUES)
    assert str(caught.value) == "inputs.parameters.m"


def test_the_variables_of_an_expression_are_found_in_all_its_branches():
    assert list(variables(parse("a.b == 'x' ? string(c['d-e']) : (f - 1)"))) == ["a.b", "c.d-e", "f"]


@pytest.mark.parametrize(("value", "text"), [(True, "true"), (3, "3"), (2.0, "2"), (2.5, "2.5"), (0.0, "0"), ("a", "a")])
def test_results_as_text(value, text):
    assert as_text(value) == text


@pytest.mark.parametrize("value", [1e6, 1e-5, None, [1], {}])
def test_results_without_a_certain_text_are_refused(value):
    with pytest.raises(TemplateError):
        as_text(value)
