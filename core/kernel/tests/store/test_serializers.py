from __future__ import annotations

import json
from typing import Any

import pytest
from store_doubles import CodeSerializer, JsonSerializer, resolve, serializers

from headrace.store.serializers import SerializerSet
from headrace_hookspecs import CorruptDataError, Dumped, Failure, HeadraceError, SerializationError


class Point:
    def __init__(self, x: int) -> None:
        self.x = x


class Picky(JsonSerializer):
    name = "picky"
    rank = 1

    def dump(self, value: Any) -> Dumped:
        raise TypeError("not today")


def back(found: SerializerSet, value: object) -> tuple[str, str, Any]:
    name, dumped, kind = found.dump(value, "train", "x")
    return name, kind, found.load(name, memoryview(b"".join(dumped.buffers)), dumped.meta)


def test_the_first_by_rank_that_takes_a_value_writes_it() -> None:
    found = serializers()
    assert back(found, [1]) == ("json", "list", [1])
    assert back(found, (1,)) == ("code", "tuple", (1,))
    name, kind, value = back(found, Point(3))
    assert (name, kind, value.x) == ("code", f"{__name__}.Point", 3)


def test_a_type_error_passes_the_value_on() -> None:
    assert back(SerializerSet.of([JsonSerializer(), Picky()]), [1])[0] == "json"


def test_the_configured_order_comes_before_rank() -> None:
    found = SerializerSet.of([CodeSerializer(), JsonSerializer()], order=["code"], resolve=resolve)
    assert back(found, [1])[0] == "code"


def test_equal_ranks_are_asked_by_name() -> None:
    class Alpha(JsonSerializer):
        name = "alpha"

    assert back(SerializerSet.of([JsonSerializer(), Alpha()]), [1])[0] == "alpha"


def test_what_nothing_takes_is_an_error_with_step_attribute_type_and_every_reason() -> None:
    with pytest.raises(SerializationError) as refused:
        SerializerSet.of([Picky(), JsonSerializer()]).dump([object()], "train", "model")
    error = refused.value
    assert error.step == "train"
    assert "self.model" in error.message
    assert "list" in error.message
    assert "picky: not today" in error.message
    assert "json: Object of type object is not JSON serializable" in error.message
    assert error.remedy


def test_an_error_of_the_values_own_code_is_an_error_with_step_and_attribute() -> None:
    class Bad:
        def __reduce__(self) -> Any:
            raise ZeroDivisionError("mine")

    with pytest.raises(SerializationError, match=r"self\.model.*Bad.*ZeroDivisionError: mine") as refused:
        serializers().dump(Bad(), "train", "model")
    assert refused.value.step == "train"
    assert isinstance(refused.value.__cause__, ZeroDivisionError)


def test_without_pickle_its_values_are_refused_and_not_read() -> None:
    strict = serializers(allow_pickle=False)
    assert back(strict, [1])[0] == "json"
    with pytest.raises(SerializationError, match=r"self\.model.*Point.*allow_pickle = false") as refused:
        strict.dump(Point(1), "train", "model")
    assert (refused.value.code, refused.value.step) == ("artifact-needs-pickle", "train")
    name, dumped, _ = serializers().dump(Point(1), "train", "x")
    with pytest.raises(SerializationError, match="Flow/1/train/0/x") as refused:
        strict.load(name, memoryview(b"".join(dumped.buffers)), dumped.meta, "Flow/1/train/0/x")
    assert refused.value.code == "serializer-refused"


def test_a_serializer_that_is_not_here_is_named_with_the_way_to_get_it() -> None:
    with pytest.raises(SerializationError, match=r"Flow/1/train/0/x.*'arrow'") as refused:
        serializers().load("arrow", memoryview(b""), None, "Flow/1/train/0/x")
    assert refused.value.code == "serializer-missing"
    assert refused.value.remedy == "pip install headrace-serializer-arrow"


def test_bytes_that_no_serializer_wrote_are_an_error_that_names_the_artifact() -> None:
    with pytest.raises(CorruptDataError, match="Flow/x"):
        serializers().load("json", memoryview(b"{"), None, "Flow/x")


def test_a_value_whose_class_is_gone_is_an_error_that_names_the_artifact() -> None:
    data = b"c__main__\nNoSuchClass\n."
    with pytest.raises(SerializationError, match=r"Flow/x.*NoSuchClass") as refused:
        serializers().load("code", memoryview(data), None, "Flow/x")
    assert refused.value.code == "artifact-not-loadable"


def test_errors_of_ours_pass_as_they_are() -> None:
    class Ours(CodeSerializer):
        def load(self, data: Any, meta: Any, context: Any) -> Any:
            raise HeadraceError("mine", code="own")

    with pytest.raises(HeadraceError) as refused:
        SerializerSet.of([Ours()]).load("code", memoryview(b""), None)
    assert refused.value.code == "own"


def test_classes_are_found_by_what_the_set_was_given() -> None:
    class Asking(JsonSerializer):
        name = "asking"

        def load(self, data: Any, meta: Any, context: Any) -> Any:
            return context.resolve("anywhere", "Name")

    found = SerializerSet.of([Asking()], resolve=lambda module, name: (module, name))
    assert found.load("asking", memoryview(b""), None) == ("anywhere", "Name")


def test_a_failure_is_stored_as_json_even_where_pickle_is_forbidden() -> None:
    failure = Failure("exception", "no", "builtins.ValueError", "Traceback…", exit_code=1, bases=("builtins.Exception",))
    found = SerializerSet.of([JsonSerializer()], allow_pickle=False)
    assert back(found, failure) == ("failure", "headrace_hookspecs.outcome.Failure", failure)
    _, dumped, _ = found.dump(failure, "s", "x")
    assert json.loads(b"".join(dumped.buffers))["message"] == "no"


def test_nothing_is_made_before_the_first_value() -> None:
    made: list[str] = []

    class Registry:
        def names(self, group: str) -> list[str]:
            made.append(group)
            return []

    class Config:
        def get(self, key: str) -> Any:
            return {"serializers.allow_pickle": True, "serializers.order": []}[key]

    found = SerializerSet(Registry(), Config())  # type: ignore[arg-type]
    assert made == []
    found.preload()
    found.preload()
    assert made == ["headrace.serializer"]
