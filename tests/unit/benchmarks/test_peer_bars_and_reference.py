"""The bars other engines are given, the reference they are measured by, and how differences are named."""

import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks.peers.bars import TICK, seeded_bars
from benchmarks.peers.compare import UNEXPLAINED, compared
from benchmarks.peers.environments import RECIPES, Unavailable, interpreter_for
from benchmarks.peers.reference import crosses, reference_trades
from benchmarks.peers.runners.contract import (
    CROSS,
    STOP,
    TARGET,
    PeerBars,
    PeerTrade,
    Rules,
    has_gaps,
    on_tick,
    read_bars,
    sweep_levels,
    write_bars,
)

HOUR_MS = 3_600_000
RULES = Rules(fast_bars=2, slow_bars=4, first_signal_bar=8)
QUIET = (100.0, 100.0, 100.0, 100.0)
RISE = (100.0, 101.0, 100.0, 101.0)  # closes above: the fast average crosses up, the entry is due
ENTRY = 10  # the bar after RISE
CALM = (101.0, 101.5, 100.5, 101.0)  # neither stop (98.98) nor target (105.04) of an entry at 101


def bars_of(rows: list[tuple[float, float, float, float]]) -> PeerBars:
    """Return nine quiet bars, the rise, then `rows`."""
    prices = np.array([QUIET] * 9 + [RISE] + rows)
    columns = [np.ascontiguousarray(prices[None, :, i]) for i in range(4)]
    times = HOUR_MS * np.arange(len(prices), dtype=np.int64)
    return PeerBars(["COINUSDT"], np.array([0.01]), times, *columns, np.ones((1, len(prices))))


def only_trade(rows: list[tuple[float, float, float, float]]) -> PeerTrade:
    (trade,) = reference_trades(bars_of(rows), RULES)
    return trade


def left(rows: list[tuple[float, float, float, float]]) -> tuple[int, float, str]:
    """Return bars after the entry, price and reason of the only exit."""
    trade = only_trade(rows)
    return (trade.exit_ms - trade.entry_ms) // HOUR_MS, trade.exit_price, trade.reason


def other(trade: PeerTrade, bars_later: int, price: float, reason: str) -> PeerTrade:
    return trade._replace(exit_ms=trade.entry_ms + bars_later * HOUR_MS, exit_price=price, reason=reason)


def named(engine: str, rows: list[tuple[float, float, float, float]], theirs: PeerTrade) -> str:
    """Return the rule by which an engine's trade differs from the reference's."""
    bars = bars_of(rows)
    found = compared(engine, (reference_trades(bars, RULES), [theirs]), bars, RULES)
    (rule,) = found.by_rule or ("",)
    return rule


# --- bars


def test_equal_seeds_give_equal_bars_and_others_do_not() -> None:
    first, again, else_ = (seeded_bars(seed, gaps=True, symbols=2, bars=500) for seed in (1, 1, 2))
    assert all(np.array_equal(getattr(first, name), getattr(again, name)) for name in PeerBars._fields)
    assert not np.array_equal(first.close, else_.close)


@pytest.mark.parametrize("gaps", [False, True])
def test_bars_are_sound_and_on_the_tick(gaps: bool) -> None:
    bars = seeded_bars(3, gaps, symbols=3, bars=2_000)
    body_high, body_low = np.maximum(bars.open, bars.close), np.minimum(bars.open, bars.close)
    assert (bars.high >= body_high).all() and (bars.low <= body_low).all() and (bars.low > 0.0).all()
    for column in (bars.open, bars.high, bars.low, bars.close):
        assert np.abs(column / TICK - np.round(column / TICK)).max() < 1e-6
    assert np.array_equal(np.diff(bars.open_ms), np.full(1_999, HOUR_MS))


def test_gaps_are_there_only_where_asked_for() -> None:
    assert not has_gaps(seeded_bars(1, gaps=False, symbols=2, bars=500))
    gapped = seeded_bars(1, gaps=True, symbols=2, bars=5_000)
    away = np.abs(gapped.open[:, 1:] / gapped.close[:, :-1] - 1.0)
    assert 0.2 < (away > 1e-4).mean() < 0.4
    assert (away > 0.02).any()


