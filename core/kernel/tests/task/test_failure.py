import pytest

from headrace.task.failure import failure_of


class NoText(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


class NoStr(Exception):
    __str__ = None  # type: ignore[assignment]


class NoRepr:
    def __repr__(self) -> str:
        raise LookupError("no repr")


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (NoText(), "<no text: its __str__ raised RuntimeError>"),
        (NoStr(), "<no text: its __str__ raised TypeError>"),
        (SystemExit(NoRepr()), "The step called sys.exit(<no text: its __repr__ raised LookupError>); a step ends by returning."),
    ],
)
def test_an_exception_that_cannot_say_what_it_is_is_told_all_the_same(error: BaseException, says: str) -> None:
    failure = failure_of(error)

    assert failure.message == says
    assert failure.type == f"{type(error).__module__}.{type(error).__qualname__}"
    assert type(error).__qualname__ in failure.traceback


def test_many_words_are_told_without_their_middle() -> None:
    failure = failure_of(ValueError("a" * 1_000_000 + "z" * 1_000_000))

    assert failure.message == f"{'a' * 5_000}\n[1990000 characters left out]\n{'z' * 5_000}"
    assert len(failure.traceback) < 101_000
    assert failure.traceback.startswith("ValueError: aaa")


def test_what_is_short_is_told_as_it_is() -> None:
    text = "x" * 10_000
    assert failure_of(ValueError(text)).message == text


@pytest.mark.parametrize(("code", "exit_code", "give_up"), [(None, 0, False), (3, 3, False), ("words", 1, False), (202, 202, True)])
def test_the_status_of_an_exit_is_kept_and_202_forbids_another_attempt(code: object, exit_code: int, give_up: bool) -> None:
    failure = failure_of(SystemExit(code))

    assert (failure.kind, failure.exit_code, failure.give_up) == ("exit", exit_code, give_up)
    assert f"sys.exit({code!r})" in failure.message
