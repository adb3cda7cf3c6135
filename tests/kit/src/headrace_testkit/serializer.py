"""Conformance of serializers: `SerializerContract`."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from headrace_hookspecs import Dumped, LoadContext, Serializer


class SerializerContract:
    """Subclass it, override `serializer`, and name values: `accepted` ones come back, `refused` ones are passed on to other serializers."""

    accepted: Sequence[Any] = ()
    refused: Sequence[Any] = ()

    @pytest.fixture
    def serializer(self) -> Serializer:
        """The serializer."""
        raise NotImplementedError

    def equal(self, left: Any, right: Any) -> bool:
        """Whether a loaded value is the one that was dumped; override it where `==` gives no bool."""
        return bool(left == right)

    @pytest.fixture
    def resolve(self) -> Callable[[str, str], Any]:
        """Finds classes for `load`."""

        def find(module: str, qualname: str) -> Any:
            found: Any = importlib.import_module(module)
            for name in qualname.split("."):
                found = getattr(found, name)
            return found

        return find

    def test_it_has_a_name_a_rank_and_says_whether_loading_runs_code(self, serializer: Serializer) -> None:
        assert serializer.name.replace("-", "").replace("_", "").isalnum()
        assert isinstance(serializer.rank, int)
        assert isinstance(serializer.executes_code, bool)
        assert self.accepted, "name some values that it takes"

    def test_values_come_back_equal_and_of_the_same_type(self, serializer: Serializer, resolve: Callable[[str, str], Any]) -> None:
        for value in self.accepted:
            assert serializer.can_dump(value) is True, value
            dumped = serializer.dump(value)
            assert isinstance(dumped, Dumped)
            loaded = serializer.load(_joined(dumped), _through_json(dumped.meta), LoadContext(resolve))
            assert type(loaded) is type(value), value
            assert self.equal(loaded, value), value

    def test_values_come_back_from_any_place_in_a_larger_buffer(self, serializer: Serializer, resolve: Callable[[str, str], Any]) -> None:
        for value in self.accepted:
            dumped = serializer.dump(value)
            data = bytes(_joined(dumped))
            inside = memoryview(b"?" + data + b"??")[1 : 1 + len(data)]
            assert self.equal(serializer.load(inside, dumped.meta, LoadContext(resolve)), value), value

    def test_loading_again_gives_the_value_again(self, serializer: Serializer, resolve: Callable[[str, str], Any]) -> None:
        for value in self.accepted:
            dumped = serializer.dump(value)
            data = _joined(dumped)
            before = bytes(data)
            loaded = [serializer.load(data, dumped.meta, LoadContext(resolve)) for _ in range(2)]
            del data
            assert all(self.equal(one, value) for one in loaded), value
            assert bytes(_joined(dumped)) == before, "loading must not change the bytes"

    def test_dumping_changes_nothing_and_gives_the_same_bytes_again(self, serializer: Serializer) -> None:
        for value in self.accepted:
            first, second = serializer.dump(value), serializer.dump(value)
            assert bytes(_joined(first)) == bytes(_joined(second)), value
            assert first.meta == second.meta, value

    def test_what_it_does_not_take_is_passed_on(self, serializer: Serializer) -> None:
        for value in self.refused:
            if serializer.can_dump(value):
                with pytest.raises(TypeError):
                    serializer.dump(value)

    def test_loading_asks_for_classes_only_where_it_may_run_code(self, serializer: Serializer) -> None:
        """And whoever is asked may refuse: that refusal comes back, and no class is found in another way."""

        class Refused(Exception):
            pass

        def never(module: str, qualname: str) -> Any:
            raise Refused(f"{module}.{qualname}")

        asked = []
        for value in self.accepted:
            dumped = serializer.dump(value)
            try:
                loaded = serializer.load(_joined(dumped), dumped.meta, LoadContext(never))
            except Refused as refusal:
                asked.append(str(refusal))
            else:
                assert self.equal(loaded, value), value
        assert serializer.executes_code or asked == []


def _joined(dumped: Dumped) -> memoryview:
    return memoryview(b"".join(dumped.buffers)).toreadonly()


def _through_json(meta: dict[str, Any] | None) -> dict[str, Any] | None:
    back: dict[str, Any] | None = json.loads(json.dumps(meta))
    assert back == meta, "meta has to be JSON"
    return back
