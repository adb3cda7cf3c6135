import pytest

from headrace_cli import output


@pytest.mark.parametrize(
    ("seconds", "text"), [(-1, "0s"), (42.9, "42s"), (190, "3m 10s"), (18120, "5h 2m"), (86400 * 12 + 3600 * 4, "12d 4h")]
)
def test_ages_show_their_two_largest_units(seconds: float, text: str) -> None:
    assert output.age(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (5 * 2**20, "5.0 MiB"), (3 * 2**40, "3.0 TiB"), (2**51, "2048.0 TiB")],
)
def test_sizes_are_rounded_to_the_largest_unit(count: int, text: str) -> None:
    assert output.size(count) == text


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert output.table([["a", "1"], ["bbb", "22"]], ["NAME", "N"]) == "NAME  N\na     1\nbbb   22"
