"""Money laws over whole runs: books balance, nothing closes that was not open, risk stays in its limit."""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine_alpha.kernel.codes import (
    AT_MOST,
    EXIT_LIQUIDATION,
    EXIT_STOP,
    EXIT_TARGET,
    EXIT_TIME,
    EXIT_TRAILING,
)
from engine_alpha.kernel.exits import trailed_stop
from engine_alpha.kernel.money import equity_quote, unrealised_quote
from engine_alpha.kernel.profit_factor import profit_factor
from engine_alpha.kernel.signals import ATR_14, BOLLINGER_Z, CHANNEL_48, RANGE_336
from engine_alpha.kernel.values import Bar, Features, Purse, Record, Rules, Tier
from tests.makers import (
    a_bar,
    a_card,
    a_condition,
    a_purse,
    a_risk,
    an_asset,
    features,
    parameters,
    random_bars,
    rules,
    signal_table,
)
from tests.unit.kernel.scenes import (
    RISING,
    a_pending,
    a_position,
    a_sub,
    eight_hourly,
    features_of,
    fresh_purse,
    kernel_bar,
    play,
    seen_as,
)

SEEDS = st.integers(min_value=0, max_value=10_000)
RUNS = settings(max_examples=12)
SIDES = st.sampled_from([1, -1])


class Run(NamedTuple):
    """One whole run: its rules, its bars and what came of them."""

    known: Rules
    bars: list[Bar]
    purse: Purse
    records: list[Record]


def a_run(seed: int, **asset: Any) -> Run:
    """Play 500 random bars, some with long wicks, with funding; two cards that leave in every way."""
    random = np.random.default_rng(seed)
    bars = random_bars(1_012, seed=seed, price=float(random.choice([3.0, 100.0, 40_000.0])))
    wick = 1.0 + 0.05 * (random.random(len(bars)) < 0.05)
    bars = replace(bars, high=bars.high * wick, low=bars.low / wick)
    table = signal_table(bars, eight_hourly(bars, seed))
    rates = random.normal(0.0, 0.0005, (len(bars), 2)) * (random.random((len(bars), 2)) < 0.3)
    tick = 0.1 if bars.close[0] > 1_000 else 0.001
    defaults = {"tick_quote": tick, "ticks_per_unit": 1.0 / tick, "min_quantity_base": 0.0, "lot_base": 1e-5}
    known = rules(
        (
            a_card(entry_end=1, exit_first=2, exit_end=3, stop_atr=2.0, trail_atr=4.0),
            a_card(
                entry_first=1,
                entry_end=2,
                stop_atr=1.0,
                target_atr=1.5,
                max_hold_bars=12,
                min_confidence=-0.5,
            ),
        ),
        (
            a_condition(CHANNEL_48, 0.5),
            a_condition(BOLLINGER_Z, -0.5, AT_MOST),
            a_condition(CHANNEL_48, -1.0, AT_MOST),
        ),
        an_asset(**{**defaults, "lots_per_unit": 1e5, **asset}),
        a_risk(cluster_losses=0, pf_min_trades=10_000, drawdown_limit_frac=5.0, drawdown_halt_frac=5.0),
        parameters(confidence_min=0.01, neutral_zone=0.01),
    )
    steps: list[tuple[Bar, Features]] = []
    seen = features_of(table, 512)
    for t in range(512, len(bars)):
        here = seen._replace(row=tuple(table[t].tolist()), at=t)
        steps.append((kernel_bar(bars, t, *rates[t].tolist()), here))
    purse, records = play(known, steps, fresh_purse(known))
    return Run(known, [bar for bar, _ in steps], purse, records)


# ------------------------------------------------------------------ the books


