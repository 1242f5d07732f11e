"""From the columns a compiled run leaves to its result."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine_alpha.backtest.ending import DATA_END, forced_exits
from engine_alpha.backtest.loop import REASONS
from engine_alpha.backtest.notes import history_notes
from engine_alpha.backtest.outputs import DECISION_WORDS, LEDGER_WORDS, RECORD_HEAD, SHADOW_WORDS, Output
from engine_alpha.backtest.request import Gathered
from engine_alpha.backtest.results import BacktestResult
from engine_alpha.backtest.words import dtype_of, leaves_of
from engine_alpha.backtest.world import Columns, Settings, State
from engine_alpha.domain.asset import AssetConfig
from engine_alpha.domain.bars import Ints
from engine_alpha.kernel.codes import ACCOUNT_GATES, EXITS, OWN_GATES, REGIMES
from engine_alpha.kernel.signals import SIGNALS
from engine_alpha.kernel.values import Decision, Settlement, SubAccount, Trade
from engine_alpha.plans.history import History, due_numbers
from engine_alpha.plans.setup import Setup
from engine_alpha.reports.run import RunCoin, TradeRow

GATES = (*OWN_GATES, *ACCOUNT_GATES)
UNLISTED = "config"
SUB = {path[1:]: place for place, (path, _) in enumerate(leaves_of(SubAccount))}


@dataclass(slots=True, kw_only=True)
class Played:
    """A run while it plays: its columns, and what was taken out of them chunk by chunk."""

    out: Output
    state: State
    settings: Settings
    columns: Columns
    ticks: Ints
    trades: list[tuple[Ints, Ints]] = field(default_factory=list)  # words and owners of each chunk
    kept: list[tuple[Ints, Ints]] = field(default_factory=list)
    seconds: float = 0.0
    hexes: tuple[str | None, str | None] = (None, None)

    @property
    def bars(self) -> int:
        """Return how many asset-bars were advanced."""
        return int(self.out.steps.sum())

    def closed(self) -> tuple[np.ndarray[Any, Any], Ints]:
        """Return all closed trades as records of `Trade`, and (asset, shadow card or -1, close) of each."""
        words = np.concatenate([words for words, _ in self.trades])
        return words.view(dtype_of(Trade))[:, 0], np.concatenate([owners for _, owners in self.trades])

    def take(self, out: Output, keep: bool) -> None:
        """Take the chunk's trades, and its records where they are to be kept; make room for the next."""
        count = int(out.counts[1])
        self.trades.append((out.trade_ints[:count].copy(), out.trade_owner[:count].copy()))
        if keep:
            records = int(out.counts[0])
            self.kept.append((out.record_ints[:records].copy(), out.record_asset[:records].copy()))
        out.counts[:] = 0


def result_of(
    setup: Setup, wanted: History, found: Gathered, played: Played, laid_out: float
) -> BacktestResult:
    """Return the result of a run that has played to its end."""
    out, state = played.out, played.state
    trades, shadows = _trades(found, played)
    decided = out.steps.tolist()
    undecided = [(symbol, reason) for symbol, reason, _ in found.refused]
    undecided += [
        (each.plan.asset.symbol, "no bar could be decided")
        for each, bars in zip(found.assets, decided, strict=True)
        if bars == 0
    ]
    forced = tuple(
        trade_row(symbol, card, trade, DATA_END) for symbol, card, trade in forced_exits(found, state, wanted)
    )
    # one order of adding up, the rehearsal's: by symbol
    by_symbol = np.argsort([each.plan.asset.symbol for each in found.assets], kind="stable").tolist()
    start = setup.risk.equity_quote
    return BacktestResult(
        history=wanted,
        decisions=played.bars,
        trades=trades,
        shadow_trades=shadows,
        forced_exits=forced,
        decisions_sha256=played.hexes[0],
        ledger_sha256=played.hexes[1],
        no_decisions=_no_decisions(wanted, setup, found, out),
        undecided=tuple(undecided),
        coins=_coins(found, played),
        times_ms=played.ticks,
        account_quote=start + out.tick_net,
        notional_quote=out.tick_notional,
        start_quote=start,
        equity_quote=start + sum(state.held[a, 0].item() for a in by_symbol),
        funding_quote=sum(state.floats[a, SUB["funding_quote"]].item() for a in by_symbol),
        funding_unknown_bars=int(state.ints[:, SUB["funding_unknown_bars"]].sum()),
        bars=played.bars,
        seconds=played.seconds + laid_out,
        notes=_notes(setup, wanted, found, played, {row.symbol for row in forced}),
        quote_ccy=found.assets[0].plan.asset.quote_ccy,
        rows=_rows(found, played),
    )


def _trades(found: Gathered, played: Played) -> tuple[tuple[TradeRow, ...], tuple[TradeRow, ...]]:
    """Return closed trades and those of shadow cards, each in the order in which they were booked."""
    real: list[TradeRow] = []
    shadow: list[TradeRow] = []
    first = played.settings.shadow_first.tolist()
    records, owners = played.closed()
    for words, (asset, shadow_place, _) in zip(records.tolist(), owners.tolist(), strict=True):
        plan = found.assets[asset].plan
        trade = Trade(*words)
        card = trade.card
        if shadow_place >= 0:
            card = int(played.settings.shadow_card[first[asset] + shadow_place])
        row = trade_row(plan.asset.symbol, plan.names[card], trade)
        (real if shadow_place < 0 else shadow).append(row)
    return tuple(real), tuple(shadow)


