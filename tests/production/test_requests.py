"""What a run on S3 asks of the service, counted by a proxy between the two."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from stores import Store, new_store

from headrace.project import open_project
from headrace.store.record import encode_record, new_header
from headrace_hookspecs import Outcome, TaskSpec
from headrace_testkit.servers import S3Server, s3
from headrace_testkit.servers.proxy import Proxy, Seen, proxy

FLOWS = Path(__file__).parent / "flows"
HELLO = Path(__file__).parents[2] / "docs" / "tutorials" / "00-hello" / "hello.py"


@pytest.fixture
def counter(moto_server: S3Server) -> Iterator[Proxy]:
    with proxy(moto_server.endpoint) as made:
        yield made


@pytest.fixture
def store(moto_server: S3Server, counter: Proxy) -> Store:
    return new_store(moto_server, counter.endpoint)


def counted(counter: Proxy, store: Store, file: Path, *words: str, cwd: Path) -> list[Seen]:
    """The requests of one run in a store that has been used before."""
    copy = Path(shutil.copy(file, cwd))
    store.run(copy.name, *words, cwd=cwd)
    before = len(counter.seen)
    store.run(copy.name, *words, cwd=cwd)
    return counter.seen[before:]


def methods(seen: list[Seen]) -> Counter[str]:
    return Counter("LIST" if "list-type" in each.query else each.method for each in seen)


def test_a_run_of_two_steps_makes_at_most_20_requests(counter: Proxy, store: Store, tmp_path: Path) -> None:
    seen = counted(counter, store, HELLO, cwd=tmp_path)
    assert len(seen) <= 20, [(each.method, each.path) for each in seen]
    assert methods(seen) == {"PUT": 9, "GET": 1, "LIST": 1}


@pytest.mark.parametrize(("few", "many"), [(10, 40), pytest.param(100, 1000, marks=pytest.mark.long)])
def test_a_small_task_costs_one_read_and_two_writes_and_a_join_one_read_an_input(
    counter: Proxy, store: Store, tmp_path: Path, few: int, many: int
) -> None:
    def work(width: int) -> Counter[str]:
        seen = counted(counter, store, FLOWS / "wide.py", "--width", str(width), cwd=tmp_path)
        # a run that takes longer renews its lease more often
        return methods([each for each in seen if "/lease/" not in each.path + each.query])

    at_few, at_many = work(few), work(many)
    more = many - few
    # each task more: its commit and its log; its own look at the split, and the join's at it
    assert at_many["PUT"] - at_few["PUT"] == 2 * more
    assert at_many["GET"] - at_few["GET"] == 2 * more
    assert at_few["GET"] <= 2 * few + 5
    assert at_few["PUT"] <= 2 * few + 12
    assert set(at_many) == {"PUT", "GET"}


def is_commit(step: str, seen: Seen) -> bool:
    return seen.method == "PUT" and f"/commits/{step}/" in seen.path and "if-none-match" in seen.headers


def test_a_commit_whose_answer_is_lost_is_a_win(counter: Proxy, store: Store, tmp_path: Path) -> None:
    shutil.copy(FLOWS / "wide.py", tmp_path)
    lost: list[Seen] = []

    def lose(seen: Seen) -> bool:
        again = any(each.path == seen.path for each in lost)
        if is_commit("square", seen) and not again:
            lost.append(seen)
            return True
        return False

    counter.lose = lose
    run_id = store.run("wide.py", "--width", "6", cwd=tmp_path)
    assert [each.status for each in lost] == [200] * 6
    refused = [each for each in counter.seen if is_commit("square", each) and each.status == 412]
    assert len(refused) == 6, "each was sent again, and refused because the first had been stored"
    counter.lose = lambda seen: False
    listed = store.flow("list", f"Wide/{run_id}", cwd=tmp_path).stdout
    assert [line.split()[2:4] for line in listed.splitlines() if line.startswith("square")] == [["succeeded", "1"]] * 6
    assert "total 55" in store.flow("logs", f"Wide/{run_id}/end", cwd=tmp_path).stdout


def test_the_writer_of_a_commit_knows_its_own_though_the_answer_was_lost(counter: Proxy, store: Store, tmp_path: Path) -> None:
    spec = TaskSpec("Flow", "1", "start")
    with s3.only(store.server):
        project = open_project(str(tmp_path), options=store.options[1::2])
        run = project.run_store("Flow", "1")
        first, second = (encode_record(new_header(spec, nonce, Outcome("succeeded"), started=1.0, ended=2.0)) for nonce in ("a", "b"))
        counter.lose_next(lambda seen: is_commit("start", seen))
        assert run.commit(first, "a") == "won"
        assert run.commit(second, "b") == "superseded"
        project.close()
    assert [each.status for each in counter.seen if is_commit("start", each)] == [200, 412, 412]


def test_a_service_without_conditional_writes_is_found_out_told_and_refused_where_two_could_commit(
    rclone_server: S3Server, tmp_path: Path
) -> None:
    store = new_store(rclone_server)
    copy = Path(shutil.copy(FLOWS / "wide.py", tmp_path))
    done = store.flow("run", copy.name, cwd=tmp_path)
    said = f"datastore: s3://{store.bucket}/team ignores conditional writes, so the scheduler alone writes what tasks commit"
    assert said in done.stderr
    assert "total 506" in done.stdout
    refused = store.flow("deploy", copy.name, "--to", "argo", "--image", "image", "--manifest", "-", cwd=tmp_path, status=1)
    assert "error[capability-missing]" in refused.stderr
    assert "ignores conditional writes, and 'argo' starts attempts again by itself" in refused.stderr
    assert refused.stdout == ""
