"""A `Run` out of an account's journal, so that paper and live accounts get the pages of a backtest."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from engine_alpha.domain.asset import TIMEFRAME_MS
from engine_alpha.domain.bars import Bars, Floats, Ints
from engine_alpha.errors import DataError
from engine_alpha.kernel.codes import ACCOUNT_GATES, OWN_GATES
from engine_alpha.kernel.values import Decision, Position, Record, SubAccount, View
from engine_alpha.ports import StoredEvent
from engine_alpha.reports.run import Run, RunCoin, TradeRow
from engine_alpha.reports.words import count, money

NO_DECISIONS: Final = "no_decisions"
SIDES: Final = {"long": 1, "short": -1}
GATES: Final = (*OWN_GATES, *ACCOUNT_GATES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What the journal does not say of itself: a title, the source of the prices, the currency of money."""

    title: str
    source: str
    simulated: bool
    quote_ccy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CandlesWanted:
    """The bars of one coin that opened in [first_ms, end_ms); `source` as its decisions name the feed."""

    symbol: str
    timeframe: str
    source: str
    first_ms: int
    end_ms: int


Candles = Callable[[CandlesWanted], Bars | None]
"""Give the bars that are at hand; None where there are none."""


@dataclass(slots=True)
class _Coin:
    """One coin's decisions as columns that grow."""

    timeframe: list[str] = field(default_factory=list)
    source: str = ""
    open_ms: list[int] = field(default_factory=list)
    close_ms: list[int] = field(default_factory=list)
    close: list[float] = field(default_factory=list)
    regime: list[int] = field(default_factory=list)
    side: list[int] = field(default_factory=list)
    net_quote: list[float] = field(default_factory=list)
    notional_quote: list[float] = field(default_factory=list)
    sub: list[Any] = field(default_factory=list)
    wanted: int = 0
    blocked: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)


class _Reader:
    """Takes events in, in the order they were written."""

    def __init__(self) -> None:
        self.coins: dict[str, _Coin] = {}
        self.trades: list[TradeRow] = []
        self.starts: list[float] = []
        self.undecided: dict[tuple[str, str], set[int]] = {}

    def take(self, stored: StoredEvent) -> None:
        """Take one event in; kinds that tell nothing of bars or trades are passed over."""
        kind, payload = stored.event.kind, stored.event.payload
        if kind == "decision":
            self._decision(json.loads(payload))
        elif kind == "trade":
            self.trades.append(_trade_row(json.loads(payload)))
        elif kind == "no_decision":
            found = json.loads(payload)
            self.undecided.setdefault((found["symbol"], found["reason"]), set()).add(found["open_ms"])

    def _decision(self, payload: Mapping[str, Any]) -> None:
        coin = self.coins.setdefault(payload["symbol"], _Coin())
        record = _named(Record, payload["record"])
        decision = _named(Decision, record["decision"])
        coin.sub = payload["after"].get("sub", coin.sub)
        sub = _named(SubAccount, coin.sub)
        position = _named(Position, sub["position"])
        coin.timeframe.append(payload["timeframe"])
        coin.source = payload["source"]
        coin.open_ms.append(record["open_ms"])
        coin.close_ms.append(record["close_ms"])
        coin.close.append(payload["close"])
        coin.regime.append(_named(View, decision["opinion"])["regime"])
        coin.side.append(position["side"])
        coin.net_quote.append(record["equity_quote"] - sub["start_quote"])
        coin.notional_quote.append(abs(position["side"]) * position["quantity_base"] * sub["mark_price"])
        _count_gates(coin, decision)
        start = payload["account_after"]["start_quote"]
        if not self.starts or self.starts[-1] != start:
            self.starts.append(start)

    def no_decisions(self) -> tuple[tuple[str, str, int], ...]:
        """Return (symbol, reason, bars), the most frequent first; a bar that was decided later is none."""
        left = {
            (symbol, reason): len(bars - set(self.coins[symbol].open_ms if symbol in self.coins else ()))
            for (symbol, reason), bars in self.undecided.items()
        }
        return tuple((*key, bars) for key, bars in sorted(left.items(), key=lambda item: -item[1]) if bars)


