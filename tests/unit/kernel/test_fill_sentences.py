"""What the fill rules say beyond the rows of `test_fill_table`: costs, paper, reports, funding, fees."""

from pathlib import Path

import pytest

from engine_alpha.domain.asset import AssetConfig
from engine_alpha.home import Home, init_home
from engine_alpha.kernel.fills import market_fill
from engine_alpha.kernel.profit_factor import profit_factor
from engine_alpha.plans.setup import read_setup
from engine_alpha.reports.rehearsal import rehearsal_lines
from engine_alpha.reports.words import factor
from engine_alpha.venues.paper import PaperVenue
from tests.makers import HOUR_MS
from tests.unit.kernel.fill_rows import (
    DECIDED,
    FIRST_MS,
    FIRST_NUMBER,
    QUIET,
    SIDES,
    Candle,
    Row,
    bars_of_row,
    fill_rules,
    played,
    trade_of,
)
from tests.unit.kernel.scenes import fresh_purse, play, seen_as

# ------------------------------------------------------------------ entry: costs, and what is fixed when


@SIDES
def test_entry_the_quantity_is_that_of_the_decision_the_price_that_of_the_next_open(side: int) -> None:
    row = Row("entry", "", (DECIDED, (3, 4, 2, 3)), None)
    known = fill_rules({"target_range": 20.0, "trail_range": 50.0}, {"taker_fee_frac": 0.00055},
                       slippage_bps=20.0, spread_bps=20.0)  # fmt: skip
    purse, (decided, settled) = played(row, side, known)
    entry, position = settled.settlement.entry, purse.sub.position
    opened = 100.0 + 3.0 * side
    price = 103.4 if side > 0 else 96.7  # 0.3 % worse than the open, to the tick against us
    assert decided.decision.pending.decided_price == 100.0
    assert (entry.price, entry.raw_price, entry.at_ms) == (price, opened, FIRST_MS + HOUR_MS)
    assert entry.quantity_base == decided.decision.pending.quantity_base == position.quantity_base
    assert entry.fee_quote == purse.sub.fees_quote == pytest.approx(entry.quantity_base * price * 0.00055)
    assert entry.slippage_quote == pytest.approx(entry.quantity_base * side * (price - opened))
    assert position.stop_price == position.first_stop_price == pytest.approx(price - 10.0 * side)
    assert position.target_price == pytest.approx(price + 20.0 * side)
    assert (position.trail_quote, position.entry_index, purse.sub.pending.side) == (50.0, FIRST_NUMBER + 1, 0)


@SIDES
def test_paper_shows_the_fill_when_the_next_bar_has_begun_and_books_it_when_it_settles(side: int) -> None:
    known = fill_rules({}, {}, slippage_bps=20.0, spread_bps=20.0)
    row = Row("paper", "", (DECIDED, (3, 4, 2, 3)), None)
    venue = PaperVenue(known.asset, known.risk)
    before, _ = played(row._replace(candles=row.candles[:1]), side, known)
    assert before.sub.position.side == 0
    assert venue.provisional_fill(before.sub.pending, None) is None
    shown = venue.provisional_fill(before.sub.pending, 100.0 + 3.0 * side)
    after, _ = played(row, side, known)
    assert (after.sub.position.entry_price, after.sub.pending.side) == (shown, 0)
    assert shown == (103.4 if side > 0 else 96.7)


# ------------------------------------------------------------------ ambiguous bars and what reports say


@SIDES
def test_ambiguous_bars_are_counted_and_the_other_profit_factor_is_told(side: int) -> None:
    """One trade wins 6, one loses 10, one loses 10 and could have won 6: PF 6/20, or 12/10."""
    kinds: tuple[Candle, ...] = ((0, 6, -1, 5), (0, 1, -10, -9), (0, 8, -12, 3))
    trades = []
    for last in kinds:
        found = trade_of(
            played(Row("ambiguous", "", (DECIDED, QUIET, last), None, {"target_range": 6.0}), side)[1]
        )
        assert found is not None
        trades.append(found[1])
    whole = profit_factor([trade.net_quote for trade in trades])
    other = profit_factor([trade.other_net_quote for trade in trades])
    assert (whole.value, other.value) == pytest.approx((0.3, 1.2))
    counted = {"ambiguous": sum(trade.ambiguous for trade in trades), "equity_quote": 0.0,
               "funding_quote": 0.0, "funding_unknown_bars": 0, "bars_per_s": None, "account": "",
               "stepped_bars": 0, "resumed_at_ms": None, "decisions": 9, "trades": 3,
               "decisions_sha256": "", "ledger_sha256": ""}  # fmt: skip
    told = "\n".join(rehearsal_lines(counted, other))
    assert f"1 bar held stop and target both; PF {factor(other)} had they gone the other way" in told
    assert factor(other).startswith("1.20")


# ------------------------------------------------------------------ funding that nobody knows


@SIDES
def test_funding_that_nobody_knows_is_zero_and_counted_per_bar_in_a_position(side: int) -> None:
    row = Row("funding", "", (DECIDED, QUIET, QUIET), None)
    known = fill_rules({}, {})
    bars = [bar._replace(funding_unknown=1) for bar in bars_of_row(row, side)]
    seen = [seen_as(side), seen_as(0), seen_as(0)]
    purse, records = play(known, zip(bars, seen, strict=True), fresh_purse(known))
    assert [record.settlement.funding_quote for record in records] == [0.0, 0.0, 0.0]
    assert purse.sub.funding_unknown_bars == 1, "the entry bar opened flat"


# ------------------------------------------------------------------ fees


@pytest.mark.parametrize(
    ("venue", "maker", "taker"), [("bybit", 0.0002, 0.00055), ("binance", 0.0002, 0.0005)]
)
@SIDES
def test_a_fresh_homes_fills_pay_the_default_fees(
    tmp_path: Path, venue: str, maker: float, taker: float, side: int
) -> None:
    home = Home(tmp_path)
    init_home(tmp_path)
    setup = read_setup(home)
    for asset in setup.registry.assets:
        plan = setup.plan(moved_to(asset, venue))
        fill = market_fill(plan.rules.asset, plan.rules.risk, side, 2.0, 100.0)
        assert fill.fee_quote == pytest.approx(2.0 * fill.price * taker, rel=1e-12)
        assert plan.instrument.maker_fee_frac == maker


def moved_to(asset: AssetConfig, venue: str) -> AssetConfig:
    """Return the asset as the other venue trades it."""
    return AssetConfig(
        **{name: getattr(asset, name) for name in AssetConfig.__dataclass_fields__} | {"venue": venue}
    )
