"""Numbers as people read them: unknown is never a number, nothing is minus zero."""

import math

import pytest

from engine_alpha.kernel.profit_factor import profit_factor
from engine_alpha.reports import words
from engine_alpha.reports.factors import factors_table
from engine_alpha.reports.table import Table, columns, plain_lines


def test_no_trades_are_unknown_and_no_losses_are_no_number() -> None:
    assert words.factor(profit_factor([])) == "unknown (n=0)"
    assert words.factor(profit_factor([1.0, 2.0])) == "no losses in 2"
    assert words.factor(profit_factor([3.0, -2.0])) == "1.50 (n=2)"
    assert words.interval(profit_factor([1.0])) == "–"


def test_a_gain_has_its_sign_and_zero_has_none() -> None:
    assert [words.gain(value) for value in (1234.5, -0.001, 0.0, -3.0)] == [
        "+1,234.50",
        "0.00",
        "0.00",
        "-3.00",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.00001234, "0.00001234"), (35342.1, "35342.1"), (34580.0, "34580"), (1e6, "1000000"), (0.0, "0")],
)
def test_a_price_has_all_its_digits_and_no_exponent(value: float, text: str) -> None:
    assert words.price(value) == text


def test_json_never_holds_nan_or_infinity() -> None:
    assert words.plain({"a": math.nan, "b": [math.inf, -math.inf], "c": (1, 2.5)}) == {
        "a": None,
        "b": ["inf", "-inf"],
        "c": [1, 2.5],
    }


def test_a_span_of_time_is_told_in_its_best_unit() -> None:
    assert [words.held(minutes * 60_000) for minutes in (45, 600, 7_200)] == ["45 min", "10 h", "5.0 d"]


def test_a_plain_table_is_aligned_with_a_line_above_the_total() -> None:
    table = Table(columns=columns("coin", ">net"), rows=(("a", "+1.00"), ("all", "+12.00")), total=True)
    assert plain_lines(table) == ["coin     net", "a      +1.00", "----  ------", "all   +12.00"]


def test_groups_without_trades_are_shown_as_unknown() -> None:
    rows = factors_table([], "asset", ["A", "B"]).rows
    assert [row[:3] for row in rows] == [
        ("A", "0", "unknown"),
        ("B", "0", "unknown"),
        ("all", "0", "unknown"),
    ]
