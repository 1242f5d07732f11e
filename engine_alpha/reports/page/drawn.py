"""What the page's script draws, as JSON that can stand inside HTML."""

import json
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine_alpha.kernel.codes import REGIMES
from engine_alpha.reports.page.packing import decimals_of, deflated, packed, whole
from engine_alpha.reports.page.thinning import kept_points
from engine_alpha.reports.returns import drawdown_curve
from engine_alpha.reports.run import Run, RunCoin, TradeRow
from engine_alpha.reports.terms import REGIME_WORDS
from engine_alpha.reports.words import plain

CENTS: Final = 2
BASIS_POINTS: Final = 4
MOST_TRADES: Final = 10_000
TRADE_FIELDS: Final = (
    *("symbol", "card", "side", "quantity_base", "entry_ms", "entry_price", "exit_ms", "exit_price"),
    *("exit_reason", "stop_price", "net_quote", "r", "regime", "fees_quote", "slippage_quote"),
    *("funding_quote", "bars_held", "ambiguous"),
)


def drawn_json(run: Run, coins: Sequence[RunCoin]) -> str:
    """Return the run as the script reads it, with these bars of its coins.

    "<" is written so that no name can end the element it is in.
    """
    fields = {
        "currency": run.quote_ccy,
        "simulated": run.simulated,
        "startQuote": run.start_quote,
        "regimes": [REGIME_WORDS[name] for name in REGIMES],
        "account": _account(run),
        "coins": [_coin(coin) for coin in coins if len(coin.open_ms)],
        "tradeFields": list(TRADE_FIELDS),
        "trades": deflated(json.dumps(plain([_trade(trade) for trade in shown_trades(run)])).encode()),
    }
    text = json.dumps(fields, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def shown_trades(run: Run) -> tuple[TradeRow, ...]:
    """Return the trades that are in the page: the newest, oldest of them first."""
    return tuple(sorted(run.trades, key=lambda trade: trade.exit_ms)[-MOST_TRADES:])


def _account(run: Run) -> dict[str, Any]:
    before = len(run.times_ms) == 0 or run.times_ms[0] > run.from_ms
    times = np.concatenate([[run.from_ms] if before else [], run.times_ms]).astype(np.int64)
    equity = np.concatenate([[run.start_quote] if before else [], run.equity_quote])
    held = np.concatenate([[0.0] if before else [], run.notional_quote])
    below = drawdown_curve(equity)
    kept = kept_points(equity)
    return {
        "points": len(kept),
        "packed": packed(
            [
                times[kept] // 1_000,
                whole(equity[kept], CENTS),
                whole(below[kept], BASIS_POINTS),
                whole(held[kept], 0),
            ]
        ),
    }


def _coin(coin: RunCoin) -> dict[str, Any]:
    known = ~np.isnan(coin.open)
    prices = [np.where(known, column, coin.close) for column in (coin.open, coin.high, coin.low)]
    decimals = decimals_of(np.concatenate([coin.close, *prices]))
    columns: list[NDArray[Any]] = [coin.open_ms // 1_000, whole(coin.close, decimals)]
    if known.any():
        columns += [whole(column, decimals) - columns[1] for column in prices]
    columns += [whole(coin.equity_quote, CENTS), coin.regime, coin.side]
    return {
        "symbol": coin.symbol,
        "frameMs": coin.timeframe_ms,
        "bars": len(coin.open_ms),
        "decimals": decimals,
        "candles": bool(known.any()),
        "packed": packed(columns),
    }


def _trade(trade: TradeRow) -> list[Any]:
    return [getattr(trade, name) for name in TRADE_FIELDS]