@RUNS
@given(SEEDS)
def test_equity_is_start_plus_trades_plus_open_profit_minus_fees_plus_funding(seed: int) -> None:
    """Rebuilt from fills and trades alone, apart from the sub-account's own sums."""
    run = a_run(seed)
    gross = fees = funding = quantity = entry_price = 0.0
    side = 0
    for bar, record in zip(run.bars, run.records, strict=True):
        s = record.settlement
        fees += s.entry.fee_quote + s.exit.fee_quote
        funding += s.funding_quote
        if s.entry.side != 0:
            side, quantity, entry_price = s.entry.side, s.entry.quantity_base, s.entry.price
        if s.exit.side != 0:
            gross += side * quantity * (s.exit.price - entry_price)
            side = 0
        unrealised = side * quantity * (bar.close - entry_price)
        wanted = run.known.asset.start_quote + gross + unrealised - fees + funding
        assert record.equity_quote == pytest.approx(wanted, rel=1e-9)
    assert sum(r.settlement.trade.side != 0 for r in run.records) >= 5
    assert funding != 0.0


@RUNS
@given(SEEDS)
def test_the_sub_accounts_sums_are_those_of_its_trades(seed: int) -> None:
    run = a_run(seed)
    trades = [r.settlement.trade for r in run.records if r.settlement.trade.side != 0]
    sub, position = run.purse.sub, run.purse.sub.position
    assert sub.trades == len(trades)
    assert sub.realised_quote == pytest.approx(sum(t.gross_quote for t in trades), rel=1e-9, abs=1e-9)
    assert sub.fees_quote == pytest.approx(sum(t.fees_quote for t in trades) + position.fee_quote, rel=1e-9)
    assert sub.funding_quote == pytest.approx(
        sum(t.funding_quote for t in trades) + position.funding_quote, rel=1e-9, abs=1e-9
    )
    assert equity_quote(sub) == pytest.approx(
        sub.start_quote
        + sum(t.net_quote for t in trades)
        + unrealised_quote(sub)
        - position.fee_quote
        + position.funding_quote,
        rel=1e-9,
    )
    factor = profit_factor([t.net_quote for t in trades])
    assert sub.gross_profit_quote == pytest.approx(factor.gross_profit_quote)
    assert sub.gross_loss_quote == pytest.approx(factor.gross_loss_quote)


@RUNS
@given(SEEDS)
def test_the_cards_tallies_add_up_to_the_sub_account(seed: int) -> None:
    run = a_run(seed)
    assert sum(t.trades for t in run.purse.tallies) == run.purse.sub.trades
    for name in ("gross_profit_quote", "gross_loss_quote"):
        total = sum(getattr(t, name) for t in run.purse.tallies)
        assert total == pytest.approx(getattr(run.purse.sub, name), rel=1e-9, abs=1e-9)


@RUNS
@given(SEEDS)
def test_every_close_has_its_open_and_every_open_at_most_one_close(seed: int) -> None:
    run = a_run(seed)
    opened = None
    for before, record in zip([None, *run.records], run.records, strict=False):
        s = record.settlement
        if s.entry.side != 0:
            assert opened is None
            assert before is not None
            assert before.decision.pending.side == s.entry.side
            assert before.decision.pending.quantity_base == s.entry.quantity_base
            opened = s.entry
        assert (s.exit.side != 0) == (s.trade.side != 0)
        if s.trade.side != 0:
            assert opened is not None
            assert (s.trade.side, s.trade.quantity_base) == (opened.side, opened.quantity_base)
            assert (s.trade.entry_ms, s.trade.entry_price) == (opened.at_ms, opened.price)
            assert s.exit.side == -opened.side
            opened = None
    assert (opened is None) == (run.purse.sub.position.side == 0)


def test_runs_leave_in_every_way_and_meet_ambiguous_bars() -> None:
    trades = [r.settlement.trade for seed in range(8) for r in a_run(seed).records]
    assert {EXIT_STOP, EXIT_TARGET, EXIT_TRAILING, EXIT_TIME} <= {t.exit_reason for t in trades}
    assert sum(t.ambiguous for t in trades) >= 1
    tight = a_run(1, max_leverage=3.0, tiers=(Tier(0.0, 0.3, 0.0),)).records
    assert EXIT_LIQUIDATION in {r.settlement.trade.exit_reason for r in tight}


