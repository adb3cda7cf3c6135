import collections
import math

import pytest

from headrace_hookspecs import Serializer
from headrace_serializer_plain.serializer import PlainSerializer
from headrace_testkit import PluginPackageContract, SerializerContract


class TestPlain(SerializerContract):
    accepted = (
        None,
        True,
        0,
        10**40,
        1.5,
        -math.inf,
        "text \ud800",
        b"",
        b"x" * (1 << 20),
        [1, [2, (3,)]],
        (1, (2,)),
        [(1, 2), (3, 4)],
        {"a": {1, 2}, (1, "b"): frozenset({None})},
    )
    refused = (object(), 1j, bytearray(b"a"), [range(3)], {"a": collections.OrderedDict()}, SerializerContract)

    @pytest.fixture
    def serializer(self) -> Serializer:
        return PlainSerializer()


class TestPackage(PluginPackageContract):
    distribution = "headrace-serializer-plain"
