"""What orders fill at and cost, where a position would be liquidated, and what 1 R is."""

from itertools import pairwise

import pytest

from engine_alpha.kernel.fills import distance, market_fill, opened, priced_fill, risk_at
from engine_alpha.kernel.margin import liquidation_price, tier_of
from engine_alpha.kernel.settle import settle
from engine_alpha.kernel.values import Tier
from tests.makers import a_bar, a_risk, an_asset
from tests.unit.kernel.scenes import a_pending, a_sub

BINANCE_BTC = (
    Tier(0.0, 0.004, 0.0),
    Tier(300_000.0, 0.005, 300.0),
    Tier(800_000.0, 0.0065, 1_500.0),
    Tier(3_000_000.0, 0.01, 12_000.0),
    Tier(12_000_000.0, 0.02, 132_000.0),
)


def test_a_market_order_fills_against_us_on_the_grid() -> None:
    risk = a_risk(slippage_bps=1.5, spread_bps=1.0)  # 2 bp: 60,012.00246 and 59,988.00...
    bought = market_fill(an_asset(), risk, 1, 0.5, 60_000.05)
    sold = market_fill(an_asset(), risk, -1, 0.5, 60_000.05)
    assert (bought.price, sold.price) == (60_012.1, 59_988.0)
    assert bought.fee_quote == pytest.approx(0.5 * 60_012.1 * 0.00055)
    assert bought.slippage_quote == pytest.approx(0.5 * 12.05)
    assert sold.slippage_quote == pytest.approx(0.5 * 12.05)


def test_a_price_on_the_grid_without_costs_stays() -> None:
    free = a_risk(slippage_bps=0.0, spread_bps=0.0)
    for side in (1, -1):
        assert market_fill(an_asset(), free, side, 1.0, 100.3).price == 100.3


def test_a_sale_never_fills_below_one_tick() -> None:
    assert market_fill(an_asset(), a_risk(slippage_bps=9_999.0), -1, 1.0, 0.1).price == 0.1


def test_a_priced_fill_has_exactly_its_price() -> None:
    fill = priced_fill(an_asset(), -1, 2.0, 106.0, 106.0)
    assert (fill.price, fill.slippage_quote, fill.fee_quote) == (106.0, 0.0, 2.0 * 106.0 * 0.00055)


# ------------------------------------------------------------------ margin; oracles: test_fill_oracles


@pytest.mark.parametrize(
    ("notional", "rate"),
    [(0.0, 0.004), (299_999.9, 0.004), (300_000.0, 0.005), (3_000_000.0, 0.01), (99_000_000.0, 0.02)],
)
def test_the_tier_is_that_of_the_notional(notional: float, rate: float) -> None:
    assert tier_of(an_asset(tiers=BINANCE_BTC), notional).rate_frac == rate


def test_the_lowest_tier_holds_below_its_floor_too() -> None:
    assert tier_of(an_asset(tiers=(Tier(100.0, 0.01, 0.0),)), 5.0).rate_frac == 0.01


def test_deductions_make_maintenance_margin_continuous_over_tiers() -> None:
    for lower, upper in pairwise(BINANCE_BTC):
        floor = upper.floor_quote
        margin_below = floor * lower.rate_frac - lower.deduction_quote
        assert floor * upper.rate_frac - upper.deduction_quote == pytest.approx(margin_below)


@pytest.mark.parametrize("side", [1, -1])
def test_an_opened_position_uses_the_assets_leverage_and_tier(side: int) -> None:
    asset = an_asset(max_leverage=4.0, tiers=(Tier(0.0, 0.005, 0.0), Tier(150.0, 0.1, 5.0)))
    fill = priced_fill(asset, side, 2.0, 100.0, 100.0)
    position = opened(a_pending(side), fill, asset, a_risk(), a_bar())
    assert position.liquidation_price == liquidation_price(side, 2.0, 100.0, 50.0, Tier(150.0, 0.1, 5.0))


# ------------------------------------------------------------------ distances and risk


def test_a_distance_in_quote_counts_before_a_fraction() -> None:
    assert distance(3.0, 0.5, 100.0) == 3.0
    assert distance(0.0, 0.05, 100.0) == 5.0
    assert distance(0.0, 0.0, 100.0) == 0.0


@pytest.mark.parametrize("stop", [98.0, 102.0])
def test_one_r_is_the_loss_at_the_stop_with_fees_and_slippage(stop: float) -> None:
    lost = 10.0 * (2.0 + 0.00055 * (100.0 + stop) + 0.0002 * stop)
    assert risk_at(stop, 100.0, 10.0, 0.00055, 0.0002) == pytest.approx(lost)


@pytest.mark.parametrize("side", [1, -1])
def test_a_stopped_trade_with_slippage_loses_one_r_but_for_the_tick(side: int) -> None:
    costly = a_risk(slippage_bps=20.0, spread_bps=10.0)
    sub, _ = settle(a_sub(pending=a_pending(side)), an_asset(), costly, a_bar())
    beyond = a_bar(1_001, low=80.0) if side > 0 else a_bar(1_001, high=120.0)
    _, happened = settle(sub, an_asset(), costly, beyond)
    assert happened.trade.r == pytest.approx(-1.0, abs=0.02)


@pytest.mark.parametrize("side", [1, -1])
def test_a_stopped_trade_without_slippage_loses_exactly_one_r(side: int) -> None:
    free = a_risk(slippage_bps=0.0, spread_bps=0.0)
    sub, _ = settle(a_sub(pending=a_pending(side)), an_asset(), free, a_bar())
    beyond = a_bar(1_001, low=80.0) if side > 0 else a_bar(1_001, high=120.0)
    _, happened = settle(sub, an_asset(), free, beyond)
    assert happened.trade.r == pytest.approx(-1.0, abs=1e-12)


def test_the_target_of_a_position_without_one_is_zero() -> None:
    for side in (1, -1):
        position = opened(
            a_pending(side), priced_fill(an_asset(), side, 2.0, 100.0, 100.0), an_asset(), a_risk(), a_bar()
        )
        assert str(position.target_price) == "0.0"
