import json

import pytest
from argo.loops import aggregated
from argo.nodes import Phase
from argo.runner import Lost
from handmade import by_task, container, dag, files, parameters, play, task, workflow

WORK = container("work", "{{inputs.parameters.x}}", inputs=parameters(x=None))
ITEM = parameters(x="{{item}}")


def args(**loop):
    played = play(workflow(dag("main", task("a", arguments=loop.pop("arguments", ITEM), **loop)), WORK))
    assert played.result.phase is Phase.SUCCEEDED
    return [each[0] for each in played.args]


@pytest.mark.parametrize(
    ("sequence", "items"),
    [
        ({"count": 3}, ["0", "1", "2"]),
        ({"count": "2", "start": 5}, ["5", "6"]),
        ({"start": 1, "end": 3}, ["1", "2", "3"]),
        ({"start": 3, "end": 1}, ["3", "2", "1"]),
        ({"end": 0}, ["0"]),
        ({"count": 2, "format": "task-%03d%%"}, ["task-000%", "task-001%"]),
        ({"count": 2, "start": 15, "format": "%x"}, ["f", "10"]),
    ],
)
def test_a_sequence_counts(sequence, items):
    assert args(withSequence=sequence) == items


def test_items_are_words_numbers_lists_and_mappings():
    items = ["word", 7, True, [1, "a"], {"k": "v", "n": 2}]
    assert args(withItems=items) == ["word", "7", "true", '[1,"a"]', '{"k":"v","n":2}']


def test_a_field_of_an_item_is_a_variable():
    assert args(withItems=[{"k": "v", "n": 2}], arguments=parameters(x="{{item.k}}-{{item.n}}")) == ["v-2"]


def test_a_parameter_may_hold_the_items_and_numbers_stay_as_they_were_written():
    assert args(withParam='[1, 1.50, 100000000000000000000, "a", {"b": [2.0]}]') == [
        "1",
        "1.50",
        "100000000000000000000",
        "a",
        '{"b":[2.0]}',
    ]


def test_what_is_no_list_cannot_be_iterated():
    played = play(workflow(dag("main", task("a", arguments=ITEM, withParam="{}")), WORK))
    assert (played.result.phase, played.result.node("a").message) == (
        Phase.ERROR,
        "withParam value could not be parsed as a JSON list: '{}'",
    )


def test_the_width_of_a_loop_may_be_known_only_when_it_starts():
    loop = task("loop", "fork.Succeeded", arguments=ITEM, withSequence={"count": "{{tasks.fork.outputs.parameters.n}}"})
    main = dag("main", task("fork", template="make"), loop, task("end", "loop.Succeeded", template="done"))
    manifest = workflow(main, WORK, container("make", outputs=files("n")), container("done"))
    played = play(manifest, by_task(fork={"n": "3\n"}))
    assert played.order == ["fork", "loop(0:0)", "loop(1:1)", "loop(2:2)", "end"]
    assert played.result.node("loop").type == "TaskGroup"


def test_a_loop_over_nothing_is_skipped_and_has_not_succeeded():
    loop = task("loop", arguments=ITEM, withSequence={"count": 0})
    main = dag("main", loop, task("a", "loop", template="done"), task("b", "loop.Succeeded", template="done"))
    played = play(workflow(main, WORK, container("done")))
    assert played.result.phases() == {"loop": "Skipped", "a": "Succeeded", "b": "Omitted"}
    assert (played.result.phase, played.result.node("loop").message) == (Phase.SUCCEEDED, "Skipped, empty params")


def test_nested_loops_hand_their_indices_down():
    body = container("body", "{{inputs.parameters.index}}", inputs=parameters(index=None))
    down = parameters(index="{{inputs.parameters.index}}.{{item}}")
    inner = dag("inner", task("body", template="body", arguments=down, withSequence={"count": 2}), inputs=parameters(index=None))
    outer = dag("outer", task("inner", template="inner", arguments=down, withSequence={"count": 3}), inputs=parameters(index=None))
    main = dag("main", task("outer", template="outer", arguments=parameters(index="{{item}}"), withSequence={"count": 2}))
    played = play(workflow(main, outer, inner, body))
    assert [each[0] for each in played.args] == [f"{a}.{b}.{c}" for a in range(2) for b in range(3) for c in range(2)]
    assert played.order[-1] == "outer(1:1).inner(2:2).body(1:1)"
    assert (played.result.phase, played.runner.most) == (Phase.SUCCEEDED, 12)


def test_a_wide_loop_keeps_to_the_limit():
    played = play(workflow(dag("main", task("a", arguments=ITEM, withSequence={"count": 300})), WORK, parallelism=100))
    assert (len(played.order), played.runner.most, played.seconds) == (300, 100, 3.0)


@pytest.mark.parametrize(
    ("answers", "phase", "results"),
    [
        ([0, 0], "Succeeded", {"any"}),
        ([0, 1], "Failed", {"any", "failed"}),
        ([1, 1], "Failed", {"none", "failed"}),
        ([1, Lost()], "Error", {"errored"}),
        ([Lost(), 0], "Error", {"any", "errored"}),
    ],
)
def test_a_loop_is_judged_by_all_of_its_items(answers, phase, results):
    loop = task("loop", arguments=ITEM, withSequence={"count": 2})
    after = {"any": "AnySucceeded", "none": "AllFailed", "failed": "Failed", "errored": "Errored"}
    main = dag("main", loop, *(task(f"is-{name}", f"loop.{result}", template="done") for name, result in after.items()), fail_fast=False)
    played = play(workflow(main, WORK, container("done")), lambda pod: answers[int(pod.args[0])] if pod.template == "work" else 0)
    phases = played.result.phases()
    assert phases["loop"] == phase
    assert {name for name in after if phases[f"is-{name}"] == "Succeeded"} == results


def test_all_items_run_even_if_one_has_failed():
    played = play(workflow(dag("main", task("a", arguments=ITEM, withSequence={"count": 4})), WORK, parallelism=1), lambda pod: 1)
    assert (len(played.order), played.result.phase) == (4, Phase.FAILED)


def test_the_outputs_of_a_loop_are_lists_in_order_of_the_items():
    make = container("make", "{{inputs.parameters.x}}", inputs=parameters(x=None), outputs=files("n"))
    given = parameters(each="{{tasks.loop.outputs.parameters.n}}", whole="{{tasks.loop.outputs.parameters}}")
    tell = container("tell", "{{inputs.parameters.each}}", "{{inputs.parameters.whole}}", inputs=parameters(each=None, whole=None))
    loop = task("loop", template="make", arguments=ITEM, withItems=[3, 1, 2])
    main = dag("main", loop, task("end", "loop.Succeeded", template="tell", arguments=given))
    played = play(
        workflow(main, make, tell),
        lambda pod: {"n": f"n{pod.args[0]}"} if pod.template == "make" else 0,
        lasts=lambda pod: float(len(pod.args) == 2 or 4 - int(pod.args[0])),
    )
    assert played.args[-1] == ['["n3","n1","n2"]', '[{"n":"n3"},{"n":"n1"},{"n":"n2"}]']


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (["1", "2"], '["1","2"]'),
        (['["1"]', "2"], '["[\\"1\\"]","2"]'),
        (['{"b":1,"a":2}', "[3]"], '[{"a":2,"b":1},[3]]'),
        (["<é>"], '["\\u003cé\\u003e"]'),
    ],
)
def test_a_list_of_outputs_holds_text_unless_all_are_objects_or_lists(values, text):
    assert aggregated([{"n": each} for each in values], whole=False) == {"n": text}
    assert json.loads(text)
