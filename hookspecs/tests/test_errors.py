import pickle
import re

import pytest

from headrace_hookspecs import FlowDefinitionError, GraphError, HeadraceError, UsageError, errors


def tree(cls=HeadraceError):
    return [cls, *(each for child in cls.__subclasses__() if child.__module__ == errors.__name__ for each in tree(child))]


def test_all_errors_are_one_tree():
    classes = [each for each in vars(errors).values() if isinstance(each, type) and each.__module__ == errors.__name__]
    assert set(classes) == set(tree())


def test_codes_are_distinct_kebab_case_words():
    codes = [cls.code for cls in tree()]
    assert len(set(codes)) == len(codes)
    assert [code for code in codes if not re.fullmatch(r"[a-z]+(-[a-z]+)*", code)] == []


def test_a_command_ends_with_2_for_bad_usage_and_with_1_for_all_else():
    assert {cls: cls.exit_status for cls in tree()} == {cls: 2 if issubclass(cls, UsageError) else 1 for cls in tree()}


@pytest.mark.parametrize("cls", tree())
def test_an_error_crosses_processes_whole(cls):
    error = cls("It broke.", remedy="Mend it.", file="flow.py", line=3, step="fit", code="own-code")
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), copy.args, vars(copy), str(copy)) == (cls, error.args, vars(error), str(error))


@pytest.mark.parametrize(
    ("place", "lines"),
    [
        ({}, []),
        ({"file": "flow.py"}, ["  at flow.py"]),
        ({"file": "flow.py", "line": 3}, ["  at flow.py:3"]),
        ({"file": "flow.py", "line": 3, "step": "fit"}, ["  at flow.py:3, step fit"]),
        ({"step": "fit"}, ["  in step fit"]),
    ],
)
@pytest.mark.parametrize("remedy", [None, "Mend it."])
def test_the_text_says_what_where_and_what_to_do(place, lines, remedy):
    error = GraphError("It broke.", remedy=remedy, **place)
    assert str(error).split("\n") == ["It broke.", *lines, *(["  Mend it."] if remedy else [])]


def test_a_raise_site_may_narrow_the_code_of_the_class():
    assert GraphError("It broke.").code == "graph-invalid"
    assert GraphError("It broke.", code="lint-orphan").code == "lint-orphan"
    assert issubclass(GraphError, FlowDefinitionError)
