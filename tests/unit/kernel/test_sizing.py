"""How much is entered: the oracle, the limits, the rounding."""

import math

import pytest

from engine_alpha.kernel.cards import Choice
from engine_alpha.kernel.codes import TREND_UP
from engine_alpha.kernel.signals import ATR_14, RANGE_336
from engine_alpha.kernel.sizing import (
    NO_SIZE,
    drawdown_factor,
    drawdown_frac,
    pending_of,
    resized,
    spec_quote,
)
from engine_alpha.kernel.values import Pending, Rules, Size, SubAccount, View
from tests.makers import a_bar, a_card, a_purse, a_risk, an_asset, features, rules
from tests.unit.kernel.scenes import NAN, QUIET, RISING, a_sub, play, seen_as

ROW = features(RISING).row


def size(
    known: Rules, sub: SubAccount | None = None, row: object = ROW, price: float = 100.0, side: int = 1
) -> Size:
    """Return the size a decision in that direction comes to, before the account's caps."""
    purse = a_purse(sub=sub or a_sub(known.asset.start_quote))
    bar = a_bar(open=price, high=price, low=price, close=price)
    _, records = play(known, [(bar, seen_as(side)._replace(row=row))], purse)
    return records[0].decision.size


def test_the_oracle_of_a_two_percent_stop() -> None:
    """Equity 10,000, risk 1 %, entry 100, stop 98, fee 0.055 %: 100 / 2.1089 = 47.418 units."""
    known = rules(
        (a_card(stop_atr=2.0),),
        asset=an_asset(start_quote=10_000.0),
        risk=a_risk(slippage_bps=0.0, spread_bps=0.0),
    )
    assert size(known).quantity_base == 47.418


def test_a_shorts_stop_lies_above_so_its_fee_is_a_little_more() -> None:
    """|E - SL| + f (E + SL) with the stop at 102: 100 / (2 + 0.00055 * 202) = 47.368."""
    known = rules(
        (a_card(stop_atr=2.0),),
        asset=an_asset(start_quote=10_000.0),
        risk=a_risk(slippage_bps=0.0, spread_bps=0.0),
    )
    row = tuple(-x if i not in QUIET else x for i, x in enumerate(ROW))
    assert size(known, row=row, side=-1).quantity_base == 47.368


def test_quantity_is_rounded_down_to_the_lot() -> None:
    coarse = rules(asset=an_asset(lot_base=0.5, lots_per_unit=2.0))
    fine = size(rules()).unclipped_base
    assert size(coarse).quantity_base == math.floor(fine * 2.0) / 2.0 < fine


def test_below_the_smallest_quantity_there_is_no_trade() -> None:
    quantity = size(rules()).quantity_base
    assert size(rules(asset=an_asset(min_quantity_base=quantity))).quantity_base == quantity
    nothing = size(rules(asset=an_asset(min_quantity_base=quantity + 0.001)))
    assert (nothing.quantity_base, nothing.notional_quote, nothing.risk_quote) == (0.0, 0.0, 0.0)
    assert nothing.unclipped_base > quantity


def test_less_than_one_lot_is_no_trade() -> None:
    assert (
        size(rules(asset=an_asset(lot_base=10.0, lots_per_unit=0.0, min_quantity_base=0.0))).quantity_base
        == 0.0
    )


def test_leverage_venue_and_card_clip_the_quantity() -> None:
    assert size(rules(asset=an_asset(max_leverage=0.1))).quantity_base == 1.0
    assert size(rules(asset=an_asset(max_market_quantity_base=0.7))).quantity_base == 0.7
    assert size(rules((a_card(max_notional_quote=50.0),))).quantity_base == 0.5
    assert size(rules()).quantity_base > 1.0


def test_size_follows_risk_card_factor_and_equity() -> None:
    one = size(rules()).unclipped_base
    assert size(rules(risk=a_risk(risk_frac=0.02))).unclipped_base == pytest.approx(2 * one)
    assert size(rules((a_card(size_factor=0.5),))).unclipped_base == pytest.approx(0.5 * one)
    assert size(rules(), a_sub(3_000.0)).unclipped_base == pytest.approx(3 * one)


