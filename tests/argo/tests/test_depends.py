import re

import pytest
from argo import depends
from argo.problems import TemplateError
from argo.runner import Lost
from handmade import container, dag, play, task, workflow
from hypothesis import given
from hypothesis import strategies as st

TASKS = ("a", "b", "c-1")
OPERANDS = st.builds(
    lambda name, result: f"{name}{result}", st.sampled_from(TASKS), st.sampled_from(["", *(f".{each}" for each in depends.RESULTS)])
)
LOGIC = st.recursive(
    OPERANDS,
    lambda inner: st.one_of(
        st.builds("({} && {})".format, inner, inner),
        st.builds("{} || {}".format, inner, inner),
        st.builds("{}&&{}".format, inner, inner),
        st.builds("!({})".format, inner),
        st.builds("!{}".format, OPERANDS),
    ),
    max_leaves=8,
)


def oracle(logic, results):
    """The same question put to Python."""

    def truth(match):
        task_name, _, result = match[0].partition(".")
        wanted = {result} if result else {"Succeeded", "Skipped", "Daemoned"}
        return str(bool(wanted & results[task_name]))

    asked = re.sub(r"[a-z][-a-z0-9]*(\.[A-Za-z]+)?", truth, logic)
    return eval(asked.replace("&&", " and ").replace("||", " or ").replace("!", " not "))  # built here, of words and signs alone


@given(LOGIC, st.fixed_dictionaries({name: st.frozensets(st.sampled_from(depends.RESULTS)) for name in TASKS}))
def test_logic_means_what_it_says(logic, results):
    assert depends.holds(depends.parse(logic), results) is oracle(logic, results)


@given(LOGIC)
def test_the_tasks_of_a_formula_are_found_in_order(logic):
    written = [tuple(each.partition(".")[::2]) for each in re.findall(r"[a-z][-a-z0-9]*(?:\.[A-Za-z]+)?", logic)]
    assert [(each.task, each.result or "") for each in depends.operands(depends.parse(logic))] == written


@pytest.mark.parametrize(
    ("logic", "message"),
    [
        ("", "it ends too early"),
        ("a &&", "it ends too early"),
        ("(a", "a parenthesis is not closed"),
        ("a)", "did not expect ')'"),
        ("a b", "did not expect Operand(task='b', result=None)"),
        ("a & b", "cannot read '& b'"),
        ("a and b", "did not expect Operand(task='and', result=None)"),
        ("a.Done", "task result 'Done' for task 'a' is invalid"),
        ("a.Succeeded.x", "cannot read 'a.Succeeded.x'"),
        ("a_b", "cannot read 'a_b'"),
        ("|| a", "did not expect '||'"),
    ],
)
def test_what_is_no_logic_is_refused(logic, message):
    with pytest.raises(TemplateError) as caught:
        depends.parse(logic)
    assert str(caught.value) == message


ENDINGS = {
    "Succeeded": (0, {}),
    "Failed": (1, {}),
    "Errored": (Lost(), {}),
    "Skipped": (0, {"when": "1 == 2"}),
    "Omitted": (0, {"depends": "no.Failed"}),
}


@given(
    LOGIC.filter(lambda logic: "Any" not in logic and "All" not in logic),
    st.fixed_dictionaries({name: st.sampled_from(sorted(ENDINGS)) for name in TASKS}),
)
def test_a_task_runs_when_its_logic_holds_for_how_the_others_ended(logic, endings):
    tasks = [task("no"), *(task(name, **ENDINGS[ending][1]) for name, ending in endings.items()), task("asked", logic)]

    def answer(pod):
        return ENDINGS[endings[pod.node.rpartition(".")[2]]][0] if pod.node.endswith(TASKS) else 0

    played = play(workflow(dag("main", *tasks, fail_fast=False), container()), answer)
    expected = oracle(logic, {name: {ending} for name, ending in endings.items()})
    assert played.result.node("asked").phase.value == ("Succeeded" if expected else "Omitted")


def test_a_list_of_dependencies_means_all_of_them():
    tasks = [task("a"), task("b", when="1 == 2"), task("c", dependencies=["a", "b"]), task("d", dependencies=["c"])]
    played = play(workflow(dag("main", *tasks), container()))
    assert played.result.phases() == {"a": "Succeeded", "b": "Skipped", "c": "Succeeded", "d": "Succeeded"}
