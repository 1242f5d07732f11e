"""Skimming over a history leaves the trades, the equity and the account of the full road, to the bit."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba", reason="numba is absent: the backtest extra is not installed")

from engine_alpha.backtest import History
from engine_alpha.backtest.outcome import GATES, Played
from engine_alpha.backtest.request import Overrides, backtest_setup
from engine_alpha.backtest.stepping import LAST_INDEX, MARK_PRICE
from engine_alpha.backtest.sweeping.road import Swept, prepare
from engine_alpha.domain.asset import TIMEFRAME_MS
from engine_alpha.domain.bars import Bars
from engine_alpha.domain.resampling import resample
from engine_alpha.errors import ConfigError
from engine_alpha.home import Home
from engine_alpha.kernel.codes import EXITS
from tests.makers import HOUR_MS
from tests.parity import drawn_series as drawn
from tests.parity.configurations import FEWEST_TICKS, INSTRUMENTS, LOT_QUOTE
from tests.parity.drawn_homes import made_home
from tests.parity.drawn_series import Shelved
from tests.parity.plots import Coin, Plot, Random, Span, plot_of, topic
from tests.parity.stored import THREE, series, store, wanted
from tests.unit.backtest.both_roads import in_full
from tests.unit.loop.runs import QUICK, a_home, edit, put_card, set_risk

SEEDS = 36
FEWEST_TRADES = 3_000
BARS_A_COIN = 900
LIMITS: tuple[dict[str, Any], ...] = (
    {},
    {"drawdown_halt_frac": 0.004},
    {"daily_loss_frac": 0.0008},
    {"max_positions": 1},
    {"exposure_cap_frac": 0.02},
    {"bucket_cap": 0.01},
    {"heat_cap_frac": 0.0004, "correlation": 0.7},
    {"cooldown_bars": 7},
    {"cluster_losses": 2, "cluster_pause_bars": 25},
    {"drawdown_limit_frac": 0.01, "drawdown_tighten": 1.0},
    {"pf_min_trades": 3, "pf_floor": 1.0},
    {"drawdown_halt_frac": 0.02, "daily_loss_frac": 0.002, "risk_frac": 0.05},
)
"""What binds, in turn; the drawn home's own limits besides."""
BUSY = {
    "stops": {"stop": {"atr": 0.8}, "target": {"atr": 1.1}},
    "trails": {"stop": {"atr": 1.5}, "trailing": {"atr": 1.0}},
    "waits": {"stop": {"range": 4.0}, "max_hold_bars": 9},
    "doubts": {"stop": {"range": 4.0}, "min_confidence": 0.1},
    "turns": {
        "stop": {"range": 4.0},
        "when": [{"signal": "momentum_24", "crosses_below": 0.0}],
    },
    "borrows": {"stop": {"frac": 0.3}, "max_hold_bars": 60},
}
"""Exits of a card that enters at every occasion, in turn."""


@pytest.fixture(autouse=True)
def no_cache_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep generated columns out of the developer's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def plain_history(seed: int, data: Path) -> tuple[Plot, History]:
    """Store a seed's coins without holes or errors: funding, marks and minutes drawn, some begin late."""
    plot = plot_of(topic(seed, 0))
    hours = BARS_A_COIN * max(coin.span.frame_ms for coin in plot.coins) // HOUR_MS
    hours = min(hours, BARS_A_COIN)
    to_ms = plot.from_ms + hours * HOUR_MS
    coins = tuple(
        replace(coin, span=replace(coin.span, to_ms=to_ms), settled_ms=None, ends_ms=None)
        for coin in plot.coins
    )
    plot = replace(plot, coins=coins, paused=False, to_ms=to_ms)
    for place, coin in enumerate(coins):
        store_coin(topic(seed, 100 + place), plot, coin, data)
    symbols = tuple(coin.symbol for coin in coins)
    return plot, History(data=data, venue=plot.venue, symbols=symbols, from_ms=plot.from_ms, to_ms=to_ms)