@RUNS
@given(SEEDS)
def test_an_open_position_has_a_stop_on_the_losing_side_from_the_moment_it_opens(seed: int) -> None:
    for record in a_run(seed).records:
        seen = record.decision.exit
        if seen.held_bars > 0:
            assert seen.stop_price > 0.0
        trade = record.settlement.trade
        if trade.side != 0:
            assert trade.side * (trade.entry_price - trade.stop_price) > 0.0


@RUNS
@given(SEEDS)
def test_an_ambiguous_bar_could_only_have_gone_better(seed: int) -> None:
    for record in a_run(seed).records:
        trade = record.settlement.trade
        if trade.ambiguous == 1:
            assert trade.other_net_quote > trade.net_quote
        else:
            assert trade.other_net_quote == trade.net_quote


@RUNS
@given(SEEDS, st.sampled_from([2.8, 3.0, 3.1]))
def test_a_liquidation_costs_the_margin_and_its_fee_no_more(seed: int, leverage: float) -> None:
    tiers = (Tier(0.0, 0.3, 0.0),)  # a liquidation price just beyond the stops, so that one bar reaches both
    for record in a_run(seed, max_leverage=leverage, tiers=tiers).records:
        trade = record.settlement.trade
        if trade.side != 0 and trade.exit_reason == EXIT_LIQUIDATION:
            margin = trade.quantity_base * trade.entry_price / leverage
            assert -trade.gross_quote <= margin * (1.0 + 1e-9)


# ------------------------------------------------------------------ trailing


@given(SIDES, st.floats(1.0, 500.0), st.floats(1.0, 500.0), st.floats(0.5, 80.0))
def test_a_trailing_stop_never_loosens(side: int, high: float, low: float, trail: float) -> None:
    assume(high >= low)
    position = a_position(side, trail_quote=trail)
    stop = trailed_stop(position, a_bar(high=high, low=low), an_asset())
    assert side * stop >= side * position.stop_price
    best = high if side > 0 else low
    assert stop == position.stop_price or side * (best - stop) >= trail - 1e-6


@RUNS
@given(SEEDS)
def test_the_stop_of_a_position_only_moves_towards_profit(seed: int) -> None:
    stop, side = 0.0, 0
    for record in a_run(seed).records:
        if record.settlement.entry.side != 0:
            side, stop = record.settlement.entry.side, 0.0
        seen = record.decision.exit
        if seen.held_bars > 0:
            assert stop == 0.0 or side * seen.stop_price >= side * stop
            stop = seen.stop_price


# ------------------------------------------------------------------ risk and size


@st.composite
def entries(draw: st.DrawFn) -> dict[str, float]:
    price = draw(st.floats(2_000.0, 90_000.0))
    return {
        "price": round(price, 1),
        "stop": price * draw(st.floats(0.005, 0.15)),
        "fee": draw(st.floats(0.0, 0.001)),
        "slippage": draw(st.floats(1.0, 20.0)),
        "equity": draw(st.floats(500.0, 1e6)),
        "risk": draw(st.floats(0.001, 0.03)),
    }


@given(entries(), SIDES)
def test_what_is_lost_at_the_stop_stays_inside_the_risk(drawn: dict[str, float], side: int) -> None:
    """All costs included, when the next bar opens where the last closed and the stop is not gapped."""
    price, equity = drawn["price"], drawn["equity"]
    asset = an_asset(
        start_quote=equity, taker_fee_frac=drawn["fee"], max_leverage=5.0, max_market_quantity_base=1e9
    )
    risk = a_risk(
        risk_frac=drawn["risk"], slippage_bps=drawn["slippage"], spread_bps=0.0, account_start_quote=1e9
    )
    known = rules((a_card(stop_atr=0.0, stop_range=1.0),), asset=asset, risk=risk)
    row = {code: side * value for code, value in RISING.items()}
    seen = features({**row, ATR_14: 1.0, RANGE_336: drawn["stop"]})
    flat = {"open": price, "high": price, "low": price, "close": price}
    bars = [
        a_bar(1_000, **flat),
        a_bar(1_001, **{**flat, "low" if side > 0 else "high": price * (1 - side * 0.3)}),
    ]
    purse = fresh_purse(known)
    purse = purse._replace(account=purse.account._replace(peak_quote=1e9, day_start_quote=1e9))
    marked = [bar._replace(mark_low=price, mark_high=price) for bar in bars]
    purse, records = play(known, [(marked[0], seen), (marked[1], seen_as(0))], purse)
    pending = records[0].decision.pending
    assume(pending.side != 0)
    trade = records[1].settlement.trade
    assert trade.exit_reason == EXIT_STOP
    assert -trade.net_quote <= drawn["risk"] * equity * (1.0 + 1e-12)
    assert equity_quote(purse.sub) >= equity * (1.0 - drawn["risk"]) - 1e-9 * equity


