"""The contract catches what it says it catches: each decorator here breaks one promise and fails the one test that is about it."""

import textwrap

import pytest

pytest_plugins = ["pytester"]

DECORATOR = '''
import os
from contextlib import contextmanager

from attrs import evolve, field, frozen
from headrace_hookspecs import FlowDefinitionError, step_decorator


def _tag(*, value: str = "x") -> None:
    """Label a step."""


tag = step_decorator("tag", "tagging:Tag", signature=_tag)


def _text(value):
    if not isinstance(value, str):
        raise FlowDefinitionError("@tag: value is no text.", remedy="Write a text.")
    return value


@frozen(kw_only=True)
class TagConfig:
    """`value`: the label."""

    value: str = field(default="x", converter=_text)


class Tag:
    name = "tag"
    phase = "observe"
    multiple = False

    def __init__(self, config):
        self.config = config

    @staticmethod
    def config_class():
        return TagConfig

    def plan(self, step, context):
        return evolve(step, labels={**step.labels, "tag": self.config.value})

    @contextmanager
    def around(self, task):
        before = os.getcwd()
        os.chdir(task.tempdir)
        try:
            yield
        finally:
            os.chdir(before)

    def on_failure(self, task, failure):
        return None

    def after(self, task, outcome):
        return None
'''

SUITE = """
from headrace_testkit.decorators import StepDecoratorContract
import tagging


class TestTag(StepDecoratorContract):
    handle = tagging.tag
    accepted = ({}, {"value": "y"})
    refused = ({"value": 3},)
"""

BREAKS = {
    "its name": ('name = "tag"', 'name = "other"', "test_its_implementation_agrees_with_the_handle"),
    "a phase that exists": ('phase = "observe"', 'phase = "late"', "test_its_implementation_agrees_with_the_handle"),
    "a documented keyword": ("`value`: the label", "The label", "test_the_configuration_says_what_each_keyword_means"),
    "a frozen configuration": (
        "@frozen(kw_only=True)",
        "import attrs\n@attrs.define(kw_only=True)",
        "test_the_configuration_is_frozen_and_has_keywords_only",
    ),
    "keywords only": ("@frozen(kw_only=True)", "@frozen", "test_the_configuration_is_frozen_and_has_keywords_only"),
    "known keywords": (
        "class Tag:",
        "def lenient(value='x', **rest): return StrictConfig(value=value)\nStrictConfig, TagConfig = TagConfig, lenient\nclass Tag:",
        "test_an_unknown_keyword_is_refused_by_name",
    ),
    "a true signature": ('_tag(*, value: str = "x")', '_tag(*, text: str = "x")', "test_what_editors_show_is_the_configuration"),
    "a true default": ('_tag(*, value: str = "x")', '_tag(*, value: str = "z")', "test_what_editors_show_is_the_configuration"),
    "a remedy": (', remedy="Write a text."', "", "test_a_bad_value_is_refused_with_a_remedy"),
    "a refusal": ("if not isinstance(value, str)", "if False", "test_a_bad_value_is_refused_with_a_remedy"),
    "a configuration that is JSON": ("return value\n", "return value.encode()\n", "test_the_configuration_survives_json"),
    "a pure plan": (
        "return evolve(step,",
        "step.labels['planned'] = str(len(step.labels))\n        return evolve(step,",
        "test_plan_writes_neutral_fields_only_and_changes_nothing_that_it_is_given",
    ),
    "a plan that repeats": (
        "return evolve(step,",
        "self.__dict__['n'] = self.__dict__.get('n', 0) + 1\n        return evolve(step, image=str(self.n),",
        "test_plan_writes_neutral_fields_only_and_changes_nothing_that_it_is_given",
    ),
    "neutral fields only": (
        "return evolve(step,",
        "return evolve(step, kind='join',",
        "test_plan_writes_neutral_fields_only_and_changes_nothing_that_it_is_given",
    ),
    "a plan that is JSON": ('"tag": self.config.value}', '"tag": object}', "test_the_planned_step_is_json"),
    "an around that cleans up": ("os.chdir(before)", "pass", "test_around_restores_what_it_changed"),
    "an around that lets errors pass": ("        finally:", "        except Exception:", "test_around_restores_what_it_changed"),
    "an answer to a failure": (
        "def on_failure(self, task, failure):\n        return None",
        "def on_failure(self, task, failure):\n        return True",
        "test_on_failure_answers_as_the_contract_says",
    ),
    "no answer after": (
        "def after(self, task, outcome):\n        return None",
        "def after(self, task, outcome):\n        return True",
        "test_after_answers_nothing",
    ),
}


@pytest.fixture
def suite(pytester):
    """Run the contract on a decorator, as a distribution of its own; the result and the names of the tests that failed."""
    info = pytester.path / "tagging-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tagging\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[headrace.decorator]\ntag = tagging:tag\n")
    pytester.syspathinsert()

    def run(source):
        (pytester.path / "tagging.py").write_text(source)
        pytester.makepyfile(test_conformance=SUITE)
        result = pytester.runpytest_inprocess("-q", "-p", "no:cacheprovider")
        lines = [line for line in result.outlines if line.startswith(("FAILED", "ERROR"))]
        return result, sorted({line.split("::")[2].split("[")[0].split(" ")[0] for line in lines})

    return run


def test_a_decorator_that_keeps_every_promise_passes(suite):
    result, failed = suite(DECORATOR)
    assert failed == []
    result.assert_outcomes(passed=32)


def test_optional_methods_may_be_missing(suite):
    without = textwrap.dedent(DECORATOR.partition("    def plan(")[0])
    result, failed = suite(without)
    assert failed == []
    result.assert_outcomes(passed=12)


@pytest.mark.parametrize("promise", BREAKS)
def test_a_broken_promise_is_caught(suite, promise):
    kept, broken, test = BREAKS[promise]
    assert kept in DECORATOR
    _, failed = suite(DECORATOR.replace(kept, broken))
    assert test in failed
