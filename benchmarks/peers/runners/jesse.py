"""jesse: its research backtest in fast mode, all coins at once, no database.

It replays one-minute rows, so each hourly bar is given as one minute: the same bars, its least work. With
`--minutes` it gets minutes and an hourly route, as its users do: the bar in the first minute, 59 flat ones
after it. A market order fills at the close that the signal saw: the next open only on bars without gaps.
"""

import math
import sys
from typing import Any

import jesse.indicators as ta
import numpy as np
from jesse.research import backtest
from jesse.strategies import Strategy
from jesse.version import __version__

from benchmarks.peers.runners.contract import (
    CROSS,
    STOP,
    TARGET,
    Answer,
    PeerBars,
    PeerTrade,
    Rules,
    arguments,
    on_tick,
    read_bars,
    seconds_since_start,
    timed,
    write_answer,
)

RULES = Rules()
MINUTE_MS = 60_000
EXCHANGE = "Binance Perpetual Futures"
START_MS = 1_609_459_200_000
WARM_BARS = 240  # what jesse's indicators look back at
REASONS = {"STOP": STOP, "LIMIT": TARGET, "MARKET": CROSS}  # by the type of the order that closed
TICKS: dict[str, float] = {}


class EmaCross(Strategy):
    """The rules in jesse's words."""

    def __init__(self) -> None:
        super().__init__()
        self.spread = self.spread_before = 0.0

    def before(self) -> None:
        """Compute both averages, as the documentation does."""
        self.spread_before = self.spread
        candles = self.candles
        self.spread = ta.ema(candles, RULES.fast_bars) - ta.ema(candles, RULES.slow_bars)

    def should_long(self) -> bool:
        """Say whether the fast average has just crossed above."""
        return self.index >= RULES.first_signal_bar and self.spread > 0.0 >= self.spread_before

    def go_long(self) -> None:
        """Enter at the market, with stop and target."""
        price, tick = self.price, TICKS[self.symbol]
        quantity = RULES.notional_quote / price
        self.buy = quantity, price
        self.stop_loss = quantity, on_tick(price * (1.0 - RULES.stop_frac), tick, math.floor)
        self.take_profit = quantity, on_tick(price * (1.0 + RULES.target_frac), tick, math.ceil)

    def update_position(self) -> None:
        """Leave after the cross down."""
        if self.spread < 0.0 <= self.spread_before:
            self.liquidate()

    def should_cancel_entry(self) -> bool:
        """Keep no entry waiting."""
        return True


def pair_of(symbol: str) -> str:
    """Return the coin's name as jesse writes it."""
    return f"{symbol.removesuffix('USDT')}-USDT"


def candles_of(bars: PeerBars, minutes_each: int) -> dict[str, dict[str, Any]]:
    """Return jesse's candles: time, open, close, high, low, volume; a bar and flat minutes after it."""
    times = START_MS + MINUTE_MS * minutes_each * np.arange(len(bars.open_ms), dtype=np.float64)
    made = {}
    for place, symbol in enumerate(bars.symbols):
        columns = (bars.open, bars.close, bars.high, bars.low, bars.volume)
        rows = np.column_stack([times, *(column[place] for column in columns)])
        if minutes_each > 1:
            rows = np.repeat(rows, minutes_each, axis=0)
            rows[:, 0] = START_MS + MINUTE_MS * np.arange(len(rows), dtype=np.float64)
            flat = np.arange(len(rows)) % minutes_each > 0
            rows[flat, 1:5] = rows[flat, 2:3]
            rows[flat, 5] = 0.0
        made[f"{EXCHANGE}-{pair_of(symbol)}"] = {
            "exchange": EXCHANGE,
            "symbol": pair_of(symbol),
            "candles": rows,
        }
    return made


def run(candles: dict[str, dict[str, Any]], timeframe: str) -> list[dict[str, Any]]:
    """Run all coins; return jesse's trades."""
    config = {
        "starting_balance": 10_000_000,
        "fee": RULES.fee_frac,
        "type": "futures",
        "futures_leverage": 1,
        "futures_leverage_mode": "cross",
        "exchange": EXCHANGE,
        "warm_up_candles": WARM_BARS,
    }
    routes = [
        {"exchange": EXCHANGE, "strategy": EmaCross, "symbol": each["symbol"], "timeframe": timeframe}
        for each in candles.values()
    ]
    return backtest(config, routes, [], candles, fast_mode=True)["trades"]


def trades_of(found: list[dict[str, Any]], bars: PeerBars, bar_ms: int) -> list[PeerTrade]:
    """Return the closed trades, without those that the end of the data closed."""
    made = []
    last = len(bars.open_ms) - 1
    for row in found:
        entry, leave = (int(row[name] - START_MS) // bar_ms for name in ("opened_at", "closed_at"))
        if leave > last:  # closed because the data ended
            continue
        reason = REASONS[row["orders"][-1]["type"]]
        symbol = row["symbol"].replace("-", "")
        # what fills inside a bar is stamped with its end, what fills at its close too: the next one's open
        if reason != CROSS:
            leave = int(row["closed_at"] - START_MS - 1) // bar_ms
        times = (int(bars.open_ms[entry]), int(bars.open_ms[leave]))
        made.append(
            PeerTrade(symbol, times[0], row["entry_price"], times[1], row["exit_price"], reason, row["PNL"])
        )
    return made


def main() -> None:
    """Time the runs and write the answer."""
    imported = seconds_since_start()
    source, target, _ = arguments()
    bars = read_bars(source)
    TICKS.update({pair_of(symbol): float(tick) for symbol, tick in zip(bars.symbols, bars.tick, strict=True)})
    minutes, timeframe = (60, "1h") if "--minutes" in sys.argv else (1, "1m")
    candles = candles_of(bars, minutes)
    timing = timed(lambda: candles, lambda ready: run(ready, timeframe))
    trades = trades_of(timing.result, bars, minutes * MINUTE_MS)
    name = "jesse" if minutes == 1 else "jesse minutes"
    write_answer(target, Answer(name, __version__, imported, timing, trades, {}))


if __name__ == "__main__":
    main()