def store_coin(random: Random, plot: Plot, coin: Coin, data: Path) -> None:
    span, shelf = coin.span, Shelved(data=data, venue=plot.venue, symbol=coin.symbol, flat=plot.flat)
    fine = "1m" if plot.detail else min(coin.stored, "1h", key=TIMEFRAME_MS.__getitem__)
    look_back = int(random.choice([300, 700, 1_000, 1_000]))  # not warm at first, now and then
    coarse_ms = 4 * HOUR_MS
    first_ms = (span.from_ms - look_back * span.frame_ms) // coarse_ms * coarse_ms
    if random.random() < 0.15:
        first_ms = span.within(random) // coarse_ms * coarse_ms  # begins inside the run
    end_ms = span.to_ms + 2 * coarse_ms
    if random.random() < 0.15:
        end_ms = max(span.within(random) // coarse_ms * coarse_ms, first_ms + coarse_ms)
    rules = INSTRUMENTS[coin.symbol]
    price = max(FEWEST_TICKS * float(rules.tick_quote), LOT_QUOTE[0] / float(rules.lot_base))
    walk = drawn.walk(
        random, Span(timeframe=fine, from_ms=first_ms, to_ms=end_ms), price, float(rules.tick_quote)
    )
    shelf.put(coin.stored, resample(walk, TIMEFRAME_MS[coin.stored]))
    if plot.detail:
        shelf.put("1m", walk.between(span.from_ms - 24 * HOUR_MS, span.to_ms + HOUR_MS))
    funding = drawn.funding_of(random, walk, span)
    marks = drawn.marks_of(random, walk, plot.flat)
    if funding is not None and len(funding.settled_ms):
        shelf.put_funding(funding)
    if marks is not None and len(marks):
        shelf.put("mark_1h", marks)


def busy_home(seed: int, plot: Plot, path: Path) -> Home:
    """Make the seed's drawn home, with one card more that trades often and one limit more that binds."""
    home = made_home(seed, plot, path)
    exits = list(BUSY.values())[seed % len(BUSY)]
    direction = ("both", "long", "short")[seed % 3]
    put_card(home, {**QUICK, "name": "busy", "exits": exits, "scope": {"direction": direction}})
    set_risk(home, **LIMITS[seed % len(LIMITS)])
    return home


def same_state(swept: Swept, played: Played) -> None:
    """Compare what is left: all of the account, and of each asset all but when it was marked while flat."""
    ours, theirs = swept.state, played.state
    assert np.array_equal(ours.account_ints, theirs.account_ints)
    assert np.array_equal(ours.held, theirs.held)
    assert ours.tallies.tobytes() == theirs.tallies.tobytes()
    held = theirs.held[:, 2] > 0.0
    assert np.array_equal(ours.ints[held], theirs.ints[held])
    kept = np.delete(np.arange(ours.ints.shape[1]), [LAST_INDEX, MARK_PRICE])
    assert np.array_equal(ours.ints[:, kept], theirs.ints[:, kept])


def test_plain_histories_come_out_as_on_the_full_road(tmp_path: Path) -> None:
    compared = trades = 0
    reasons, bound = Counter[str](), Counter[str]()
    for seed in range(SEEDS):
        plot, history = plain_history(seed, tmp_path / f"data-{seed}")
        try:
            setup = backtest_setup(busy_home(seed, plot, tmp_path / f"home-{seed}"), history, Overrides())
            evaluate = prepare(setup, history)
        except ConfigError:  # the drawn home has a fault that stops a coin
            continue
        assert evaluate.skim is not None, f"seed {seed}: not plain"
        expected, played = in_full(setup, history)
        swept = evaluate.swept(setup)
        assert replace(evaluate(setup), daily=None) == expected, f"seed {seed}"
        assert np.array_equal(swept.net_quote, played.out.tick_net), f"seed {seed}: equity"
        same_state(swept, played)
        compared, trades = compared + 1, trades + expected.trades
        reasons.update(EXITS[reason] for reason in swept.rows["exit_reason"].tolist())
        bound.update(dict(zip(GATES, played.out.blocked.sum(axis=0).tolist(), strict=True)))
    assert compared >= 25 and trades >= FEWEST_TRADES
    assert {"stop", "target", "trailing", "liquidation", "opposite_signal", "time"} <= set(reasons), reasons
    for gate in ("daily_loss", "drawdown_halt", "max_positions", "bucket_cap", "exposure_cap"):
        assert bound[gate] > 0, gate
    for gate in ("correlation_cap", "no_cooldown", "no_loss_cluster", "pf_floor", "drawdown_band", "warm"):
        assert bound[gate] > 0, gate


def with_a_hole(bars: Bars, at: int) -> Bars:
    keep = np.ones(len(bars), np.bool_)
    keep[at] = False
    return drawn.kept(bars, keep)


def with_a_jump(bars: Bars, at: int) -> Bars:
    return drawn.changed(bars, np.arange(at, at + 3), lambda prices: prices * 6.0)


def standing_still(bars: Bars, at: int) -> Bars:
    price = float(bars.close[at])
    still = np.arange(at, at + 14)
    return without_volume(drawn.changed(bars, still, lambda prices: np.full(len(prices), price)), at)


def without_volume(bars: Bars, at: int) -> Bars:
    volume = bars.volume.copy()
    volume[at : at + 14] = 0.0
    return replace(bars, volume=volume)


@pytest.mark.parametrize("spoil", [with_a_hole, with_a_jump, standing_still, without_volume])
def test_what_is_not_plain_is_played_bar_by_bar(tmp_path: Path, spoil: Any) -> None:
    bars = series()
    bars["ETHUSDT"] = spoil(bars["ETHUSDT"], len(bars["ETHUSDT"]) - 800)
    history = wanted(store(tmp_path / "data", bars), hours=900)
    setup = backtest_setup(a_home(tmp_path / "home", enabled=THREE), history, Overrides())
    evaluate = prepare(setup, history)
    assert (evaluate.skim is not None) == (spoil is without_volume), "no trade for hours is no standstill"
    assert replace(evaluate(setup), daily=None) == in_full(setup, history)[0]


def test_a_contract_that_settles_is_played_bar_by_bar(tmp_path: Path) -> None:
    history = wanted(store(tmp_path / "data", series()), hours=900)
    home = a_home(tmp_path / "home", enabled=THREE)
    ends_ms = history.from_ms + 500 * HOUR_MS
    for file in home.instruments.glob("*.json"):
        edit(file, lambda found: found["instruments"]["ETHUSDT"].update(settled_ms=ends_ms))
    setup = backtest_setup(home, history, Overrides())
    evaluate = prepare(setup, history)
    assert evaluate.skim is None
    found = evaluate(setup)
    assert replace(found, daily=None) == in_full(setup, history)[0]
    assert 0 < found.per_coin["ETHUSDT"].trades < found.per_coin["BTCUSDT"].trades


def test_more_trades_than_there_is_room_for_at_once_are_all_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = wanted(store(tmp_path / "data", series()), hours=900)
    setup = backtest_setup(a_home(tmp_path / "home", enabled=THREE), history, Overrides())
    whole = prepare(setup, history).swept(setup)
    monkeypatch.setattr("engine_alpha.backtest.sweeping.road.TRADES_AT_ONCE", 7)
    parts = prepare(setup, history).swept(setup)
    assert len(whole.rows) > 100
    assert parts.rows.tobytes() == whole.rows.tobytes() and np.array_equal(parts.owners, whole.owners)
    assert np.array_equal(parts.net_quote, whole.net_quote)
