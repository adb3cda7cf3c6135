import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace_hookspecs import NotFoundError, UsageError, check_id, dns_name, label, new_run_id, parse_task_id, task_id
from headrace_hookspecs.ids import split_pathspec

MILLISECONDS = st.integers(0, 253_402_300_799_999)  # up to the last moment of the year 9999
RANDOM = st.integers(0, 2**30 - 1)
INDICES = st.lists(st.integers(0, 10**6), max_size=4).map(tuple)
VISIT = st.none() | st.integers(0, 10**6)
DNS_LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?\Z")
LABEL_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?\Z")

RUNS = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9_-]|\.(?!\.)){0,80}", fullmatch=True)
STEPS = st.from_regex(r"[a-z0-9][a-z0-9_]{0,80}", fullmatch=True)
TASKS = st.builds(lambda step, indices, visit: f"{step}/{task_id(indices, visit)}", STEPS, INDICES, VISIT)
NAMES = st.tuples(RUNS) | st.tuples(RUNS, TASKS) | st.tuples(RUNS, TASKS, st.integers(0, 99))


def test_a_run_id_says_when_it_was_made():
    assert new_run_id(1785507901.0937, 0b10011_11101_01001_10111_11000_00111) == "20260731-142501093-kx9qr7"


@given(MILLISECONDS, MILLISECONDS, RANDOM, RANDOM)
def test_run_ids_sort_by_time_and_differ_by_their_random_part(first, second, one, other):
    ids = [new_run_id(first / 1000, one), new_run_id(second / 1000, other)]
    times = [int(first / 1000 * 1000), int(second / 1000 * 1000)]
    if times[0] != times[1]:
        assert (ids[0] < ids[1]) == (times[0] < times[1])
    else:
        assert (ids[0] == ids[1]) == (one == other)


@given(MILLISECONDS, RANDOM)
def test_a_run_id_may_be_used_everywhere(milliseconds, random):
    run = new_run_id(milliseconds / 1000, random)
    assert check_id("run", run) == run
    assert label(run) == run
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", run)


@pytest.mark.parametrize(
    ("indices", "visit", "text"),
    [((), None, "0"), ((3,), None, "3"), ((1, 4), None, "1.4"), ((), 2, "0-2"), ((0, 0), 0, "0.0-0")],
)
def test_task_ids_are_read_as_they_are_written(indices, visit, text):
    assert task_id(indices, visit) == text
    assert parse_task_id(text, len(indices)) == (indices, visit)


@given(INDICES, VISIT)
def test_a_task_id_round_trips_at_its_depth(indices, visit):
    assert parse_task_id(task_id(indices, visit), len(indices)) == (indices, visit)


@given(st.integers(0, 4).flatmap(lambda depth: st.lists(st.tuples(*[st.integers(0, 99)] * depth), min_size=2, max_size=2)), VISIT, VISIT)
def test_two_tasks_of_a_step_never_share_an_id(indices, visit, other):
    same = (indices[0], visit) == (indices[1], other)
    assert (task_id(indices[0], visit) == task_id(indices[1], other)) == same


@pytest.mark.parametrize("text", ["", "01", "1.", ".1", "1..2", "-1", "1-", "1-02", "a", "1 ", "1\n", "1.2-3-4", "١"])
def test_other_texts_are_no_task_ids(text):
    with pytest.raises(UsageError) as caught:
        parse_task_id(text, 1)
    assert caught.value.code == "id-invalid"


@pytest.mark.parametrize(("text", "depth"), [("3", 0), ("0.0", 0), ("0", 2), ("1.2.3", 2)])
def test_a_task_id_of_another_depth_is_refused(text, depth):
    with pytest.raises(UsageError, match=f"where the step has {depth}"):
        parse_task_id(text, depth)


