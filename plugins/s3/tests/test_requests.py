"""What is sent: one request for a small operation, in the calling thread; and what becomes of answers that are lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from headrace_hookspecs import BlobRange, Capability, StoreUnavailableError
from headrace_s3.store import S3Store
from headrace_testkit.processes import in_processes
from headrace_testkit.servers import S3Server
from headrace_testkit.servers.proxy import Proxy, Seen


@pytest.fixture
def through(open_s3: Callable[..., S3Store], between: Proxy) -> Callable[..., S3Store]:
    """Opens a store behind the proxy."""
    return lambda **config: open_s3(client={"endpoint": between.endpoint}, **config)


def sent(between: Proxy) -> list[tuple[str, str, int]]:
    found = [(seen.method, seen.path.split("/", 2)[-1], seen.status) for seen in between.seen]
    between.seen.clear()
    return found


def test_a_small_operation_is_one_request_from_the_first_on(through: Callable[..., S3Store], between: Proxy) -> None:
    store = through(conditional_writes="yes")
    place = "a/place"
    assert store.put_if_absent("k/1", [b"a", b"b"])
    assert sent(between) == [("PUT", f"{place}/k/1", 200)]
    assert not store.put_if_absent("k/1", [b"c"])
    assert sent(between) == [("PUT", f"{place}/k/1", 412)]
    store.put_many([("k/2", [b"x"])])
    assert sent(between) == [("PUT", f"{place}/k/2", 200)]
    for asked, status, expected in [
        (BlobRange("k/1"), 200, b"ab"),
        (BlobRange("k/1", 1, 9), 206, b"b"),
        (BlobRange("k/1", 2), 416, b""),
        (BlobRange("none"), 404, None),
    ]:
        assert list(store.get_many([asked])) == [expected]
        assert sent(between) == [("GET", f"{place}/{asked.key}", status)]
    assert list(store.get_many([BlobRange("k/1", 1, 0), BlobRange("none", 0, 0)])) == [b"", None]
    assert sorted(sent(between)) == [("HEAD", f"{place}/k/1", 200), ("HEAD", f"{place}/none", 404)]
    assert [stat and stat.size for stat in store.stat_many(["k/1"])] == [2]
    assert sent(between) == [("HEAD", f"{place}/k/1", 200)]
    assert [stat.key for stat in store.list("k/")] == ["k/1", "k/2"]
    assert list(store.folders("")) == ["k"]
    assert [method for method, _, _ in sent(between)] == ["GET", "GET"]
    store.delete_many(["k/1"])
    assert sent(between) == [("DELETE", f"{place}/k/1", 204)]
    store.delete_many(["k/1", "k/2", "k/2", "none"])
    assert [(method, status) for method, _, status in sent(between)] == [("POST", 200)]


def test_a_batch_of_nothing_sends_nothing(through: Callable[..., S3Store], between: Proxy) -> None:
    store = through()
    store.put_many([])
    store.delete_many([])
    assert list(store.get_many([])) == list(store.stat_many([])) == list(store.list("", limit=0)) == []
    assert between.seen == []


def test_a_listing_asks_for_what_is_wanted_and_no_more(through: Callable[..., S3Store], between: Proxy) -> None:
    store = through(workers=32)
    keys = [f"many/{number:04d}" for number in range(1050)]
    store.put_many((key, [b""]) for key in keys)

    def listed(**how: Any) -> tuple[list[str], list[str]]:
        between.seen.clear()
        found = [stat.key for stat in store.list("many/", **how)]
        return found, [dict(pair.split("=", 1) for pair in seen.query.split("&") if "=" in pair)["max-keys"] for seen in between.seen]

    assert listed() == (keys, ["1000", "1000"])
    assert listed(limit=1) == (keys[:1], ["1"])
    assert listed(limit=1000) == (keys[:1000], ["1000"])
    assert listed(limit=1020) == (keys[:1020], ["1000", "20"])
    assert listed(after=keys[1040], limit=5) == (keys[1041:1046], ["5"])
    between.seen.clear()
    store.delete_many(keys)
    assert between.count() == {"POST": 2}
    assert listed() == ([], ["1000"])


def test_only_a_batch_makes_threads_and_none_outlives_it(store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    start = threading.Thread.start

    def counted(thread: threading.Thread) -> None:
        made.append(thread.name)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", counted)
    store.put_many([("k/1", [b"1"])])
    store.put_if_absent("k/2", [b"1"])
    assert list(store.get_many([BlobRange("k/1")])) == [b"1"]
    assert [stat and stat.size for stat in store.stat_many(["k/1"])] == [1]
    store.delete_many(["k/1", "k/2"])
    assert made == []
    store.put_many((f"k/{number}", [b"1"]) for number in range(50))
    assert made == ["headrace-s3"] * 16
    assert [thread.name for thread in threading.enumerate() if thread.name == "headrace-s3"] == []


def test_reading_ahead_is_bounded_and_ends_when_nobody_reads_on(open_s3: Callable[..., S3Store]) -> None:
    store = open_s3(workers=4)
    store.put_many((f"k/{number:02d}", [b"%d" % number]) for number in range(40))
    taken: list[int] = []

    def ranges() -> Iterator[BlobRange]:
        for number in range(40):
            taken.append(number)
            yield BlobRange(f"k/{number:02d}")

    reading = store.get_many(ranges())
    assert taken == []
    assert [next(reading) for _ in range(3)] == [b"0", b"1", b"2"]
    assert len(taken) == 3 + 4
    reading.close()  # type: ignore[attr-defined]
    assert len(taken) == 7


# the probe


def test_the_usual_probe_is_one_request(through: Callable[..., S3Store], between: Proxy) -> None:
    first, second = through(), through()
    assert Capability.CONDITIONAL_PUT not in first.capabilities
    assert first.probe() == {"conditional_writes": "yes"}
    assert sent(between) == [("PUT", "a/place/.headrace/probe", 200), ("PUT", "a/place/.headrace/probe", 412)]
    assert second.probe() == first.probe() == {"conditional_writes": "yes"}
    assert sent(between) == [("PUT", "a/place/.headrace/probe", 412)]
    assert Capability.CONDITIONAL_PUT in first.capabilities & second.capabilities
    assert list(first.list("")) == list(first.folders("")) == []


@pytest.mark.parametrize(("found", "declared"), [("yes", True), ("no", False)])
def test_what_another_process_has_found_out_is_not_asked_again(
    through: Callable[..., S3Store], between: Proxy, found: str, declared: bool
) -> None:
    store = through()
    assert store.probe({"conditional_writes": found}) == {"conditional_writes": found}
    assert (Capability.CONDITIONAL_PUT in store.capabilities) is declared
    assert between.seen == []


@pytest.mark.parametrize(("said", "declared"), [("yes", True), ("no", False)])
def test_what_the_configuration_says_is_not_asked(through: Callable[..., S3Store], between: Proxy, said: str, declared: bool) -> None:
    store = through(conditional_writes=said)
    assert (Capability.CONDITIONAL_PUT in store.capabilities) is declared
    assert store.probe() == {"conditional_writes": said}
    assert between.seen == []


class TestAServiceThatIgnoresTheCondition:
    @pytest.fixture
    def server(self, rclone_server: S3Server) -> S3Server:
        return rclone_server

    def test_is_found_out_by_two_requests(self, through: Callable[..., S3Store], between: Proxy) -> None:
        store = through()
        assert store.probe() == {"conditional_writes": "no"}
        assert sent(between) == [("PUT", "a/place/.headrace/probe", 200)] * 2
        assert Capability.CONDITIONAL_PUT not in store.capabilities

    def test_replaces_nothing_even_where_nobody_has_asked_yet(self, through: Callable[..., S3Store], between: Proxy) -> None:
        store = through()
        store.put_many([("k", [b"first"])])
        assert store.put_if_absent("k", [b"second"]) is False
        assert store.put_if_absent("new", [b"second"]) is True
        assert list(store.get_many([BlobRange("k"), BlobRange("new")])) == [b"first", b"second"]


# lost answers


def is_put(seen: Seen) -> bool:
    return seen.method == "PUT"


def test_a_conditional_put_whose_answer_is_lost_has_written_and_says_that_something_is_there(
    through: Callable[..., S3Store], between: Proxy
) -> None:
    store = through(conditional_writes="yes")
    between.lose_next(is_put)
    assert store.put_if_absent("commits/1", [b"mine"]) is False
    assert sent(between) == [("PUT", "a/place/commits/1", 200), ("PUT", "a/place/commits/1", 412)]
    assert list(store.get_many([BlobRange("commits/1")])) == [b"mine"]


@pytest.mark.parametrize("method", ["PUT", "GET", "HEAD", "DELETE", "POST"])
def test_a_lost_answer_is_asked_for_again(through: Callable[..., S3Store], between: Proxy, method: str) -> None:
    store = through()
    between.lose_next(lambda seen: seen.method == method)
    store.put_many([("k/1", [b"1"]), ("k/2", [b"2"])])
    assert list(store.get_many([BlobRange("k/1"), BlobRange("k/2")])) == [b"1", b"2"]
    assert [stat and stat.size for stat in store.stat_many(["k/1"])] == [1]
    store.delete_many(["k/1"])
    store.delete_many(["k/2", "k/3"])
    assert list(store.list("")) == []


def test_a_service_that_never_answers_is_unavailable(open_s3: Callable[..., S3Store], between: Proxy) -> None:
    config = {"retries": {"mode": "standard", "total_max_attempts": 2}}
    store = open_s3(conditional_writes="yes", client={"endpoint": between.endpoint, "config": config})
    between.lose = is_put
    with pytest.raises(StoreUnavailableError, match=r"s3://.*/a/place/commits/1 cannot be written now"):
        store.put_if_absent("commits/1", [b"mine"])
    assert len(between.seen) == 2


# forks


def test_a_fork_has_connections_of_its_own(through: Callable[..., S3Store], between: Proxy) -> None:
    store = through(conditional_writes="yes")
    store.put_many([("shared", [b"x" * 1000])])

    def child(me: int) -> bool:
        return all(list(store.get_many([BlobRange("shared")])) == [b"x" * 1000] for _ in range(20)) and store.put_if_absent(
            f"by/{me}", [b""]
        )

    assert in_processes([lambda me=me: child(me) for me in range(4)]) == [True] * 4  # type: ignore[misc]
    assert list(store.get_many([BlobRange("shared")])) == [b"x" * 1000]


def test_what_is_prepared_is_used_by_forks_and_by_nobody_else(store: S3Store) -> None:
    store.prepare()
    spare = store._bucket.client._spare
    assert store._bucket.client() is not spare

    def child() -> bool:
        return store._bucket.client() is spare and store.put_if_absent("by/child", [b"1"])

    assert in_processes([child, lambda: store._bucket.client() is spare]) == [True, True]
    assert list(store.get_many([BlobRange("by/child")])) == [b"1"]
