"""Reading replies: strict about shape, indifferent to price."""

import math

import numpy as np
import pytest

from engine_alpha.errors import DataError
from engine_alpha.exchanges.replies import number, whole
from engine_alpha.feeds.ccxt_instruments import bybit_tiers
from engine_alpha.feeds.ccxt_replies import Quote, bars_of, candle, quote, settlement

EIGHT_MS = 1_700_006_400_000


@pytest.mark.parametrize(
    "value", [None, True, 1.5, "1.5", "", "-", "--1", "1_000", "١", [], "1e3", "9" * 19, 10**18]
)
def test_what_is_not_a_whole_number_is_refused(value: object) -> None:
    with pytest.raises(DataError, match="not a whole number"):
        whole(value, "time")


def test_whole_numbers_come_as_digits_or_numbers() -> None:
    assert (whole("17", "time"), whole(17, "time"), whole("-3", "time")) == (17, 17, -3)


@pytest.mark.parametrize("value", [None, 1.5, 3, "", "abc", "1_0", "0x10", []])
def test_what_is_not_a_decimal_string_is_refused(value: object) -> None:
    with pytest.raises(DataError, match="not a decimal string"):
        number(value, "close")


def test_nan_is_a_number_to_be_judged_elsewhere() -> None:
    assert math.isnan(number("NaN", "close"))


@pytest.mark.parametrize("cells", [None, {}, [], ["1", "2", "3", "4", "5"], "123456"])
def test_a_candle_is_a_list_of_six_or_more(cells: object) -> None:
    with pytest.raises(DataError, match="a candle is"):
        candle(cells)


def test_rows_become_columns_in_the_order_given() -> None:
    rows = [candle([step, "1.1", "1.2", "1.0", "1.15", "7", "extra"]) for step in (3, 1, 2)]
    bars = bars_of(rows, 60_000)
    assert bars.open_ms.tolist() == [3, 1, 2] and bars.open_ms.dtype == np.int64
    assert bars.close.tolist() == [1.15] * 3 and bars.volume.flags.c_contiguous
    assert len(bars_of([], 60_000)) == 0


@pytest.mark.parametrize(
    ("sent", "taken"),
    [(0, 0), (7, 0), (1_000, 0), (-3, 0), (1_001, 1_001), (30_000, 30_000)],
)
def test_the_jitter_of_funding_times_is_taken_off(sent: int, taken: int) -> None:
    item = {"symbol": "ETHUSDT", "fundingTime": EIGHT_MS + sent, "fundingRate": "0.0001"}
    assert settlement(item, "ETHUSDT", "fundingTime") == (EIGHT_MS + taken, 0.0001)


@pytest.mark.parametrize("item", [{}, None, {"symbol": "X", "t": 1, "fundingRate": "0"}])
def test_a_settlement_of_the_wrong_shape_or_symbol_is_refused(item: object) -> None:
    with pytest.raises(DataError):
        settlement(item, "ETHUSDT", "t")


def test_a_rate_that_is_no_number_is_refused() -> None:
    with pytest.raises(DataError, match="funding rate"):
        settlement({"symbol": "X", "t": 1, "fundingRate": "nan"}, "X", "t")


def test_the_spread_is_measured_against_the_middle() -> None:
    assert Quote(99.0, 101.0).spread_bps() == 200.0


@pytest.mark.parametrize("sides", [("", "1"), ("0", "1"), ("2", "1"), ("1", "inf"), ("nan", "1")])
def test_a_book_without_two_sane_sides_has_no_spread(sides: tuple[str, str]) -> None:
    _, found = quote({"symbol": "X", "b": sides[0], "a": sides[1]}, "b", "a")
    assert found.spread_bps() is None


def tier(limit: str, rate: str, deduction: str = "") -> dict[str, str]:
    return {
        "symbol": "X",
        "riskLimitValue": limit,
        "maintenanceMargin": rate,
        "maxLeverage": "50",
        "mmDeduction": deduction,
    }


def test_missing_deductions_follow_the_recurrence() -> None:
    """Bybit's help-centre example: tiers of 1,000 at 2, 2.5, 3, 3.5 and 4 %; 3,500 needs 92.5."""
    rates = ["0.02", "0.025", "0.03", "0.035", "0.04"]
    listed = [tier(str(1_000 * (at + 1)), rate) for at, rate in enumerate(rates)]
    found = bybit_tiers(list(reversed(listed)), "X")
    assert [each.floor_quote for each in found] == [0.0, 1_000.0, 2_000.0, 3_000.0, 4_000.0]
    assert 3_500 * found[3].rate_frac - found[3].deduction_quote == pytest.approx(92.5)


def test_a_published_deduction_is_taken() -> None:
    listed = [tier("5000", "0.01"), tier("10000", "0.0111", "5.5"), tier("20000", "0.0125", "19.5")]
    assert [each.deduction_quote for each in bybit_tiers(listed, "X")] == [0.0, 5.5, 19.5]


@pytest.mark.parametrize("rate", ["0.6", "0", "-0.1", "2", "nan"])
def test_a_margin_in_percent_is_refused(rate: str) -> None:
    with pytest.raises(DataError, match="no fraction"):
        bybit_tiers([tier("5000", rate)], "X")
