"""What came first inside a bar can only lie between two bounds: stop first <= the true path <= target first.

Random minute paths are added up to hours and played three ways over the same decisions: by hours alone (the
stop first), by minutes (the path), and as the hours would have gone the other way (the target first).
A path is continuous: each minute opens where the last closed. Where minutes gap, a stop may fill worse than
the hour's rule says.
"""

from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine_alpha.kernel.codes import EXIT_STOP, EXIT_TARGET, EXIT_TRAILING
from engine_alpha.kernel.profit_factor import profit_factor
from engine_alpha.kernel.values import Bar, Rules, Trade
from tests.makers import HOUR_MS, a_bar, a_card, a_risk, an_asset, parameters, rules
from tests.unit.kernel.scenes import fresh_purse, play, seen_as

SEEDS = st.integers(min_value=0, max_value=1_000_000)
FIRST_NUMBER = 1_008
CYCLE = 6  # hours: one decides, one enters, four are wild
CYCLES = 40
CALM, WILD = 0.00005, 0.0015  # deviation of a minute's change
ROUNDING = 1e-9


class Played(NamedTuple):
    """The same hours played twice: trades by hours alone and by minutes."""

    by_hours: list[Trade]
    by_minutes: list[Trade]


def minute_paths(random: np.random.Generator, calm_hours: np.ndarray) -> list[np.ndarray]:
    """Return each hour's minutes as rows (open, high, low, close), on the tick grid; hours may gap."""
    paths, price = [], 100.0
    for calm in calm_hours.tolist():
        price *= 1.0 + (0.0 if calm else 0.003 * float(random.standard_normal()))
        changes = (CALM if calm else WILD) * random.standard_normal((60, 3))
        closes = price * np.cumprod(1.0 + changes[:, 0])
        opens = np.concatenate([[price], closes[:-1]])
        highs = np.maximum(opens, closes) * (1.0 + np.abs(changes[:, 1]))
        lows = np.minimum(opens, closes) * (1.0 - np.abs(changes[:, 2]))
        paths.append(np.round(np.column_stack([opens, highs, lows, closes]), 2))
        price = float(closes[-1])
    return paths


def hour_of(number: int, minutes: np.ndarray) -> Bar:
    """Return the hour that the minutes make up, without them."""
    opened, close = float(minutes[0, 0]), float(minutes[-1, 3])
    high, low = float(minutes[:, 1].max()), float(minutes[:, 2].min())
    return a_bar(number, open=opened, high=high, low=low, close=close)


def a_run(seed: int, entries_are_calm: bool, **card: Any) -> Played:
    """Enter every cycle if flat, one way or the other; the size is capped, so both runs trade alike."""
    random = np.random.default_rng(seed)
    hours = CYCLE * CYCLES
    places = np.arange(hours) % CYCLE
    calm = (places < 2) if entries_are_calm else np.zeros(hours, dtype=bool)
    paths = minute_paths(random, calm)
    sides = random.choice([1, -1], size=hours)
    seen = [seen_as(int(sides[i]) if places[i] == 0 else 0) for i in range(hours)]
    bars = [hour_of(FIRST_NUMBER + i, paths[i]) for i in range(hours)]
    known = rules_of(**card)
    played = []
    for each in (bars, [bar._replace(minutes=path) for bar, path in zip(bars, paths, strict=True)]):
        _, records = play(known, zip(each, seen, strict=True), fresh_purse(known))
        played.append([r.settlement.trade for r in records if r.settlement.trade.side != 0])
    return Played(*played)


def rules_of(**card: Any) -> Rules:
    """Return rules with costs under which no earlier result changes a later decision."""
    asset = an_asset(start_quote=1_000.0, tick_quote=0.01, ticks_per_unit=100.0, max_leverage=2.0)
    risk = a_risk(cluster_losses=0, pf_min_trades=10_000, drawdown_limit_frac=100.0, drawdown_tighten=0.0)
    risk = risk._replace(daily_loss_frac=100.0, drawdown_halt_frac=100.0, cooldown_bars=0, risk_frac=0.05)
    thresholds = parameters(confidence_min=0.0, neutral_zone=0.0)
    one = a_card(stop_atr=0.0, max_notional_quote=100.0, **card)
    return rules((one,), asset=asset, risk=risk, thresholds=thresholds)


@st.composite
def distances(draw: st.DrawFn) -> dict[str, float]:
    """Return a stop and a target that an hour can reach, now and then with a trailing stop."""
    trail = draw(st.sampled_from([0.0, 0.0, 0.006, 0.015]))
    return {
        "stop_frac": draw(st.floats(0.004, 0.02)),
        "target_frac": draw(st.floats(0.004, 0.02)),
        "trail_frac": trail,
    }


