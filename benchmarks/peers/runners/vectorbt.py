"""vectorbt: signals as arrays, one compiled loop over all columns. `--sweep`: 10 stops x 10 targets."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import vectorbt as vbt
from vectorbt.portfolio.enums import StopEntryPrice

from benchmarks.peers.runners.contract import (
    CROSS,
    STOP,
    TARGET,
    Answer,
    PeerBars,
    PeerTrade,
    Rules,
    arguments,
    read_bars,
    seconds_since_start,
    sweep_levels,
    timed,
    write_answer,
)

CHUNK = 10  # parameter sets at once: all hundred would need some 6 GB


class Plan(NamedTuple):
    """What one simulation takes: columns, signals moved to the bar they fill at, sizes, levels per column."""

    frames: dict[str, pd.DataFrame]
    entries: np.ndarray
    exits: np.ndarray
    size: np.ndarray
    stop_frac: Any
    target_frac: Any


def frames_of(bars: PeerBars) -> dict[str, pd.DataFrame]:
    """Return the columns as vectorbt takes them: a frame each, one column a symbol."""
    index = pd.to_datetime(bars.open_ms, unit="ms")
    names = ("open", "high", "low", "close")
    return {name: pd.DataFrame(getattr(bars, name).T, index=index, columns=bars.symbols) for name in names}


def planned(frames: dict[str, pd.DataFrame], rules: Rules) -> Plan:
    """Compute the indicators and signals."""
    close = frames["close"]
    fast = vbt.MA.run(close, rules.fast_bars, ewm=True, short_name="fast")
    slow = vbt.MA.run(close, rules.slow_bars, ewm=True, short_name="slow")
    moved = np.zeros((2, *close.shape), bool)
    for place, crossed in enumerate((fast.ma_crossed_above(slow), fast.ma_crossed_below(slow))):
        moved[place, rules.first_signal_bar + 1 :] = crossed.to_numpy()[rules.first_signal_bar : -1]
    size = np.zeros(close.shape)
    size[1:] = rules.notional_quote / close.to_numpy()[:-1]
    return Plan(frames, moved[0], moved[1], size, rules.stop_frac, rules.target_frac)


def simulated(plan: Plan, rules: Rules) -> vbt.Portfolio:
    """Run the simulation; stops are measured from the fill."""
    frames = plan.frames
    return vbt.Portfolio.from_signals(
        frames["close"],
        entries=plan.entries,
        exits=plan.exits,
        price=frames["open"],
        open=frames["open"],
        high=frames["high"],
        low=frames["low"],
        size=plan.size,
        fees=rules.fee_frac,
        sl_stop=plan.stop_frac,
        tp_stop=plan.target_frac,
        stop_entry_price=StopEntryPrice.FillPrice,
        init_cash=1e7,
        freq="1h",
    )


def swept(frames: dict[str, pd.DataFrame], rules: Rules) -> pd.Series:
    """Return the net profit of every parameter set and symbol, `CHUNK` sets at a time."""
    plan = planned(frames, rules)
    levels = sweep_levels()
    symbols = len(frames["close"].columns)
    tiled = {name: frame.vbt.tile(CHUNK, keys=pd.RangeIndex(CHUNK)) for name, frame in frames.items()}
    entries, exits, size = (np.tile(each, (1, CHUNK)) for each in (plan.entries, plan.exits, plan.size))
    found = []
    for first in range(0, len(levels), CHUNK):
        stops, targets = np.repeat(np.array(levels[first : first + CHUNK]), symbols, axis=0).T
        part = Plan(tiled, entries, exits, size, stops[None, :], targets[None, :])
        found.append(simulated(part, rules).trades.pnl.sum().rename(first))
    return pd.concat(found)


def trades_of(made: vbt.Portfolio, bars: PeerBars, rules: Rules) -> list[PeerTrade]:
    """Return the closed trades; vectorbt keeps no reason, so the exit's price tells it."""
    found = []
    for row in made.trades.records.to_dict("records"):
        if row["status"] != 1:  # still open
            continue
        change = row["exit_price"] / row["entry_price"] - 1.0
        reason = CROSS
        if change <= -rules.stop_frac + 1e-12:
            reason = STOP
        elif change >= rules.target_frac - 1e-12:
            reason = TARGET
        times = (int(bars.open_ms[row["entry_idx"]]), int(bars.open_ms[row["exit_idx"]]))
        symbol = bars.symbols[row["col"]]
        found.append(
            PeerTrade(
                symbol, times[0], row["entry_price"], times[1], row["exit_price"], reason, float(row["pnl"])
            )
        )
    return found


def main() -> None:
    """Run once per plan, or the sweep."""
    imported = seconds_since_start()
    source, target, sweep = arguments()
    run(source, target, sweep, imported)


def run(source: Path, target: Path, sweep: bool, imported: float) -> None:
    """Time what was asked for and write the answer."""
    bars, rules = read_bars(source), Rules()
    frames = frames_of(bars)
    if sweep:
        timing = timed(lambda: frames, lambda ready: swept(ready, rules))
        extra = {"net_quote": float(timing.result.sum()), "sets": len(sweep_levels()), "chunk": CHUNK}
        write_answer(target, Answer("vectorbt", vbt.__version__, imported, timing, [], extra))
        return
    timing = timed(lambda: frames, lambda ready: simulated(planned(ready, rules), rules))
    trades = trades_of(timing.result, bars, rules)
    write_answer(target, Answer("vectorbt", vbt.__version__, imported, timing, trades, {}))


if __name__ == "__main__":
    main()