def run_of_journal(events: Iterable[StoredEvent], account: Account, candles: Candles) -> Run:
    """Return the run that a journal tells; raise `DataError` for one without any decision.

    Candles are drawn where those at hand close as the journal says, elsewhere there is the close alone. Where
    the configured equity was changed, the whole curve is shown as if the last one had been there from the
    start: a payment is no profit.
    """
    reader = _Reader()
    for stored in events:
        reader.take(stored)
    if not reader.coins:
        raise DataError(NO_DECISIONS, "the journal holds no decision yet; run chloe tick first")
    coins = {symbol: _run_coin(symbol, coin, candles) for symbol, coin in reader.coins.items()}
    times = np.unique(np.concatenate([np.array(coin.close_ms, np.int64) for coin in reader.coins.values()]))
    return Run(
        title=account.title,
        source=account.source,
        simulated=account.simulated,
        start_quote=reader.starts[-1],
        from_ms=min(min(coin.open_ms) for coin in reader.coins.values()),
        to_ms=int(times[-1]),
        times_ms=times,
        equity_quote=reader.starts[-1] + _summed(reader.coins, "net_quote", times),
        notional_quote=_summed(reader.coins, "notional_quote", times),
        trades=tuple(reader.trades),
        coins=tuple(coins.values()),
        funding_unknown_bars=sum(
            _named(SubAccount, coin.sub)["funding_unknown_bars"] for coin in reader.coins.values()
        ),
        no_decisions=reader.no_decisions(),
        notes=tuple(_notes(reader, coins)),
        quote_ccy=account.quote_ccy,
    )


def _run_coin(symbol: str, coin: _Coin, candles: Candles) -> RunCoin:
    """Return the coin's bars of its newest timeframe, in order of time."""
    timeframe = coin.timeframe[-1]
    order = np.argsort(coin.open_ms, kind="stable")
    order = order[np.array([coin.timeframe[at] == timeframe for at in order])]
    open_ms = np.array(coin.open_ms, np.int64)[order]
    close = np.array(coin.close)[order]
    wanted = CandlesWanted(
        symbol=symbol,
        timeframe=timeframe,
        source=coin.source,
        first_ms=int(open_ms[0]),
        end_ms=int(open_ms[-1]) + TIMEFRAME_MS[timeframe],
    )
    opens, highs, lows = _matching(candles(wanted), open_ms, close)
    start = _named(SubAccount, coin.sub)["start_quote"]
    return RunCoin(
        symbol=symbol,
        timeframe_ms=TIMEFRAME_MS[timeframe],
        open_ms=open_ms,
        open=opens,
        high=highs,
        low=lows,
        close=close,
        regime=np.array(coin.regime, np.int8)[order],
        side=np.array(coin.side, np.int8)[order],
        equity_quote=start + np.array(coin.net_quote)[order],
        wanted=coin.wanted,
        blocked=dict(coin.blocked),
        failed=dict(coin.failed),
    )


def _matching(bars: Bars | None, open_ms: Ints, close: Floats) -> tuple[Floats, Floats, Floats]:
    """Return open, high and low of the bars that close as the journal says; NaN for the others."""
    if bars is None or len(bars) == 0:
        unknown = np.full(len(close), np.nan)
        return unknown, unknown, unknown
    at = np.minimum(bars.open_ms.searchsorted(open_ms), len(bars) - 1)
    same = (bars.open_ms[at] == open_ms) & (bars.close[at] == close)
    opens, highs, lows = (np.where(same, column[at], np.nan) for column in (bars.open, bars.high, bars.low))
    return opens, highs, lows


def _summed(coins: Mapping[str, _Coin], name: str, times: Ints) -> Floats:
    """Return the sum over the coins, each at its last close at or before each time; 0 before its first."""
    total = np.zeros(len(times))
    for coin in coins.values():
        order = np.argsort(coin.close_ms, kind="stable")
        values = np.concatenate([[0.0], np.array(getattr(coin, name))[order]])
        total += values[np.searchsorted(np.array(coin.close_ms)[order], times, side="right")]
    return total


def _count_gates(coin: _Coin, decision: Mapping[str, Any]) -> None:
    fired = decision["card"] >= 0
    coin.wanted += fired
    verdicts = (*decision["gates"], *decision["allocation"])
    refusing = [gate for gate, verdict in zip(GATES, verdicts, strict=True) if not verdict[0]]
    coin.failed.update(refusing)
    if fired:
        coin.blocked.update(refusing)


def _trade_row(payload: Mapping[str, Any]) -> TradeRow:
    fields = {name: payload[name] for name in TradeRow.__slots__}
    return TradeRow(**fields | {"side": SIDES[payload["side"]]})


def _named(kind: Any, items: Any) -> dict[str, Any]:
    """Return a kernel value, stored as an array, by its field names."""
    return dict(zip(kind._fields, items, strict=True))


def _notes(reader: _Reader, coins: Mapping[str, RunCoin]) -> list[str]:
    notes = []
    if len(reader.starts) > 1:
        was = ", then ".join(money(start) for start in reader.starts)
        notes.append(f"configured equity was {was}; shown as if the last one had been there from the start")
    for symbol, coin in coins.items():
        older = len(reader.coins[symbol].timeframe) - len(coin.open_ms)
        if older:
            notes.append(f"{symbol}: not drawn: {count(older, 'bar')} of an earlier timeframe")
        closes = int(np.isnan(coin.open).sum())
        if closes == len(coin.open_ms):
            notes.append(f"{symbol}: no candles at hand, drawn as a line of closes")
        elif closes:
            notes.append(
                f"{symbol}: {count(closes, 'bar')} not at hand as the journal saw them, drawn as closes"
            )
    return notes