ACCEPTED = {
    "flow": ["TrainFlow", "_x", "F1", "a" * 128],
    "run": ["20260731-142501093-k3x9q7", "17", "argo-train.v2_x"],
    "step": ["start", "fit_2", "2nd"],
    "task": ["0", "3", "1.4", "0-2"],
    "artifact": ["x", "_hidden", "größe", "Model2", "a" * 255],
    "tag": ["team:ml", "a b", "日本"],
}
REFUSED = {
    "flow": ["", "1F", "a-b", "a/b", "a b", "a" * 129, "F\n", "../F"],
    "run": ["", "-x", ".x", "a/b", "a..b", "a b", "a\0", "é", "a" * 129],
    "step": ["", "_x", "Start", "a.b", "a/b", "a-b", "a\n"],
    "task": ["", "00", "a", "../0", "0/1"],
    "artifact": ["", "1x", "a-b", "a.b", "a b", "a\n", "a" * 256],
    "tag": ["", "a\nb", "a\0", "..", "a" * 501],
}


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in ACCEPTED.items() for text in texts])
def test_an_id_of_its_kind_passes_unchanged(kind, text):
    assert check_id(kind, text) == text


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in REFUSED.items() for text in texts])
def test_what_could_leave_its_place_in_a_path_or_a_query_is_no_id(kind, text):
    with pytest.raises(UsageError) as caught:
        check_id(kind, text)
    assert (caught.value.code, caught.value.message) == ("id-invalid", f"{text!r} is not a valid {kind} name.")


@pytest.mark.parametrize("value", [None, 3, b"start"])
def test_what_is_no_text_is_no_id(value):
    with pytest.raises(UsageError):
        check_id("step", value)


@pytest.mark.parametrize(
    ("pathspec", "parts"),
    [
        ("TrainFlow", ("TrainFlow",)),
        ("/TrainFlow/17/", ("TrainFlow", "17")),
        ("TrainFlow/17/fit/1.4/model", ("TrainFlow", "17", "fit", "1.4", "model")),
    ],
)
def test_a_pathspec_is_split_into_checked_parts(pathspec, parts):
    assert split_pathspec(pathspec) == parts


def test_a_pathspec_has_no_more_parts_than_there_are_levels():
    with pytest.raises(NotFoundError) as caught:
        split_pathspec("TrainFlow/17/fit", ("flow", "run"))
    assert (caught.value.code, caught.value.message) == ("pathspec-invalid", "'TrainFlow/17/fit' has more parts than flow/run.")
    with pytest.raises(UsageError):
        split_pathspec("TrainFlow//fit")


@given(NAMES, st.integers(24, 63))
def test_a_dns_name_is_a_dns_label_within_the_limit(name, limit):
    text = dns_name(*name, limit=limit)
    assert DNS_LABEL.match(text)
    assert len(text) <= limit


@given(NAMES, NAMES, st.integers(24, 63))
def test_two_names_never_become_one_dns_name(name, other, limit):
    assert (dns_name(*name, limit=limit) == dns_name(*other, limit=limit)) == (name == other)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        (("Train",), ("train",)),
        (("a-b",), ("a_b",)),
        (("a.b",), ("a-b",)),
        (("a", "b/0"), ("a-b-0",)),
        (("a", "b/0", 1), ("a", "b/0.1")),
        (("1a",), ("r1a",)),
        (("a" * 64,), ("a" * 65,)),
    ],
)
def test_names_that_differ_only_where_dns_is_blind_stay_apart(name, other):
    assert dns_name(*name) != dns_name(*other)


def test_a_name_that_is_a_dns_label_already_is_kept():
    assert dns_name("nightly-train") == "nightly-train"


@pytest.mark.parametrize("make", [dns_name, label])
def test_a_name_that_looks_like_a_made_one_is_not_that_one(make):
    made = make("a b")
    assert make(made) != made


@given(st.text(), st.integers(24, 63))
def test_a_label_is_a_label_value_within_the_limit(value, limit):
    text = label(value, limit=limit)
    assert LABEL_VALUE.match(text)
    assert len(text) <= limit


@given(st.text(), st.text(), st.integers(24, 63))
def test_two_values_never_become_one_label(value, other, limit):
    assert (label(value, limit=limit) == label(other, limit=limit)) == (value == other)


@pytest.mark.parametrize("value", ["TrainFlow", "a.b_c-D9", "", "x" * 63])
def test_a_value_that_is_a_label_already_is_kept(value):
    assert label(value) == value