def test_the_exchange_file_gives_back_what_was_written(tmp_path: Path) -> None:
    bars = seeded_bars(1, gaps=True, symbols=2, bars=50)
    write_bars(tmp_path / "bars.npz", bars)
    back = read_bars(tmp_path / "bars.npz")
    assert back.symbols == bars.symbols
    assert all(np.array_equal(getattr(back, name), getattr(bars, name)) for name in PeerBars._fields)


def test_levels_are_rounded_away_from_the_price() -> None:
    assert on_tick(98.981, 0.01, math.floor) == 98.98
    assert on_tick(105.041, 0.01, math.ceil) == 105.05
    assert on_tick(0.3, 0.1, math.floor) == 0.3  # 0.3 / 0.1 is 2.9999999999999996


def test_the_sweep_has_a_hundred_different_sets() -> None:
    assert len(set(sweep_levels())) == 100
    assert (0.02, 0.04) in sweep_levels()


# --- the reference, a hand-made path per rule


def test_the_entry_is_the_open_after_the_cross_and_the_quantity_is_that_of_the_signals_close() -> None:
    trade = only_trade([(102.0, 102.5, 101.5, 102.0), (102.0, 107.0, 101.5, 107.0)])
    assert (trade.entry_ms, trade.entry_price) == (ENTRY * HOUR_MS, 102.0)
    quantity = 1_000.0 / 101.0
    fees = 0.00055 * quantity * (102.0 + trade.exit_price)
    assert trade.pnl_quote == pytest.approx(quantity * (trade.exit_price - 102.0) - fees, rel=1e-12)


def test_stop_and_target_are_measured_from_the_fill() -> None:
    assert left([(102.0, 102.5, 101.5, 102.0), (102.0, 102.0, 99.96, 100.0)]) == (1, 99.96, STOP)
    assert left([(102.0, 102.5, 101.5, 102.0), (102.0, 106.08, 101.5, 106.0)]) == (1, 106.08, TARGET)


def test_a_gap_through_the_stop_fills_at_the_open() -> None:
    assert left([CALM, (97.0, 98.0, 96.0, 97.5)]) == (1, 97.0, STOP)


def test_a_gap_beyond_the_target_fills_at_the_target() -> None:
    assert left([CALM, (108.0, 109.0, 107.0, 108.0)]) == (1, 105.04, TARGET)


def test_stop_and_target_in_one_bar_is_the_stop() -> None:
    assert left([CALM, (101.0, 106.0, 98.0, 105.0)]) == (1, 98.98, STOP)


def test_the_entry_bar_can_stop_out() -> None:
    assert left([(101.0, 101.5, 98.0, 101.0)]) == (0, 98.98, STOP)


def test_the_entry_bar_takes_no_profit() -> None:
    assert left([(101.0, 106.0, 100.5, 105.5), (105.5, 106.0, 105.2, 105.5)]) == (1, 105.04, TARGET)


def test_an_exit_due_at_the_open_comes_before_the_stop_of_that_bar() -> None:
    falling = (101.0, 101.0, 99.5, 99.5)
    assert left([CALM, falling, (99.4, 99.5, 95.0, 96.0)]) == (2, 99.4, CROSS)


def test_a_position_that_is_still_open_is_no_trade() -> None:
    assert reference_trades(bars_of([CALM, CALM]), RULES) == []


def test_no_signal_counts_before_the_first_signal_bar() -> None:
    bars = seeded_bars(1, gaps=False, symbols=1, bars=1_000)
    up, down = crosses(bars.close[0], Rules())
    assert not any(up[:600]) and not any(down[:600])
    assert any(up[600:]) and any(down[600:])


# --- naming differences


def test_equal_trades_are_equal_and_missing_ones_are_unexplained() -> None:
    bars = seeded_bars(5, gaps=True, symbols=2, bars=3_000)
    trades = reference_trades(bars, Rules())
    assert len(trades) > 50
    same = compared("nautilus", (trades, trades), bars, Rules())
    assert (same.equal, sum(same.by_rule.values()), same.unexplained) == (len(trades), 0, [])
    fewer = compared("nautilus", (trades, trades[1:]), bars, Rules())
    assert (fewer.equal, fewer.unexplained) == (len(trades) - 1, [(trades[0], None)])
    more = compared("nautilus", (trades[1:], trades), bars, Rules())
    assert more.unexplained == [(None, trades[0])]


