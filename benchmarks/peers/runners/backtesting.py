"""backtesting.py: a Python `next()` per bar and symbol. Stop and target hang on the price the signal saw."""

import math
from typing import Any

import backtesting
import pandas as pd
from backtesting import Strategy
from backtesting.lib import FractionalBacktest, crossover

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
UNIT = 1e-6  # the engine trades whole units only; FractionalBacktest rescales prices


def ema(close: Any, span_bars: int) -> Any:
    """Return the EMA of the closes."""
    return pd.Series(close).ewm(span=span_bars, adjust=False).mean().to_numpy()


class EmaCross(Strategy):
    """The rules; an order placed on a bar fills at the next open."""

    tick = 0.0

    def init(self) -> None:
        """Compute the indicators."""
        self.fast = self.I(ema, self.data.Close, RULES.fast_bars, plot=False)
        self.slow = self.I(ema, self.data.Close, RULES.slow_bars, plot=False)

    def next(self) -> None:
        """Decide on the bar that has just closed."""
        if len(self.data) <= RULES.first_signal_bar:
            return
        if self.position:
            if crossover(self.slow, self.fast):
                self.position.close()
        elif crossover(self.fast, self.slow):
            price = float(self.data.Close[-1])
            stop = on_tick(price * (1.0 - RULES.stop_frac) / UNIT, self.tick, math.floor) * UNIT
            target = on_tick(price * (1.0 + RULES.target_frac) / UNIT, self.tick, math.ceil) * UNIT
            self.buy(size=max(1, round(RULES.notional_quote / price)), sl=stop, tp=target)


def ready(bars: PeerBars) -> list[tuple[str, FractionalBacktest]]:
    """Return one backtest per symbol, in the engine's own form."""
    index = pd.to_datetime(bars.open_ms, unit="ms")
    made = []
    for place, symbol in enumerate(bars.symbols):
        columns = {
            name.title(): getattr(bars, name)[place] for name in ("open", "high", "low", "close", "volume")
        }
        strategy = type("EmaCross", (EmaCross,), {"tick": float(bars.tick[place])})
        frame = pd.DataFrame(columns, index=index)
        engine = FractionalBacktest(
            frame, strategy, cash=1e7, commission=RULES.fee_frac, fractional_unit=UNIT, finalize_trades=False
        )
        made.append((symbol, engine))
    return made


def run_all(made: list[tuple[str, FractionalBacktest]]) -> dict[str, pd.DataFrame]:
    """Run every symbol; return its table of trades."""
    return {symbol: engine.run()["_trades"] for symbol, engine in made}


def trades_of(tables: dict[str, pd.DataFrame], bars: PeerBars) -> list[PeerTrade]:
    """Return the closed trades; the engine keeps no reason, so the exit's price tells it."""
    found = []
    for place, (symbol, table) in enumerate(tables.items()):
        noise = 0.1 * float(bars.tick[place])
        for row in table.to_dict("records"):
            reason = CROSS
            if row["ExitPrice"] <= row["SL"] + noise:
                reason = STOP
            elif row["ExitPrice"] >= row["TP"] - noise:
                reason = TARGET
            times = (int(bars.open_ms[row["EntryBar"]]), int(bars.open_ms[row["ExitBar"]]))
            prices = (round(row["EntryPrice"], 9), round(row["ExitPrice"], 9))
            found.append(PeerTrade(symbol, times[0], prices[0], times[1], prices[1], reason, row["PnL"]))
    return found


def main() -> None:
    """Time the runs and write the answer."""
    imported = seconds_since_start()
    source, target, _ = arguments()
    bars = read_bars(source)
    timing = timed(lambda: ready(bars), run_all)
    trades = trades_of(timing.result, bars)
    write_answer(target, Answer("backtesting.py", backtesting.__version__, imported, timing, trades, {}))


if __name__ == "__main__":
    main()
