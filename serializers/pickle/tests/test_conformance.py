import collections
from collections.abc import Callable
from typing import Any

import pytest

from headrace_hookspecs import Serializer
from headrace_serializer_pickle.serializer import PickleSerializer
from headrace_testkit import PluginPackageContract, SerializerContract


class Local:
    """A class that no other module can import."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Local) and other.value == self.value

    __hash__ = None  # type: ignore[assignment]


class TestPickle(SerializerContract):
    accepted = (
        None,
        [1, (2,)],
        collections.OrderedDict(a=1),
        collections.Counter("abc"),
        Local(3),
        {"large": bytearray(b"x" * 100_000)},
    )
    refused = (lambda: 1, (number for number in ()))

    @pytest.fixture
    def serializer(self) -> Serializer:
        return PickleSerializer()

    @pytest.fixture
    def resolve(self) -> Callable[[str, str], Any]:
        """Classes of this file are found here, as those of a flow file are found by the kernel."""
        known = {"Local": Local, "OrderedDict": collections.OrderedDict, "Counter": collections.Counter}
        return lambda module, qualname: known[qualname]


class TestPackage(PluginPackageContract):
    distribution = "headrace-serializer-pickle"
