"""Published numbers that fills must reproduce: funding, liquidation and bankruptcy prices, margin tiers."""

from typing import Any

import pytest

from engine_alpha.kernel.codes import EXIT_LIQUIDATION
from engine_alpha.kernel.margin import liquidation_price, tier_of
from engine_alpha.kernel.values import Bar, Purse, Record, Tier
from tests.makers import HOUR_MS, an_asset
from tests.unit.kernel.fill_rows import FIRST_MS, FIRST_NUMBER, SIDES, fill_rules
from tests.unit.kernel.scenes import a_pending, fresh_purse, play, seen_as


def standing_still(price: float, count: int, **last: Any) -> list[Bar]:
    """Return bars at one price; `last` changes the last of them."""
    bars = [
        Bar(FIRST_NUMBER + i, FIRST_MS + i * HOUR_MS, FIRST_MS + (i + 1) * HOUR_MS, *[price] * 4,
            1.0, price, price, 0.0, 0.0, 0, ())
        for i in range(count)
    ]  # fmt: skip
    return [*bars[:-1], bars[-1]._replace(**last)]


def holding(side: int, quantity: float, bars: list[Bar], asset: dict[str, Any]) -> tuple[Purse, list[Record]]:
    """Settle bars over a position of this quantity, entered at the second bar's open, its stop 1 % away."""
    finer = {"tick_quote": 0.01, "ticks_per_unit": 100.0, **asset}
    known = fill_rules({}, finer)
    purse = fresh_purse(known)
    pending = a_pending(
        side, quantity_base=quantity, decided_index=FIRST_NUMBER, stop_quote=0.0, stop_frac=0.01
    )
    purse = purse._replace(sub=purse.sub._replace(pending=pending))
    return play(known, [(bar, seen_as(0)) for bar in bars[1:]], purse)


@pytest.mark.parametrize(
    ("quantity", "price", "rate", "paid"),
    [(1.0, 60_000.0, 0.0001, 6.0), (10.0, 2.0, 0.0002, 0.004)],
    ids=["1 BTC at 60,000 and 0.01 %", "freqtrade: 10 at 2.0 and 0.0002"],
)
@SIDES
def test_funding_oracles(quantity: float, price: float, rate: float, paid: float, side: int) -> None:
    """A long pays a positive rate, a short receives it; the venue keeps nothing."""
    bars = standing_still(price, 3, funding_open_frac=rate)
    _, records = holding(side, quantity, bars, {})
    assert records[-1].settlement.funding_quote == pytest.approx(-side * paid, rel=1e-12)


# ------------------------------------------------------------------ liquidation: the oracles

HALF_PERCENT = Tier(0.0, 0.005, 0.0)
WALLET = 1_535_443.01  # of Binance's worked example
ETH, BTC = (3_683.979, 1_456.84), (109.488, 32_481.98)


@pytest.mark.parametrize(("side", "price"), [(1, 39_396.985), (-1, 40_597.015)], ids=["long", "short"])
def test_bybits_current_formula(side: int, price: float) -> None:
    """1 BTC at 40,000, 50 times, 0.5 % maintenance."""
    assert liquidation_price(side, 1.0, 40_000.0, 800.0, HALF_PERCENT) == pytest.approx(price, abs=0.0005)


def test_bybits_worked_example_with_extra_margin() -> None:
    margin = 800.0 + 3_000.0 / (1.0 - 0.00055)
    assert liquidation_price(1, 1.0, 40_000.0, margin, HALF_PERCENT) == pytest.approx(36_380.250344, abs=1e-6)


@pytest.mark.parametrize(
    ("coin", "wallet", "tier", "price"),
    [
        (ETH, WALLET, Tier(0.0, 0.10, 135_365.0), 1_114.78),
        (BTC, WALLET, Tier(0.0, 0.025, 16_300.0), 18_778.73),
        (ETH, WALLET - 71_200.81 - 56_354.57, Tier(0.0, 0.10, 135_365.0), 1_153.26),
        (BTC, WALLET - 356_512.51 - 448_192.89, Tier(0.0, 0.025, 16_300.0), 26_316.89),
    ],
    ids=["ETH alone", "BTC alone", "ETH beside BTC", "BTC beside ETH"],
)
def test_binances_worked_example(coin: tuple[float, float], wallet: float, tier: Tier, price: float) -> None:
    """The wallet less the other positions' maintenance margin, their profit added, is the margin."""
    assert liquidation_price(1, *coin, wallet, tier) == pytest.approx(price, abs=0.005)


@pytest.mark.parametrize(("side", "price"), [(1, 8.0707070707), (-1, 11.8910891089)], ids=["long", "short"])
def test_freqtrades_small_position(side: int, price: float) -> None:
    assert liquidation_price(side, 1.0, 10.0, 2.0, Tier(0.0, 0.01, 0.01)) == pytest.approx(price, abs=1e-9)


def test_an_unlevered_long_can_not_be_liquidated() -> None:
    assert liquidation_price(1, 1.0, 100.0, 100.0, HALF_PERCENT) == 0.0
    assert liquidation_price(1, 1.0, 100.0, 150.0, HALF_PERCENT) == 0.0


def test_bybits_tiers_make_92_and_a_half_of_margin_at_3_500() -> None:
    tiers = (
        Tier(0.0, 0.02, 0.0),
        Tier(1_000.0, 0.025, 5.0),
        Tier(2_000.0, 0.03, 15.0),
        Tier(3_000.0, 0.035, 30.0),
        Tier(4_000.0, 0.04, 50.0),
    )
    tier = tier_of(an_asset(tiers=tiers), 3_500.0)
    assert 3_500.0 * tier.rate_frac - tier.deduction_quote == pytest.approx(92.5)


@pytest.mark.parametrize(("side", "price"), [(1, 58_800.0), (-1, 61_200.0)], ids=["long", "short"])
def test_bybits_bankruptcy_price_is_where_a_liquidation_fills(side: int, price: float) -> None:
    """1 BTC at 60,000, 50 times; the last price never moved, the mark did."""
    bars = standing_still(60_000.0, 3, mark_low=59_000.0, mark_high=61_000.0)
    _, records = holding(side, 1.0, bars, {"max_leverage": 50.0})
    trade = records[-1].settlement.trade
    assert (trade.exit_reason, trade.exit_price) == (EXIT_LIQUIDATION, pytest.approx(price, rel=1e-12))
    assert trade.gross_quote == pytest.approx(-60_000.0 / 50.0)
