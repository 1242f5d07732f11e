"""The decision's laws over whole runs: causal, anchored, symmetric, free of scale."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine_alpha.domain.bars import Bars, Funding
from engine_alpha.domain.lookback import BLOCK, WARMUP
from engine_alpha.kernel.codes import AT_MOST, CHOP, HIGH_VOL, LONG_ONLY, SHORT_ONLY, TREND_DOWN, TREND_UP
from engine_alpha.kernel.decide import decide
from engine_alpha.kernel.regime import SPAN_BARS
from engine_alpha.kernel.signals import (
    ADX,
    BOLLINGER_Z,
    CHANNEL_48,
    CHANNEL_240,
    DIRECTIONAL,
    QUOTE,
    SIGNALS,
    VOLATILITY_RATIO,
)
from engine_alpha.kernel.values import Decision, Features, Record, Rules
from tests.makers import (
    a_bar,
    a_card,
    a_condition,
    a_purse,
    an_asset,
    parameters,
    random_bars,
    rules,
    signal_table,
)
from tests.unit.kernel.scenes import (
    block_features,
    eight_hourly,
    fresh_purse,
    play,
    window_features,
    window_of,
)

FIRST = 400_064  # a bar number at which a block begins
START = FIRST - WARMUP
SEEDS = st.integers(min_value=0, max_value=10_000)
WHOLE_RUNS = settings(max_examples=16)
EDGE = 1e-6

CONDITIONS = (
    a_condition(CHANNEL_240, 0.6),
    a_condition(VOLATILITY_RATIO, 2.5, AT_MOST, directional=0),
    a_condition(CHANNEL_48, -1.0, AT_MOST),
    a_condition(BOLLINGER_Z, -1.0, AT_MOST),
    a_condition(ADX, 0.3, AT_MOST, directional=0),
)
BREAKOUT = a_card(entry_end=2, exit_first=2, exit_end=3, trail_atr=6.0, stop_atr=4.0)
REVERSION = a_card(entry_first=3, entry_end=5, stop_atr=2.0, target_atr=3.0, max_hold_bars=24)


def known_rules(**changes: Any) -> Rules:
    thresholds = parameters(confidence_min=0.02, neutral_zone=0.01, volatile_on=0.9, volatile_off=0.7)
    return rules((BREAKOUT, REVERSION), CONDITIONS, an_asset(**changes), thresholds=thresholds)


def market(seed: int, count: int = WARMUP + BLOCK + 200) -> tuple[Bars, Funding]:
    bars = random_bars(count, seed=seed, first_index=START)
    return bars, eight_hourly(bars, seed)


def records_of(bars: Bars, funding: Funding, known: Rules | None = None) -> list[Record]:
    known = known or known_rules()
    return play(known, block_features(bars, funding), fresh_purse(known))[1]


def as_text(records: list[Record]) -> list[str]:
    """Return records by their exact bits, NaN like NaN."""
    return [repr(record) for record in records]


# ------------------------------------------------------------------ causal


def cut(bars: Bars, count: int) -> Bars:
    return bars.between(int(bars.open_ms[0]), int(bars.close_ms[count - 1]))


def garbled(bars: Bars, count: int, seed: int) -> Bars:
    """Return the bars with everything from place `count` on replaced by another market."""
    other = random_bars(len(bars), seed=seed + 1, price=5_000.0, first_index=START)
    columns = {
        name: np.concatenate([getattr(bars, name)[:count], getattr(other, name)[count:]])
        for name in ("open", "high", "low", "close", "volume")
    }
    return replace(bars, **columns)


@WHOLE_RUNS
@given(SEEDS, st.integers(min_value=WARMUP + 1, max_value=WARMUP + BLOCK + 199))
def test_the_future_changes_no_bit_of_the_past(seed: int, count: int) -> None:
    bars, funding = market(seed)
    known = funding.settled_ms <= bars.close_ms[count - 1]
    past = replace(funding, settled_ms=funding.settled_ms[known], rate_frac=funding.rate_frac[known])
    other = replace(funding, rate_frac=np.where(known, funding.rate_frac, -0.05))
    whole = as_text(records_of(bars, funding))[: count - WARMUP]
    assert len(whole) == count - WARMUP
    assert as_text(records_of(cut(bars, count), past)) == whole
    assert as_text(records_of(garbled(bars, count, seed), other))[: count - WARMUP] == whole


# ------------------------------------------------------------------ anchored


@settings(max_examples=5)
@given(SEEDS)
def test_a_single_window_decides_as_the_block_does_to_the_bit(seed: int) -> None:
    bars, funding = market(seed)
    purse, known = a_purse(cards=2), known_rules()
    steps = block_features(bars, funding)
    for place in (*range(0, len(steps), 29), BLOCK - 1, BLOCK, BLOCK + 1):
        bar, seen = steps[place]
        alone = window_features(bars, funding, WARMUP + place)
        assert 513 <= alone.facts.window_bars <= 960
        assert repr(alone.row) == repr(seen.row)
        assert repr(decide(purse, known, bar, alone)) == repr(decide(purse, known, bar, seen))


@settings(max_examples=4)
@given(SEEDS, st.integers(min_value=1, max_value=700))
def test_history_before_the_window_does_not_matter(seed: int, extra: int) -> None:
    long = random_bars(WARMUP + BLOCK + extra, seed=seed, first_index=START - extra)
    funding = eight_hourly(long, seed)
    short = long.between(START * long.timeframe_ms, int(long.close_ms[-1]))
    later = replace(
        funding,
        settled_ms=funding.settled_ms[funding.settled_ms >= short.open_ms[0]],
        rate_frac=funding.rate_frac[funding.settled_ms >= short.open_ms[0]],
    )
    recent = block_features(short, later)
    assert [repr(step) for step in block_features(long, funding)[-len(recent) :]] == [
        repr(step) for step in recent
    ]


def test_a_purse_carries_over_a_blocks_edge_like_over_any_bar() -> None:
    bars, funding = market(5)
    known = known_rules()
    steps = block_features(bars, funding)
    whole = play(known, steps, fresh_purse(known))[1]
    purse, first = play(known, steps[:BLOCK], fresh_purse(known))
    assert as_text(first + play(known, steps[BLOCK:], purse)[1]) == as_text(whole)
    assert sum(record.settlement.trade.side != 0 for record in whole) >= 5


# ------------------------------------------------------------------ symmetric and free of scale

Change = Callable[[Bars, Funding], tuple[Bars, Funding]]


def mirrored(bars: Bars, funding: Funding) -> tuple[Bars, Funding]:
    axis = 2.0 * float(bars.high.max())
    turned = replace(
        bars, open=axis - bars.open, high=axis - bars.low, low=axis - bars.high, close=axis - bars.close
    )
    return turned, replace(funding, rate_frac=-funding.rate_frac)


def scaled(bars: Bars, factor: float, volume: float = 1.0) -> Bars:
    return replace(
        bars,
        open=bars.open * factor,
        high=bars.high * factor,
        low=bars.low * factor,
        close=bars.close * factor,
        volume=bars.volume * volume,
    )


def near_a_limit(seen: Features, decision: Decision, known: Rules) -> bool:
    """Say whether anything the choice compares lies within 1e-6 of what it is compared with."""
    p, row, at = known.parameters, seen.row, seen.at
    recent = slice(at - SPAN_BARS + 1, at + 1)
    trend, storm = np.abs(np.array(seen.trend[recent])), np.array(seen.volatility[recent])
    gaps = [abs(decision.opinion.score), abs(decision.opinion.confidence - p.confidence_min)]
    gaps += [float(np.nanmin(np.abs(trend - limit))) for limit in (p.trend_on, p.trend_off)]
    gaps += [float(np.nanmin(np.abs(storm - limit))) for limit in (p.volatile_on, p.volatile_off)]
    for condition in known.conditions:
        gaps += [abs(row[condition.signal] - condition.value), abs(row[condition.signal] + condition.value)]
    return min(gaps) < EDGE


MIRROR = {TREND_UP: TREND_DOWN, TREND_DOWN: TREND_UP, HIGH_VOL: HIGH_VOL, CHOP: CHOP}


def compare(seed: int, change: Change, sign: int) -> int:
    """Decide every bar in both markets; return how many bars chose a card in both."""
    bars, funding = market(seed, WARMUP + BLOCK)
    known, purse, chosen = known_rules(), a_purse(cards=2), 0
    pairs = zip(block_features(bars, funding), block_features(*change(bars, funding)), strict=True)
    for (bar, here), (other_bar, there) in pairs:
        one, other = decide(purse, known, bar, here), decide(purse, known, other_bar, there)
        assert other.opinion.coverage == one.opinion.coverage
        regime = MIRROR[one.opinion.regime] if sign < 0 else one.opinion.regime
        if near_a_limit(here, one, known):
            continue
        assert other.opinion.regime == regime
        assert other.opinion.score == pytest.approx(sign * one.opinion.score, abs=EDGE)
        assert other.opinion.direction == sign * one.opinion.direction
        assert other.card == one.card
        chosen += one.card >= 0
    return chosen


@WHOLE_RUNS
@given(SEEDS)
def test_mirrored_prices_mirror_the_choice(seed: int) -> None:
    assert compare(seed, mirrored, -1) >= 5


@WHOLE_RUNS
@given(SEEDS, st.floats(min_value=1e-4, max_value=1e4), st.floats(min_value=1e-3, max_value=1e3))
def test_prices_and_volumes_in_other_units_change_no_choice(seed: int, price: float, volume: float) -> None:
    assert compare(seed, lambda bars, funding: (scaled(bars, price, volume), funding), 1) >= 5


@WHOLE_RUNS
@given(SEEDS)
def test_signals_mirror_or_stay_by_their_kind(seed: int) -> None:
    bars, funding = market(seed, WARMUP + BLOCK)
    here, there = signal_table(bars, funding)[WARMUP:], signal_table(*mirrored(bars, funding))[WARMUP:]
    for code, spec in enumerate(SIGNALS):
        sign = -1.0 if spec.kind == DIRECTIONAL else 1.0
        assert there[:, code] == pytest.approx(sign * here[:, code], abs=1e-6), spec.name


def test_a_card_for_one_direction_is_mirrored_by_its_twin() -> None:
    bars, funding = market(2, WARMUP + BLOCK)
    longs = known_rules()._replace(cards=(BREAKOUT._replace(directions=LONG_ONLY),))
    shorts = known_rules()._replace(cards=(BREAKOUT._replace(directions=SHORT_ONLY),))
    purse, found = a_purse(), 0
    steps = zip(block_features(bars, funding), block_features(*mirrored(bars, funding)), strict=True)
    for (bar, here), (_, there) in steps:
        one, other = decide(purse, longs, bar, here), decide(purse, shorts, bar, there)
        if not near_a_limit(here, one, longs):
            assert one.card == other.card
            found += one.card >= 0
    assert found >= 5


@WHOLE_RUNS
@given(SEEDS, st.integers(min_value=-12, max_value=12))
def test_a_power_of_two_changes_no_bit_of_signals_choice_or_result(seed: int, power: int) -> None:
    factor = 2.0**power
    bars, funding = market(seed, WARMUP + BLOCK)
    base, one = an_asset(), known_rules()
    other = known_rules(
        tick_quote=base.tick_quote * factor,
        ticks_per_unit=base.ticks_per_unit / factor,
        lot_base=base.lot_base / factor,
        lots_per_unit=base.lots_per_unit * factor,
        min_quantity_base=base.min_quantity_base / factor,
        max_market_quantity_base=base.max_market_quantity_base / factor,
    )
    here = records_of(bars, funding, one)
    there = records_of(scaled(bars, factor, 1.0 / factor), funding, other)
    for a, b in zip(here, there, strict=True):
        assert repr(a.decision.opinion) == repr(b.decision.opinion)
        assert (a.decision.card, a.decision.action) == (b.decision.card, b.decision.action)
        assert repr(a.decision.gates) == repr(b.decision.gates)
        assert a.decision.size.quantity_base == b.decision.size.quantity_base * factor
        assert a.settlement.trade.net_quote == b.settlement.trade.net_quote
        assert a.equity_quote == b.equity_quote


def test_a_power_of_two_scales_the_quote_columns_and_nothing_else() -> None:
    bars, funding = market(3, WARMUP + BLOCK)
    here, there = signal_table(bars, funding), signal_table(scaled(bars, 1_024.0, 0.25), funding)
    for code, spec in enumerate(SIGNALS):
        wanted = here[:, code] * (1_024.0 if spec.kind == QUOTE else 1.0)
        np.testing.assert_array_equal(there[:, code], wanted, err_msg=spec.name)


# ------------------------------------------------------------------ what can't be known


@settings(max_examples=4)
@given(SEEDS)
def test_without_funding_only_the_positioning_vote_is_gone(seed: int) -> None:
    bars, funding = market(seed, WARMUP + BLOCK)
    for (_, full), (_, bare) in zip(
        block_features(bars, funding), block_features(bars, Funding()), strict=True
    ):
        differing = [
            spec.name for code, spec in enumerate(SIGNALS) if repr(full.row[code]) != repr(bare.row[code])
        ]
        assert differing == ["funding_pressure"]
        one, other = (decide(a_purse(cards=2), known_rules(), a_bar(), each).opinion for each in (full, bare))
        assert repr(one.votes[:3]) == repr(other.votes[:3])
        assert other.coverage < one.coverage == 1.0


@pytest.mark.parametrize("price", [0.0001, 1.0, 65_000.0])
def test_a_market_that_stands_still_is_never_entered(price: float) -> None:
    count = WARMUP + BLOCK
    still = np.full(count, price)
    bars = replace(random_bars(count, first_index=START), open=still, high=still, low=still, close=still)
    table = window_of(bars, Funding(), int(bars.open_ms[0]), int(bars.close_ms[-1]))
    assert np.isnan(table[:, CHANNEL_240]).all()
    for record in records_of(
        bars, Funding(), rules(thresholds=parameters(neutral_zone=0.0, confidence_min=0.0))
    ):
        assert (record.decision.opinion.direction, record.decision.card, record.decision.action) == (0, -1, 0)
