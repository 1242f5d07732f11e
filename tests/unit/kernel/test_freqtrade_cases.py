"""Cases from freqtrade's bank of candles (test_backtest_detail tc4, tc14, tc31, tc32), without costs.

The first bar decides, the second fills at its open of 5,000; tc31 and tc32 gap through a trailing stop.
"""

from typing import Any

import pytest

from engine_alpha.kernel.codes import EXIT_STOP, EXIT_TRAILING
from engine_alpha.kernel.values import Rules, Trade
from tests.makers import a_card, a_purse, a_risk, an_asset, rules
from tests.unit.kernel.scenes import bars_of, play, seen_as

Candle = tuple[float, float, float, float]


def traded(side: int, candles: list[Candle], **card: Any) -> tuple[int, Trade]:
    """Return the place of the bar that closed the first trade, and the trade."""
    asset = an_asset(start_quote=10_000.0, taker_fee_frac=0.0, max_leverage=1.0)
    known: Rules = rules(
        (a_card(stop_atr=0.0, **card),), asset=asset, risk=a_risk(slippage_bps=0.0, spread_bps=0.0)
    )
    bars = bars_of(*candles)
    seen = [seen_as(side)] + [seen_as(0)] * (len(bars) - 1)
    _, records = play(known, zip(bars, seen, strict=True), a_purse(10_000.0))
    return next((i, r.settlement.trade) for i, r in enumerate(records) if r.settlement.trade.side != 0)


def gained(trade: Trade) -> float:
    return trade.net_quote / (trade.quantity_base * trade.entry_price)


def test_tc4_stop_and_target_in_one_candle_is_the_stop() -> None:
    candles = [
        (5000.0, 5050.0, 4950.0, 5000.0),
        (5000.0, 5025.0, 4975.0, 4987.0),
        (4987.0, 5750.0, 4850.0, 5750.0),
        (4950.0, 5050.0, 4900.0, 4950.0),
    ]
    at, trade = traded(1, candles, stop_frac=0.02, target_frac=0.06)
    assert (at, trade.exit_reason, trade.ambiguous) == (2, EXIT_STOP, 1)
    assert gained(trade) == pytest.approx(-0.02)


def test_tc14_the_entry_candle_stops_out() -> None:
    candles = [
        (5000.0, 5050.0, 4950.0, 5000.0),
        (5000.0, 5100.0, 4600.0, 5100.0),
        (5100.0, 5251.0, 4850.0, 5100.0),
    ]
    at, trade = traded(1, candles, stop_frac=0.05, target_frac=0.1)
    assert (at, trade.exit_reason) == (1, EXIT_STOP)
    assert gained(trade) == pytest.approx(-0.05)


def test_tc31_a_gap_below_a_trailing_stop_fills_at_the_open() -> None:
    candles = [
        (5000.0, 5050.0, 4950.0, 5000.0),
        (5000.0, 5100.0, 4950.0, 5100.0),
        (5100.0, 5251.0, 5100.0, 5100.0),
        (4850.0, 5050.0, 4650.0, 4750.0),
    ]
    at, trade = traded(1, candles, stop_frac=0.1, trail_frac=0.03)
    assert (at, trade.exit_reason) == (3, EXIT_TRAILING)
    assert gained(trade) == pytest.approx(-0.03)


def test_tc32_a_gap_above_a_shorts_trailing_stop_fills_at_the_open() -> None:
    candles = [
        (5000.0, 5050.0, 4950.0, 5000.0),
        (5000.0, 5050.0, 4890.0, 4890.0),
        (4890.0, 4890.0, 4749.0, 4890.0),
        (5150.0, 5350.0, 4950.0, 4950.0),
    ]
    at, trade = traded(-1, candles, stop_frac=0.1, trail_frac=0.03)
    assert (at, trade.exit_reason) == (3, EXIT_TRAILING)
    assert gained(trade) == pytest.approx(-0.03)


def test_a_trailing_stop_of_a_bar_knows_only_the_bar_before() -> None:
    candles = [
        (5000.0, 5050.0, 4950.0, 5000.0),
        (5000.0, 5050.0, 4950.0, 5000.0),
        (5000.0, 6000.0, 4910.0, 5900.0),  # its own high would trail to 5,850, its low lies below
        (5900.0, 5950.0, 5860.0, 5900.0),
        (5900.0, 5900.0, 5800.0, 5810.0),
    ]
    at, trade = traded(1, candles, stop_frac=0.1, trail_frac=0.03)
    assert (at, trade.exit_price, trade.exit_reason) == (4, 5850.0, EXIT_TRAILING)