def test_profit_on_the_entry_bar_is_named_only_at_the_target() -> None:
    rows = [(101.0, 106.0, 100.5, 105.5), (105.5, 106.0, 105.2, 105.5)]
    trade = only_trade(rows)
    assert named("nautilus", rows, other(trade, 0, 105.04, TARGET)) == "profit taken on the entry bar"
    assert named("nautilus", rows, other(trade, 0, 106.0, TARGET)) == UNEXPLAINED


def test_the_target_before_the_stop_is_named_only_where_the_bar_holds_both() -> None:
    both, stop_only = [CALM, (101.0, 106.0, 98.0, 105.0)], [CALM, (101.0, 102.0, 98.0, 99.0)]
    for rows, rule in ((both, "target before stop in one bar"), (stop_only, UNEXPLAINED)):
        assert named("nautilus", rows, other(only_trade(rows), 1, 105.04, TARGET)) == rule


def test_a_stop_and_a_cross_at_one_open_differ_in_name_alone() -> None:
    rows = [CALM, (101.0, 101.0, 99.5, 99.5), (97.0, 97.5, 95.0, 96.0)]
    trade = only_trade(rows)
    assert named("nautilus", rows, other(trade, 2, 97.0, STOP)) == "same open and price, other name"
    assert named("nautilus", rows, other(trade, 2, 98.98, STOP)) == UNEXPLAINED


def test_each_engine_has_rules_of_its_own() -> None:
    rows = [CALM, (97.0, 99.5, 96.0, 97.5)]
    theirs = other(only_trade(rows), 1, 98.98, STOP)
    assert named("freqtrade", rows, theirs) == "gap through the stop fills at the stop"
    assert named("nautilus", rows, theirs) == UNEXPLAINED
    assert named("chloe", rows, theirs) == UNEXPLAINED


def test_a_stop_seen_before_the_exit_at_the_open_is_vectorbts() -> None:
    rows = [CALM, (101.0, 101.0, 99.5, 99.5), (99.4, 99.5, 95.0, 96.0)]
    theirs = other(only_trade(rows), 2, 98.98, STOP)
    assert named("vectorbt", rows, theirs) == "stop or target before the exit at the open"


def test_fills_at_the_signals_close_are_jesses() -> None:
    rows = [(102.0, 102.5, 101.5, 102.0), (102.0, 107.0, 101.5, 107.0)]
    theirs = only_trade(rows)._replace(entry_price=101.0)
    assert named("jesse", rows, theirs) == "entry filled at the close the signal saw"
    assert named("jesse", rows, theirs._replace(entry_price=101.3)) == UNEXPLAINED


def test_levels_hung_on_the_signals_close_are_backtesting_pys() -> None:
    rows = [(102.0, 102.5, 101.5, 102.0), (102.0, 105.5, 101.5, 105.5), (105.5, 107.0, 105.0, 106.0)]
    trade = only_trade(rows)
    assert (trade.exit_ms, trade.exit_price) == ((ENTRY + 2) * HOUR_MS, 106.08)
    rule = named("backtesting", rows, other(trade, 1, 105.04, TARGET))
    assert rule == "stop and target measured from the signal's close"


# --- environments


def test_an_engine_without_a_fitting_python_is_named_with_what_would_help(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RECIPES, "nautilus", RECIPES["nautilus"]._replace(pythons=("3.99",)))
    with pytest.raises(Unavailable, match=r"needs Python 3\.99: put one on PATH or name it with --python"):
        interpreter_for("nautilus", tmp_path)


def test_an_environment_with_the_same_pins_is_used_again(tmp_path: Path) -> None:
    python = tmp_path / "jesse" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    (tmp_path / "jesse" / "pins.txt").write_text("\n".join(RECIPES["jesse"].packages))
    assert interpreter_for("jesse", tmp_path) == python
