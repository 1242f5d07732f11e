"""Runs to report on: one trade, and whole accounts of seeded random coins whose money adds up."""

from dataclasses import replace
from typing import Any

import numpy as np

from engine_alpha.domain.bars import Floats
from engine_alpha.kernel.codes import EXITS, OWN_GATES, REGIMES
from engine_alpha.reports.run import Run, RunCoin, TradeRow

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
FROM_MS = 1_672_531_200_000  # 2023-01-01
START_QUOTE = 10_000.0
CARDS = ("momentum-long", "range-breakout", "volatility-breakout")
FEE_FRAC = 0.00055
SLIPPAGE_FRAC = 0.0002


def trade(**changed: Any) -> TradeRow:
    """Return a trade that won 10 of the 8 it risked, with some fields changed."""
    fields: dict[str, Any] = {
        "symbol": "ETHUSDT",
        "card": "momentum-long",
        "side": 1,
        "quantity_base": 1.0,
        "entry_ms": FROM_MS,
        "entry_price": 100.0,
        "exit_ms": FROM_MS + 5 * HOUR_MS,
        "exit_price": 111.0,
        "exit_reason": "target",
        "stop_price": 92.0,
        "gross_quote": 11.0,
        "fees_quote": 0.8,
        "funding_quote": -0.2,
        "slippage_quote": 0.1,
        "net_quote": 10.0,
        "risk_quote": 8.0,
        "r": 1.25,
        "regime": "trend_up",
        "confidence": 0.4,
        "bars_held": 5,
        "ambiguous": 0,
        "other_net_quote": 10.0,
    }
    return TradeRow(**fields | changed)


def trades_of(nets: list[float], **changed: Any) -> tuple[TradeRow, ...]:
    """Return trades with these results, one an hour, without costs."""
    free = {"fees_quote": 0.0, "funding_quote": 0.0, "slippage_quote": 0.0}
    return tuple(
        trade(
            **free | {"entry_ms": FROM_MS + at * HOUR_MS, "exit_ms": FROM_MS + (at + 1) * HOUR_MS},
            **{"gross_quote": net, "net_quote": net, "other_net_quote": net, "r": net / 8.0} | changed,
        )
        for at, net in enumerate(nets)
    )


def empty_run(**changed: Any) -> Run:
    """Return a run of ten days in which nothing was traded, with some fields changed."""
    run = Run(
        title="nothing",
        source="a test",
        simulated=False,
        start_quote=START_QUOTE,
        from_ms=FROM_MS,
        to_ms=FROM_MS + 10 * DAY_MS,
        times_ms=np.empty(0, np.int64),
        equity_quote=np.empty(0),
        notional_quote=np.empty(0),
        trades=(),
        coins=(),
        funding_unknown_bars=0,
        no_decisions=(),
        notes=(),
        quote_ccy="USDT",
    )
    return replace(run, **changed)


def random_run(symbols: tuple[str, ...], bars: int, seed: int = 7, **changed: Any) -> Run:
    """Return an account that traded random walks at random; its equity is that of its trades."""
    walks = [
        _coin(symbol, bars, np.random.default_rng([seed, place])) for place, symbol in enumerate(symbols)
    ]
    times = FROM_MS + HOUR_MS * np.arange(1, bars + 1)
    net = sum((coin.equity_quote - 1_000.0 for coin, _, _ in walks), np.zeros(bars))
    held = sum((notional for _, _, notional in walks), np.zeros(bars))
    trades = sorted((one for _, of_coin, _ in walks for one in of_coin), key=lambda one: one.exit_ms)
    run = empty_run(
        title="random walks",
        source="seeded random walks",
        to_ms=FROM_MS + bars * HOUR_MS,
        times_ms=times,
        equity_quote=START_QUOTE + net,
        notional_quote=held,
        trades=tuple(trades),
        coins=tuple(coin for coin, _, _ in walks),
    )
    return replace(run, **changed)


def _coin(symbol: str, bars: int, random: np.random.Generator) -> tuple[RunCoin, list[TradeRow], Floats]:
    price = 100.0 * np.exp(np.cumsum(random.normal(0.0, 0.006, bars + 1)))
    opens, closes = np.round(price[:-1], 2), np.round(price[1:], 2)
    wick = np.abs(random.normal(0.0, 0.003, (2, bars)))
    regime = np.repeat(random.integers(0, len(REGIMES), bars // 40 + 1), 40)[:bars].astype(np.int8)
    regime[: min(bars, 20)] = -1
    side, equity, held = np.zeros(bars, np.int8), np.full(bars, 1_000.0), np.zeros(bars)
    trades: list[TradeRow] = []
    at = 20
    while at + 60 < bars:
        span = int(random.integers(2, 50))
        one = _trade(symbol, opens, (at, at + span), random, REGIMES[regime[at]])
        side[at : at + span] = one.side
        held[at : at + span] = one.quantity_base * closes[at : at + span]
        moved = one.side * one.quantity_base * (closes[at : at + span] - one.entry_price)
        equity[at : at + span] += moved - one.fees_quote / 2
        equity[at + span :] += one.net_quote
        trades.append(one)
        at += span + int(random.integers(1, 120))
    wanted = len(trades) + bars // 20
    coin = RunCoin(
        symbol=symbol,
        timeframe_ms=HOUR_MS,
        open_ms=FROM_MS + HOUR_MS * np.arange(bars),
        open=opens,
        high=np.round(np.maximum(opens, closes) * (1 + wick[0]), 2),
        low=np.round(np.minimum(opens, closes) * (1 - wick[1]), 2),
        close=closes,
        regime=regime,
        side=side,
        equity_quote=equity,
        wanted=wanted,
        blocked={OWN_GATES[12]: bars // 30, OWN_GATES[7]: bars // 60, "max_positions": bars // 200},
        failed={OWN_GATES[12]: bars // 3, OWN_GATES[7]: bars // 2, "max_positions": bars // 100},
    )
    return coin, trades, held


def _trade(
    symbol: str, opens: Floats, span: tuple[int, int], random: np.random.Generator, regime: str
) -> TradeRow:
    """Return a trade between two opens; its fees are halved between entry and exit."""
    side = int(random.choice([-1, 1]))
    first, last = span
    entry_price, exit_price = float(opens[first]), float(opens[last])
    quantity = round(500.0 / entry_price, 3)
    gross = side * quantity * (exit_price - entry_price)
    fees = FEE_FRAC * 2 * quantity * entry_price
    funding = round(float(random.normal(0.0, 0.1)), 4)
    net = gross - fees + funding
    ambiguous = int(random.random() < 0.02)
    return trade(
        symbol=symbol,
        card=str(random.choice(CARDS)),
        side=side,
        quantity_base=quantity,
        entry_ms=FROM_MS + first * HOUR_MS,
        entry_price=entry_price,
        exit_ms=FROM_MS + last * HOUR_MS,
        exit_price=exit_price,
        exit_reason=str(random.choice(EXITS[1:])),
        stop_price=round(entry_price * (1 - 0.03 * side), 2),
        gross_quote=gross,
        fees_quote=fees,
        funding_quote=funding,
        slippage_quote=SLIPPAGE_FRAC * quantity * entry_price,
        net_quote=net,
        risk_quote=15.0,
        r=net / 15.0,
        regime=regime,
        confidence=round(float(random.random()), 3),
        bars_held=last - first,
        ambiguous=ambiguous,
        other_net_quote=net + 30.0 * ambiguous,
    )
