"""A backtest as a library, on generated candles: python docs/tutorial/backtest.py

It needs the extra `backtest`, no network and no home: everything is made in a temporary folder.
"""

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from engine_alpha.backtest import BacktestResult, History, Overrides, run
from engine_alpha.domain.bars import Bars, Funding
from engine_alpha.home import Home, init_home
from engine_alpha.kernel.codes import OWN_GATES, REGIMES
from engine_alpha.reports.statistics import statistics_of
from engine_alpha.reports.words import factor
from engine_alpha.store.months import write_bars, write_funding

HOUR_MS = 3_600_000
FIRST_MS = int(datetime(2023, 1, 1, tzinfo=UTC).timestamp() * 1000)
HOURS = 4_000
WARM_UP = 600  # hours before the span, for indicators to settle
COINS = {"ETHUSDT": 1_200.0, "BTCUSDT": 16_500.0}

CARD = {
    "name": "two-day-breakout",
    "rationale": "A close beyond the high or low of two days goes on; left when the other side is reached.",
    "source": "This lesson.",
    "status": "active",
    "scope": {},
    "entry": [{"signal": "channel_48", "at_least": 1.0}],
    "exits": {"stop": {"atr": 4.0}, "when": [{"signal": "channel_24", "at_most": -1.0}]},
}


def generated_bars(price: float, seed: int) -> Bars:
    """Return hours of a random walk that drifts for days at a time."""
    random = np.random.default_rng(seed)
    drift = np.repeat(random.normal(0.0, 0.0007, HOURS // 100), 100)
    close = np.asarray(price * np.cumprod(1.0 + drift + random.normal(0.0, 0.006, HOURS)), np.float64)
    opens = np.concatenate([[price], close[:-1]])
    spread = 1.0 + np.abs(random.normal(0.0, 0.002, HOURS))
    return Bars(
        timeframe_ms=HOUR_MS,
        open_ms=FIRST_MS + np.arange(HOURS, dtype=np.int64) * HOUR_MS,
        open=opens,
        high=np.maximum(opens, close) * spread,
        low=np.minimum(opens, close) / spread,
        close=close,
        volume=random.gamma(2.0, 100.0, HOURS),
    )


def store(data: Path) -> None:
    """Store candles and funding; with real ones `chloe data import` and `chloe data download` do it."""
    for seed, (symbol, price) in enumerate(COINS.items()):
        bars = generated_bars(price, seed)
        write_bars(data, "bybit", symbol, "1h", bars)
        times = bars.open_ms[bars.open_ms % (8 * HOUR_MS) == 0]
        write_funding(data, "bybit", symbol, Funding(settled_ms=times, rate_frac=np.full(len(times), 0.0001)))


def tell(result: BacktestResult) -> None:
    """Print what most people look at first."""
    print(f"{result.decisions:,} decisions; profit factor {factor(result.factor())}")
    for coin in result.coins:
        shares = np.bincount(coin.regime, minlength=len(REGIMES)) / len(coin.regime)
        times = ", ".join(f"{name} {share:.0%}" for name, share in zip(REGIMES, shares, strict=True))
        print(f"{coin.symbol}: profit factor {factor(result.factor(coin.symbol))}; {times}")
    print(f"equity {result.start_quote:,.0f} -> {result.equity_quote:,.2f} {result.quote_ccy}")


def main(folder: Path) -> None:
    """Make a home and candles, play them, and look at what comes back."""
    init_home(folder / "home")
    store(folder / "data")
    history = History(
        data=folder / "data",
        venue="bybit",
        symbols=tuple(COINS),
        from_ms=FIRST_MS + WARM_UP * HOUR_MS,
        to_ms=FIRST_MS + HOURS * HOUR_MS,
    )

    print("the cards of a fresh home:")
    tell(run(Home(folder / "home"), history))

    print("\na card of our own, records kept:")
    (folder / "cards").mkdir()
    (folder / "cards" / "two-day-breakout.json").write_text(json.dumps(CARD), encoding="utf-8")
    overrides = Overrides(cards=folder / "cards")
    result = run(Home(folder / "home"), history, overrides, keep_records=True)
    tell(result)
    print(f"decisions_sha256 {result.decisions_sha256}")

    trades = result.trades_frame()  # Polars: one row a trade
    print("\nby reason to leave:")
    by_reason = trades.group_by("exit_reason").agg(pl.len(), pl.col("net_quote").sum()).sort("exit_reason")
    for reason, count, net in by_reason.rows():
        print(f"  {reason:16}{count:>4}{net:>10.2f}")

    records = result.records("ETHUSDT")  # NumPy: one row a decided bar
    fired = records["decision.card"] >= 0
    passed = records[f"decision.gates[{OWN_GATES.index('confidence_min')}].passed"] == 1
    sure = np.count_nonzero(fired & passed)
    print(
        f"\nETHUSDT: the card fired on {fired.sum():,} of {len(records):,} bars, {sure:,} of them sure enough"
    )

    account = statistics_of(result.as_run()).account  # what `chloe backtest` shows
    deepest = "none" if account.drawdown is None else f"{account.drawdown.frac:.1%}"
    print(f"Sharpe {account.sharpe:.2f}, max drawdown {deepest}, exposure {account.exposure_frac:.0%}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        main(Path(made))