@given(
    st.floats(0.2, 30.0),
    st.floats(100.0, 1e5),
    st.sampled_from([0.001, 0.01, 0.5, 1.0]),
    st.floats(0.05, 5.0),
)
def test_a_quantity_is_never_rounded_up_and_never_above_a_cap(
    atr: float, equity: float, lot: float, leverage: float
) -> None:
    asset = an_asset(
        start_quote=equity, lot_base=lot, lots_per_unit=1.0 / lot if lot < 1 else 1.0, max_leverage=leverage
    )
    known = rules(asset=asset, risk=a_risk(account_start_quote=1e7))
    _, records = play(known, [(a_bar(), features({**RISING, ATR_14: atr}))], fresh_purse(known))
    size = records[0].decision.size
    assert size.quantity_base <= size.unclipped_base + lot * 1e-8
    assert size.notional_quote <= leverage * equity * (1.0 + 1e-8) + lot * 1e-6
    assert size.quantity_base == 0.0 or size.quantity_base >= asset.min_quantity_base
    assert size.quantity_base / lot == pytest.approx(round(size.quantity_base / lot), abs=1e-6)


# ------------------------------------------------------------------ drawdown is monotone

PEAKS = st.floats(min_value=1_000.0, max_value=2_100.0)


def decided(peak: float) -> Record:
    return play(rules(), [(a_bar(), seen_as(1))], a_purse(sub=a_sub(peak_quote=peak)))[1][0]


@given(PEAKS, PEAKS)
def test_a_deeper_drawdown_never_allows_more(one: float, other: float) -> None:
    shallow, deep = (decided(peak).decision for peak in sorted((one, other)))
    assert deep.size.quantity_base <= shallow.size.quantity_base
    assert deep.gates[7].limit >= shallow.gates[7].limit  # confidence_min
    for more, less in zip(deep.gates, shallow.gates, strict=True):
        assert more.passed <= less.passed
    assert deep.pending.quantity_base <= shallow.pending.quantity_base


@given(st.floats(0.0, 3_500.0), st.floats(0.0, 3_500.0))
def test_a_deeper_loss_of_the_account_never_allows_more(one: float, other: float) -> None:
    def shared(loss: float) -> Any:
        purse = a_purse()
        return play(
            rules(), [(a_bar(), seen_as(1))], purse._replace(others=purse.others._replace(net_quote=-loss))
        )[1][0].decision

    small, large = shared(min(one, other)), shared(max(one, other))
    assert large.pending.quantity_base <= small.pending.quantity_base
    for more, less in zip(large.allocation, small.allocation, strict=True):
        assert more.passed <= less.passed


@given(SIDES, st.floats(60.0, 140.0))
def test_one_entry_makes_one_position_of_its_quantity(side: int, price: float) -> None:
    purse = a_purse(sub=a_sub(pending=a_pending(side)))
    bar = a_bar(open=price, high=price, low=price, close=price)
    purse, records = play(rules(), [(bar, seen_as(0))], purse)
    assert records[0].settlement.entry.quantity_base == 2.0
    assert (purse.sub.position.side, purse.sub.position.quantity_base, purse.sub.pending.side) == (
        side,
        2.0,
        0,
    )
