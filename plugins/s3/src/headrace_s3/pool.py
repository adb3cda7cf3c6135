"""The same work on many items by a few threads, in order and lazily. The threads end with the call: a process that forks has none left."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")
R = TypeVar("R")


def in_order(work: Callable[[T], R], items: Iterable[T], workers: int) -> Iterator[R]:
    """`work` of each item, in order; at most `workers` items are taken ahead of the one whose result is asked for.

    One item alone is done by the calling thread. The first exception, of `work` or `items`, ends it after what had begun has ended.
    """
    iterator = iter(items)
    first = list(islice(iterator, 2))
    if len(first) < 2 or workers < 2:
        yield from map(work, chain(first, iterator))
    else:
        yield from _threaded(work, chain(first, iterator), workers)


def _threaded(work: Callable[[T], R], items: Iterator[T], workers: int) -> Iterator[R]:
    from concurrent.futures import Future

    tasks: SimpleQueue[tuple[Future[R], T] | None] = SimpleQueue()
    waiting: deque[Future[R]] = deque()
    threads: list[Thread] = []
    await_all = True
    try:
        for item in items:
            future: Future[R] = Future()
            waiting.append(future)
            tasks.put((future, item))
            if len(threads) < workers:
                # daemons: what waits for a silent server does not keep an interrupted process from ending
                threads.append(Thread(target=_do, args=(work, tasks), daemon=True, name="headrace-s3"))
                threads[-1].start()
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except (GeneratorExit, KeyboardInterrupt):
        await_all = False  # nobody wants the rest
        raise
    finally:
        for future in waiting:
            future.cancel()
        for _ in threads:
            tasks.put(None)
        if await_all:
            for thread in threads:
                thread.join()


def _do(work: Callable[[T], R], tasks: SimpleQueue[tuple[Future[R], T] | None]) -> None:
    while (task := tasks.get()) is not None:
        future, item = task
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(work(item))
            except BaseException as error:  # noqa: BLE001 - raised again where the result is asked for
                future.set_exception(error)
        del task, future, item  # what is done is not kept while waiting for more
