"""The rules bar by bar in plain Python, with Chloe's rules for fills: what every engine is measured by."""

import math
from typing import NamedTuple

import numpy as np

from benchmarks.peers.runners.contract import CROSS, STOP, TARGET, PeerBars, PeerTrade, Rules, on_tick


class Candle(NamedTuple):
    """One bar of one symbol."""

    open_ms: int
    open: float
    high: float
    low: float
    close: float


class Holding(NamedTuple):
    """An open position."""

    entry_ms: int
    quantity_base: float
    price: float
    stop: float
    target: float


def reference_trades(bars: PeerBars, rules: Rules) -> list[PeerTrade]:
    """Return every closed trade, symbol by symbol, oldest first."""
    return [trade for place in range(len(bars.symbols)) for trade in trades_of(bars, place, rules)]


def trades_of(bars: PeerBars, place: int, rules: Rules) -> list[PeerTrade]:
    """Return one symbol's closed trades."""
    candles = candles_of(bars, place)
    up, down = crosses(bars.close[place], rules)
    tick = float(bars.tick[place])
    found: list[PeerTrade] = []
    holding: Holding | None = None
    for i in range(rules.first_signal_bar + 1, len(candles)):
        candle = candles[i]
        if holding is not None and down[i - 1]:
            found.append(closed(bars.symbols[place], holding, candle, candle.open, CROSS, rules))
            holding = None
        if holding is None and up[i - 1]:
            quantity = rules.notional_quote / candles[i - 1].close  # fixed when decided
            holding = entered(candle, quantity, tick, rules)
        if holding is not None:
            price, reason = inside_exit(holding, candle)
            if reason:
                found.append(closed(bars.symbols[place], holding, candle, price, reason, rules))
                holding = None
    return found


def candles_of(bars: PeerBars, place: int) -> list[Candle]:
    """Return one symbol's bars as Python numbers."""
    columns = (bars.open_ms, bars.open[place], bars.high[place], bars.low[place], bars.close[place])
    return [Candle(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def crosses(close: np.ndarray, rules: Rules) -> tuple[list[bool], list[bool]]:
    """Return per bar whether the fast EMA crossed above the slow one at its close, and below."""
    spread = ema(close, rules.fast_bars) - ema(close, rules.slow_bars)
    up, down = np.zeros(len(close), bool), np.zeros(len(close), bool)
    up[1:] = (spread[1:] > 0.0) & (spread[:-1] <= 0.0)
    down[1:] = (spread[1:] < 0.0) & (spread[:-1] >= 0.0)
    up[: rules.first_signal_bar] = False
    down[: rules.first_signal_bar] = False
    return up.tolist(), down.tolist()


def ema(close: np.ndarray, span_bars: int) -> np.ndarray:
    """Return the EMA, started at the first close; after some 20 spans the start no longer shows."""
    weight = 2.0 / (span_bars + 1.0)
    value = float(close[0])
    found = []
    for price in close.tolist():
        value += weight * (price - value)
        found.append(value)
    return np.array(found)


def entered(candle: Candle, quantity: float, tick: float, rules: Rules) -> Holding:
    """Enter at the open; stop and target are measured from that fill, on the tick, away from the price."""
    return Holding(
        entry_ms=candle.open_ms,
        quantity_base=quantity,
        price=candle.open,
        stop=on_tick(candle.open * (1.0 - rules.stop_frac), tick, math.floor),
        target=on_tick(candle.open * (1.0 + rules.target_frac), tick, math.ceil),
    )


def inside_exit(holding: Holding, candle: Candle) -> tuple[float, str]:
    """Return the exit inside the bar, or no reason: stop before target, no profit on the entry bar.

    A gap through the stop fills at the open, a gap beyond the target at the target.
    """
    if candle.low <= holding.stop:
        return min(candle.open, holding.stop), STOP
    if candle.high >= holding.target and candle.open_ms > holding.entry_ms:
        return holding.target, TARGET
    return 0.0, ""


def closed(
    symbol: str, holding: Holding, candle: Candle, price: float, reason: str, rules: Rules
) -> PeerTrade:
    """Return the trade, net of both fees."""
    fees = rules.fee_frac * holding.quantity_base * (holding.price + price)
    net = holding.quantity_base * (price - holding.price) - fees
    return PeerTrade(symbol, holding.entry_ms, holding.price, candle.open_ms, price, reason, net)