def test_a_drawdown_shrinks_the_size_in_proportion_to_the_room_left() -> None:
    whole, half = size(rules(), a_sub(peak_quote=1_000.0)), size(rules(), a_sub(peak_quote=1_000.0 / 0.75))
    assert half.unclipped_base == pytest.approx(0.5 * whole.unclipped_base)  # 25 % of the 50 % limit
    assert size(rules(), a_sub(peak_quote=2_000.0)).quantity_base == 0.0


@pytest.mark.parametrize("row", [{**RISING, ATR_14: NAN}, {**RISING, ATR_14: 0.0}])
def test_an_unknown_stop_distance_is_no_trade(row: dict[int, float]) -> None:
    assert size(rules(), row=features(row).row) == NO_SIZE


def test_no_equity_is_no_trade() -> None:
    assert size(rules(), a_sub(realised_quote=-1_000.0)).quantity_base == 0.0
    assert size(rules(), a_sub(realised_quote=NAN)).quantity_base == 0.0


def test_distances_come_from_atr_and_mean_range() -> None:
    row = features({ATR_14: 2.0, RANGE_336: 3.0}).row
    assert spec_quote(2.0, 0.0, row) == 4.0
    assert spec_quote(0.0, 2.0, row) == 6.0
    assert spec_quote(0.0, 0.0, row) == 0.0
    assert math.isnan(spec_quote(1.0, 0.0, features({}).row))
    assert spec_quote(0.0, 1.0, features({RANGE_336: 3.0}).row) == 3.0  # what is not asked for may be unknown


def test_the_caps_room_cuts_to_the_lot_and_never_enlarges() -> None:
    asset, wanted = an_asset(), Size(2.0, 200.0, 8.0, 3.0, 2.5)
    assert resized(asset, wanted, 500.0, 100.0) == wanted
    assert resized(asset, wanted, 200.0, 100.0) == wanted
    cut = resized(asset, wanted, 123.45, 100.0)
    assert (cut.quantity_base, cut.notional_quote) == (1.234, pytest.approx(123.4))
    assert cut.risk_quote == pytest.approx(1.234 * 4.0)
    assert (cut.stop_distance_quote, cut.unclipped_base) == (3.0, 2.5)
    for room in (0.05, 0.0, -50.0):
        assert resized(asset, wanted, room, 100.0).quantity_base == 0.0


def test_drawdown_is_a_share_of_the_peak_and_never_negative() -> None:
    assert drawdown_frac(a_sub(peak_quote=1_250.0)) == 0.2
    assert drawdown_frac(a_sub(peak_quote=900.0)) == 0.0


def test_an_unknown_drawdown_counts_as_total() -> None:
    for unknown in (
        {"peak_quote": NAN},
        {"peak_quote": 0.0},
        {"realised_quote": NAN},
        {"funding_quote": NAN},
    ):
        assert drawdown_frac(a_sub(**unknown)) == 1.0


@pytest.mark.parametrize(("drawdown", "left"), [(0.0, 1.0), (0.1, 0.5), (0.2, 0.0), (0.5, 0.0), (NAN, 0.0)])
def test_the_drawdown_band_leaves_less_the_deeper_it_is(drawdown: float, left: float) -> None:
    assert drawdown_factor(drawdown, 0.2) == left


def test_a_band_without_width_leaves_nothing() -> None:
    assert drawdown_factor(0.0, 0.0) == drawdown_factor(0.0, NAN) == 0.0


def test_a_pending_entry_carries_distances_regime_and_confidence() -> None:
    card = a_card(stop_atr=2.0, target_atr=3.0, trail_range=4.0, max_hold_bars=7)
    view = View(TREND_UP, -1, -0.4, 0.4, 1.0, (NAN,) * 5)
    seen = pending_of(rules((card,)), Choice(0, -1), Size(1.5, 150.0, 6.0, 2.0, 1.5), a_bar(), view, ROW)
    assert seen == Pending(-1, 0, 1.5, 100.0, 1_000, 2.0, 0.0, 3.0, 0.0, 4.0, 0.0, 7, 6.0, TREND_UP, 0.4)


def test_no_quantity_is_no_pending_entry() -> None:
    view = View(TREND_UP, 1, 0.4, 0.4, 1.0, (NAN,) * 5)
    assert pending_of(rules(), Choice(0, 1), NO_SIZE, a_bar(), view, ROW).side == 0