def key_of(trade: Trade) -> tuple[int, int, int, float]:
    """Return what the same trade has in common in both runs: when it came and went, how, how much."""
    return trade.side, trade.entry_ms, trade.entry_ms + trade.bars_held * HOUR_MS, trade.quantity_base


def assert_bounded(low: Trade, path: Trade) -> None:
    """Check one trade: an unambiguous hour is the same both ways, an ambiguous one is one of the two."""
    slack = ROUNDING * (abs(low.net_quote) + abs(low.other_net_quote) + 1.0)
    assert low.net_quote <= path.net_quote + slack
    assert path.net_quote <= low.other_net_quote + slack
    if low.ambiguous == 0:
        assert (path.exit_price, path.exit_reason) == (low.exit_price, low.exit_reason)
        assert path.net_quote == low.net_quote


def factor_of(nets: list[float]) -> float:
    """Return the profit factor."""
    value = profit_factor(nets).value
    assert value is not None
    return value


@settings(max_examples=30)
@given(SEEDS, distances())
def test_stop_first_is_at_most_the_path_is_at_most_target_first(seed: int, card: dict[str, float]) -> None:
    """Per trade and for the whole run, whose trades are the same: entry bars are calm."""
    run = a_run(seed, entries_are_calm=True, **card)
    assert [key_of(trade) for trade in run.by_hours] == [key_of(trade) for trade in run.by_minutes]
    assert len(run.by_hours) >= 10
    for low, path in zip(run.by_hours, run.by_minutes, strict=True):
        assert_bounded(low, path)
    stop_first = factor_of([trade.net_quote for trade in run.by_hours])
    by_path = factor_of([trade.net_quote for trade in run.by_minutes])
    target_first = factor_of([trade.other_net_quote for trade in run.by_hours])
    assert stop_first <= by_path * (1.0 + ROUNDING)
    assert by_path <= target_first * (1.0 + ROUNDING)


@settings(max_examples=30)
@given(SEEDS, distances())
def test_on_wild_entry_bars_the_path_is_still_no_worse_than_the_stop_first(
    seed: int, card: dict[str, float]
) -> None:
    """By minutes an entry bar may take its target, by hours it may not: compared is what ends in one hour."""
    run = a_run(seed, entries_are_calm=False, **card)
    by_minutes = {key_of(trade): trade for trade in run.by_minutes}
    for low in run.by_hours:
        path = by_minutes.get(key_of(low))
        if path is not None and (path.bars_held > 0 or path.exit_reason != EXIT_TARGET):
            assert_bounded(low, path)
        elif path is not None:
            assert low.net_quote <= path.net_quote


@settings(max_examples=30)
@given(SEEDS, distances())
def test_an_ambiguous_hour_could_only_have_gone_better(seed: int, card: dict[str, float]) -> None:
    for trade in a_run(seed, entries_are_calm=False, **card).by_hours:
        if trade.ambiguous == 1:
            assert trade.other_net_quote > trade.net_quote, trade
        else:
            assert trade.other_net_quote == trade.net_quote


def test_the_paths_go_both_ways_often_enough_to_prove_something() -> None:
    """Ambiguous hours that the minutes decide for the stop, for the target, and for a trailing stop."""
    decided = {EXIT_STOP: 0, EXIT_TARGET: 0, EXIT_TRAILING: 0}
    strict_low = strict_high = 0
    for seed in range(12):
        trail = 0.006 if seed % 3 == 0 else 0.0
        run = a_run(seed, entries_are_calm=True, stop_frac=0.008, target_frac=0.008, trail_frac=trail)
        for low, path in zip(run.by_hours, run.by_minutes, strict=True):
            decided[path.exit_reason] += low.ambiguous
            strict_low += low.net_quote < path.net_quote
            strict_high += path.net_quote < low.other_net_quote
    assert min(decided.values()) >= 5, decided
    assert min(strict_low, strict_high) >= 20, (strict_low, strict_high)


@pytest.mark.parametrize("side", [1, -1])
def test_where_minutes_gap_a_stop_may_fill_worse_than_the_hour_says(side: int) -> None:
    """The one way below the lower bound: the hour hides a gap, its minutes do not."""
    known = rules_of(stop_frac=0.01, target_frac=0.05)
    quiet = np.full((2, 4), 100.0)
    fallen = np.array([[100.0] * 4, [100.0 - 3.0 * side] * 4])
    nets = []
    for minutes in ((quiet, quiet, fallen), ((), (), ())):
        hours = [hour_of(FIRST_NUMBER + i, each) for i, each in enumerate((quiet, quiet, fallen))]
        bars = [hour._replace(minutes=each) for hour, each in zip(hours, minutes, strict=True)]
        _, records = play(
            known, zip(bars, (seen_as(side), seen_as(0), seen_as(0)), strict=True), fresh_purse(known)
        )
        nets.append(records[-1].settlement.trade.net_quote)
    assert nets[0] < nets[1] < 0.0