def trade_row(symbol: str, card: str, trade: Trade, reason: str = "") -> TradeRow:
    """Return a closed trade with names for codes; `reason` stands in for one that has no code."""
    words = {**trade._asdict(), "symbol": symbol, "card": card}
    words["exit_reason"] = reason or EXITS[trade.exit_reason]
    words["regime"] = REGIMES[trade.regime]
    return TradeRow(**words)


def _no_decisions(
    wanted: History, setup: Setup, found: Gathered, out: Output
) -> tuple[tuple[str, str, int], ...]:
    """Return (symbol, reason, bars) in the registry's order."""
    counted: list[tuple[str, str, int]] = []
    places = {each.plan.asset.symbol: place for place, each in enumerate(found.assets)}
    whole = {symbol: reason for symbol, reason, _ in found.refused}
    for asset in setup.enabled:
        if asset.symbol in whole:
            counted.extend(_refused_whole(setup, asset, wanted, whole[asset.symbol]))
            continue
        refused = out.refused[places[asset.symbol]].tolist()
        counted.extend(
            (asset.symbol, reason, bars) for reason, bars in zip(REASONS, refused, strict=True) if bars
        )
    return tuple(counted)


def _refused_whole(
    setup: Setup, asset: AssetConfig, wanted: History, reason: str
) -> list[tuple[str, str, int]]:
    """Count a coin's bars by what a tick would have said first: that it is not listed, else `reason`."""
    first, end = due_numbers(asset, wanted)
    unlisted = 0
    if reason != UNLISTED:
        instrument = setup.plan(asset).instrument
        closes = range((first + 1) * asset.timeframe_ms, (end + 1) * asset.timeframe_ms, asset.timeframe_ms)
        unlisted = sum(1 for close_ms in closes if not instrument.is_listed(close_ms))
    counts = ((UNLISTED, unlisted), (reason, end - first - unlisted))
    return [(asset.symbol, why, bars) for why, bars in counts if bars]


def _coins(found: Gathered, played: Played) -> tuple[RunCoin, ...]:
    out, columns = played.out, played.columns
    coins = []
    for a, each in enumerate(found.assets):
        first, end = int(columns.first[a]), int(columns.end[a])
        here = np.arange(first, end)[out.regime[first:end] >= 0]
        coins.append(
            RunCoin(
                symbol=each.plan.asset.symbol,
                timeframe_ms=each.bars.timeframe_ms,
                open_ms=columns.open_ms[here],
                open=columns.open[here],
                high=columns.high[here],
                low=columns.low[here],
                close=columns.close[here],
                regime=out.regime[here],
                side=out.side[here],
                equity_quote=out.equity[here],
                wanted=int(out.fired[a]),
                blocked=dict(zip(GATES, out.blocked[a].tolist(), strict=True)),
                failed=dict(zip(GATES, out.failed[a].tolist(), strict=True)),
            )
        )
    return tuple(coins)


def _notes(setup: Setup, wanted: History, found: Gathered, played: Played, left: set[str]) -> tuple[str, ...]:
    """Say what a reader of the figures has to know; `left` are the coins in the forced exits."""
    notes = [*history_notes(setup, wanted, found, played.columns)]
    notes += [f"{symbol}: {detail}" for symbol, _, detail in found.refused]
    for a, each in enumerate(found.assets):
        symbol = each.plan.asset.symbol
        side = int(played.state.ints[a, SUB["position.side"]])
        if side != 0 and symbol not in left:
            mark = played.state.floats[a, SUB["mark_price"]].item()
            notes.append(
                f"{symbol}: a {'long' if side > 0 else 'short'} is open at the end, marked at {mark:g}; "
                "it is in the equity, not among the trades"
            )
        if each.plan.rules.asset.taker_fee_frac == 0.0:
            notes.append(f"{symbol}: its fee is 0: no venue trades for nothing")
    return tuple(notes)


def record_dtype(shadows: list[str]) -> np.dtype[Any]:
    """Return the fields of a record row: times, signals, decision, shadows, then the ledger's part."""
    names: list[tuple[str, Any]] = [("open_ms", np.int64), ("close_ms", np.int64)]
    names += [(f"signals.{spec.name}", np.float64) for spec in SIGNALS]
    names += _named("decision", Decision)
    for name in sorted(shadows):
        names += _named(f"{name}.settlement", Settlement) + _named(f"{name}.decision", Decision)
    return np.dtype(names)


def _named(prefix: str, kind: Any) -> list[tuple[str, Any]]:
    return [(prefix + path, np.int64 if shape is int else np.float64) for path, shape in leaves_of(kind)]


LEDGER = np.dtype(
    [
        ("ledger.open_ms", np.int64),
        ("ledger.close_ms", np.int64),
        *_named("settlement", Settlement),
        ("equity_quote", np.float64),
    ]
)


def _rows(found: Gathered, played: Played) -> dict[str, np.ndarray[Any, Any]]:
    if not played.kept:
        return {}
    ints = np.concatenate([rows for rows, _ in played.kept])
    owner = np.concatenate([assets for _, assets in played.kept])
    made = {}
    for a, each in enumerate(found.assets):
        own = ints[owner == a]
        shadows = each.plan.shadow_names()
        head = RECORD_HEAD + DECISION_WORDS + len(shadows) * SHADOW_WORDS
        whole = np.concatenate((own[:, :head], own[:, own.shape[1] - LEDGER_WORDS :]), axis=1)
        kind = np.dtype(record_dtype(shadows).descr + LEDGER.descr)
        made[each.plan.asset.symbol] = np.ascontiguousarray(whole).view(kind)[:, 0]
    return made
