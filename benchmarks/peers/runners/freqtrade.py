"""freqtrade: its backtest of all coins at once. It wants an exchange's markets; these are made up.

Timed is `backtest_one_strategy`: indicators, signals and simulation, the data loaded. `seconds_whole` is
`start`, loading and report included.
"""

import logging
import time
from copy import deepcopy
from pathlib import Path
from typing import Any

import freqtrade
import pandas as pd
from freqtrade.data.history import get_datahandler
from freqtrade.enums import CandleType, RunMode
from freqtrade.exchange import Exchange
from freqtrade.optimize.backtesting import Backtesting
from freqtrade.resolvers import ExchangeResolver

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
    timed,
    write_answer,
)

RULES = Rules()
REASONS = {"stop_loss": STOP, "roi": TARGET, "exit_signal": CROSS}  # what the data's end closed has none


def pair_of(symbol: str) -> str:
    """Return the coin's name as freqtrade writes it."""
    return f"{symbol.removesuffix('USDT')}/USDT"


def market_of(symbol: str, tick: float) -> dict[str, Any]:
    """Return a market in ccxt's form."""
    base = symbol.removesuffix("USDT")
    return {
        "id": symbol,
        "symbol": pair_of(symbol),
        "base": base,
        "quote": "USDT",
        "baseId": base,
        "quoteId": "USDT",
        "active": True,
        "type": "spot",
        "spot": True,
        "margin": False,
        "swap": False,
        "future": False,
        "option": False,
        "contract": False,
        "taker": RULES.fee_frac,
        "maker": RULES.fee_frac,
        "precision": {"amount": 1e-8, "price": tick},
        "limits": {"amount": {"min": 1e-8}, "price": {}, "cost": {"min": 1.0}, "leverage": {}},
        "info": {},
    }


def config_for(bars: PeerBars, folder: Path) -> dict[str, Any]:
    """Return the configuration of a backtest."""
    pricing = {"price_side": "same", "use_order_book": False}
    return {
        "runmode": RunMode.BACKTEST,
        "dry_run": True,
        "dry_run_wallet": 1e7,
        "stake_currency": "USDT",
        "stake_amount": RULES.notional_quote,
        "tradable_balance_ratio": 1.0,
        "max_open_trades": len(bars.symbols),
        "timeframe": "1h",
        "fee": RULES.fee_frac,
        "strategy": "EmaCross",
        "strategy_path": str(Path(__file__).parent / "freqtrade_strategies"),
        "user_data_dir": folder,
        "datadir": folder / "data",
        "exportdirectory": folder,
        "dataformat_ohlcv": "feather",
        "dataformat_trades": "feather",
        "export": "none",
        "backtest_cache": "none",
        "exchange": {"name": "binance", "pair_whitelist": [pair_of(symbol) for symbol in bars.symbols]},
        "pairlists": [{"method": "StaticPairList"}],
        "entry_pricing": dict(pricing),
        "exit_pricing": dict(pricing),
        "unfilledtimeout": {"entry": 10, "exit": 10, "unit": "minutes"},
        "original_config": {},
    }


def exchange_of(config: dict[str, Any], bars: PeerBars) -> Exchange:
    """Return freqtrade's exchange with made-up markets."""
    exchange = ExchangeResolver.load_exchange(config, validate=False)  # adds keys to config
    markets = [market_of(*pair) for pair in zip(bars.symbols, bars.tick.tolist(), strict=True)]
    for api in (exchange._api, exchange._api_async):
        api.set_markets(deepcopy(markets))
    exchange._markets = exchange._api.markets
    exchange._last_markets_refresh = int(time.time() * 1000) + 10**9
    return exchange


def store(bars: PeerBars, folder: Path) -> None:
    """Write the candles as freqtrade keeps them."""
    folder.mkdir(parents=True)
    keeper = get_datahandler(folder, "feather")
    dates = pd.to_datetime(bars.open_ms, unit="ms", utc=True)
    for place, symbol in enumerate(bars.symbols):
        names = ("open", "high", "low", "close", "volume")
        frame = pd.DataFrame({"date": dates} | {name: getattr(bars, name)[place] for name in names})
        keeper.ohlcv_store(pair_of(symbol), "1h", frame, CandleType.SPOT)


def trades_of(results: pd.DataFrame) -> list[PeerTrade]:
    """Return the closed trades, without those that the end of the data closed."""
    found = []
    for row in results.to_dict("records"):
        if row["exit_reason"] not in REASONS:
            continue
        times = [int(row[name].timestamp() * 1000) for name in ("open_date", "close_date")]
        prices = (row["open_rate"], row["close_rate"])
        reason = REASONS[row["exit_reason"]]
        symbol = row["pair"].replace("/", "")
        found.append(PeerTrade(symbol, times[0], prices[0], times[1], prices[1], reason, row["profit_abs"]))
    return found


def main() -> None:
    """Time the runs and write the answer."""
    imported = seconds_since_start()
    logging.disable(logging.INFO)
    source, target, _ = arguments()
    bars, folder = read_bars(source), Path.cwd() / "user_data"
    config = config_for(bars, folder)
    store(bars, folder / "data")
    exchange = exchange_of(config, bars)

    def ready() -> tuple[Backtesting, Any, Any]:
        engine = Backtesting(deepcopy(config), exchange)
        engine.progress = None
        return (engine, *engine.load_bt_data())

    def run(loaded: tuple[Backtesting, Any, Any]) -> pd.DataFrame:
        engine, candles, span = loaded
        strategy = engine.strategylist[0]
        engine.backtest_one_strategy(strategy, candles, span)
        return engine.all_bt_content[strategy.get_strategy_name()]["results"]

    timing = timed(ready, run)
    start = time.perf_counter()
    whole = Backtesting(deepcopy(config), exchange)
    whole.progress = None
    whole.start()
    extra = {"seconds_whole": time.perf_counter() - start}
    trades = trades_of(timing.result)
    write_answer(target, Answer("freqtrade", freqtrade.__version__, imported, timing, trades, extra))


if __name__ == "__main__":
    main()
